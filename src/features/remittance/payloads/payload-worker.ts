import { parentPort } from "node:worker_threads";
import { InvalidInput } from "../../../domain/errors.ts";
import { readPayload, type EncryptedPayload, type ReadPayload } from "./read-payload.ts";

// A thread of its own for large payloads: what they take must not hold up everything else that the relay answers.

export interface Question {
  readonly id: number;
  readonly payload: EncryptedPayload;
}

export type Answer = { readonly id: number } & (
  | { readonly kind: "read"; readonly payload: ReadPayload }
  | { readonly kind: "invalid"; readonly field: string; readonly rule: string }
  | { readonly kind: "failed"; readonly message: string }
);

const port = parentPort;
port?.on("message", ({ id, payload }: Question) => {
  readPayload(payload).then(
    (read) => {
      // Handed over, not copied.
      const bytes = new Uint8Array(read.bytes);
      port.postMessage({ id, kind: "read", payload: { ...read, bytes } } satisfies Answer, [bytes.buffer]);
    },
    (failure: unknown) => {
      const answer: Answer =
        failure instanceof InvalidInput
          ? { id, kind: "invalid", field: failure.field, rule: failure.rule }
          : { id, kind: "failed", message: failure instanceof Error ? failure.message : "unknown" };
      port.postMessage(answer);
    },
  );
});
