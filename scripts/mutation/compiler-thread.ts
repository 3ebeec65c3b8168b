// A thread that makes code: the compiler leaves nothing else time to run.
import { parentPort } from "node:worker_threads";
import { build } from "./code.ts";
import type { Job } from "./compiler.ts";

parentPort?.on("message", ({ texts, targets, pipeline }: Job) => {
  const buffers = new Map([...texts].map(([path, text]) => [path, Buffer.from(text)]));
  parentPort?.postMessage(build(buffers, targets, pipeline));
});
