import { randomBytes } from "node:crypto";

/** Bytes from the operating system's source: nobody can guess them. For keys, salts, ids; see random.ts for the rest. */
export function drawSecurely(length: number): Uint8Array {
  return randomBytes(length);
}
