import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { InvalidInput } from "../../../domain/errors.ts";
import type { Answer, Question } from "./payload-worker.ts";
import { readPayload, type EncryptedPayload, type ReadPayload } from "./read-payload.ts";

/** Reads payloads without holding up the thread that asks: large ones in another, one after the other. */
export interface PayloadReader {
  /** @throws InvalidInput as `readPayload`; Error when the thread fails */
  read(payload: EncryptedPayload): Promise<ReadPayload>;
  close(): Promise<void>;
}

/** TypeScript in a checkout, JavaScript where the relay is installed as a package: as this module. */
const WORKER = new URL(`./payload-worker${extname(import.meta.url)}`, import.meta.url);

/** A payload of a thousand transfers is smaller, and takes less than to hand it over. */
const LARGE_BYTES = 2 ** 20;
/** What a payload of the largest size takes to read, and some. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 1_024 };

export function createPayloadReader(): PayloadReader {
  let worker: Worker | undefined;
  let nextId = 0;
  const waiting = new Map<number, PromiseWithResolvers<ReadPayload>>();

  const start = (): Worker => {
    const started = new Worker(WORKER, { resourceLimits: RESOURCE_LIMITS });
    started.unref();
    started.on("message", (answer: Answer) => {
      const asked = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (answer.kind === "read") asked?.resolve(answer.payload);
      else if (answer.kind === "invalid") asked?.reject(new InvalidInput(answer.field, answer.rule));
      else asked?.reject(new Error(`reading a payload: ${answer.message}`));
    });
    const end = (cause: unknown): void => {
      if (worker === started) worker = undefined;
      for (const asked of waiting.values()) {
        asked.reject(new Error("the thread that reads payloads has ended", { cause }));
      }
      waiting.clear();
    };
    started.on("error", end);
    started.on("exit", end);
    return started;
  };

  return {
    read(payload) {
      if (payload.jwe.length < LARGE_BYTES) return readPayload(payload);
      worker ??= start();
      const question: Question = { id: nextId++, payload };
      const asked = Promise.withResolvers<ReadPayload>();
      waiting.set(question.id, asked);
      worker.postMessage(question);
      return asked.promise;
    },
    async close() {
      await worker?.terminate();
    },
  };
}
