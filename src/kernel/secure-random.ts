import { randomBytes } from "node:crypto";

/** What is drawn at once: to ask for a few bytes takes nearly as long as for all of these. */
const POOL_BYTES = 4_096;
/** Longer ones are drawn by themselves. */
const MOST_POOLED = 64;

let pool = new Uint8Array();
let at = 0;

/** Bytes from the operating system's source: nobody can guess them. For keys, salts, ids; see random.ts for the rest. */
export function drawSecurely(length: number): Uint8Array {
  if (length > MOST_POOLED) return randomBytes(length);
  if (at + length > pool.length) [pool, at] = [randomBytes(POOL_BYTES), 0];
  // A copy: a Buffer's own `slice` is none.
  const drawn = Uint8Array.from(pool.subarray(at, at + length));
  // Nobody gets them twice, nor finds them here.
  pool.fill(0, at, at + length);
  at += length;
  return drawn;
}
