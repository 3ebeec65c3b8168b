import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";

/** One more than the largest 32-bit draw. */
const UINT32_VALUES = 2 ** 32;
/** Draws thrown away at the start, as sfc32's author advises, so that similar states part company. */
const WARM_UP_DRAWS = 12;
/** A bounded loop: a draw is refused with probability below one half, so 128 in a row do not happen. */
const MAX_REFUSED_DRAWS = 128;

/**
 * A reproducible source of numbers: the same seed gives the same sequence on every machine and in every version of
 * Node. For simulations and tests; never for keys, salts or nonces.
 */
export interface Random {
  /** An integer from 0 to 2^32 - 1. */
  uint32(): number;
  /** An integer from 0 to `bound` - 1, all equally likely. `bound` is an integer from 1 to 2^32. */
  below(bound: number): number;
  bytes(length: number): Uint8Array;
  /** One of `items`, all equally likely. */
  pick<Item>(items: readonly Item[]): Item;
  /** The index of one of `weights`, in proportion to them: integers of at least 0 that add up to 1…2^32. */
  weighted(weights: readonly number[]): number;
  /** A new array of the same items in random order (Fisher-Yates). */
  shuffle<Item>(items: readonly Item[]): Item[];
  /**
   * An independent source for one part of the work. It depends on the seed and the label only, not on how much was
   * drawn before, so that a change in one part leaves the others as they were.
   */
  fork(label: string): Random;
}

/** A source from any text: sfc32 (Chris Doty-Humphrey, PractRand), its state the first 128 bits of SHA-256. */
export function createRandom(seed: string): Random {
  return randomFromKey(sha256(utf8ToBytes(seed)));
}

function randomFromKey(key: Uint8Array): Random {
  const uint32 = sfc32(key);

  function below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > UINT32_VALUES) {
      throw new RangeError(`bound: an integer from 1 to 2^32 (given ${bound})`);
    }
    // Draws past the last whole multiple of `bound` would favour the small results.
    const limit = UINT32_VALUES - (UINT32_VALUES % bound);
    for (let attempt = 0; attempt < MAX_REFUSED_DRAWS; attempt++) {
      const draw = uint32();
      if (draw < limit) return draw % bound;
    }
    throw new Error("random: the generator is stuck");
  }

  function pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError("items: at least one");
    // In range by construction; undefined only where it is an item.
    return items[below(items.length)] as Item;
  }

  function weighted(weights: readonly number[]): number {
    if (!weights.every((weight) => Number.isInteger(weight) && weight >= 0)) {
      throw new RangeError("weights: integers of at least 0");
    }
    let left = below(weights.reduce((sum, weight) => sum + weight, 0));
    return weights.findIndex((weight) => (left -= weight) < 0);
  }

  function shuffle<Item>(items: readonly Item[]): Item[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = below(last + 1);
      // Both indexes are in range by construction.
      [shuffled[last], shuffled[other]] = [shuffled[other] as Item, shuffled[last] as Item];
    }
    return shuffled;
  }

  return {
    uint32,
    below,
    bytes: (length) => Uint8Array.from({ length }, () => uint32() >>> 24),
    pick,
    weighted,
    shuffle,
    fork: (label) => randomFromKey(sha256(new Uint8Array([...key, ...utf8ToBytes(label)]))),
  };
}

function sfc32(key: Uint8Array): () => number {
  const words = new DataView(key.buffer, key.byteOffset, key.byteLength);
  let a = words.getUint32(0);
  let b = words.getUint32(4);
  let c = words.getUint32(8);
  let counter = words.getUint32(12);

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  for (let draw = 0; draw < WARM_UP_DRAWS; draw++) next();
  return next;
}
