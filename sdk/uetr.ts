import { randomBytes } from "node:crypto";
import { uetrFromRandom, type Uetr } from "../src/domain/uetr.ts";

/** A UETR for a new transfer. Keep it with the transfer before submitting: a repetition needs the same. */
export function newUetr(drawBytes: (length: number) => Uint8Array = randomBytes): Uetr {
  return uetrFromRandom(drawBytes(16));
}
