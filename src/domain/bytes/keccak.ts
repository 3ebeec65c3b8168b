import { keccak_256, keccakP } from "@noble/hashes/sha3.js";
import { isLE } from "@noble/hashes/utils.js";

/** Bytes that Keccak-256 absorbs at a time. */
const RATE_BYTES = 136;
const DIGEST_BYTES = 32;

// Scratch memory, cleared before each use. Nearly all that is hashed here, leaves and tree nodes, fits one block; a
// sponge that is not made anew for each saves a quarter of the time.
const state = new Uint32Array(50);
const stateBytes = new Uint8Array(state.buffer);

/** Keccak-256 as Ethereum uses it (not FIPS 202 SHA3-256). The project's only door to a hash implementation. */
export function keccak256(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= RATE_BYTES || !isLE) return keccak_256(bytes);
  stateBytes.fill(0);
  stateBytes.set(bytes);
  // Keccak's padding: 0x01 after the message, 0x80 in the block's last byte. They can be the same byte.
  stateBytes[bytes.length] = 0x01;
  stateBytes[RATE_BYTES - 1] = (stateBytes[RATE_BYTES - 1] ?? 0) | 0x80;
  keccakP(state);
  return stateBytes.slice(0, DIGEST_BYTES);
}
