import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Built, Pipeline, Target } from "./code.ts";

/** What a thread is asked for. */
export interface Job {
  readonly texts: ReadonlyMap<string, Uint8Array>;
  readonly targets: readonly Target[];
  readonly pipeline: Pipeline;
}

/** A compiler in a thread of its own. It does one job at a time. */
export interface Compiler {
  build(job: Job): Promise<Built>;
  close(): Promise<void>;
}

export function startCompiler(): Compiler {
  const thread = new Worker(new URL("./compiler-thread.ts", import.meta.url));
  return {
    async build(job) {
      thread.postMessage(job);
      // What the thread throws rejects this. The shape is what compiler-thread.ts posts.
      const [built] = (await once(thread, "message")) as [Built];
      return built;
    },
    async close() {
      await thread.terminate();
    },
  };
}
