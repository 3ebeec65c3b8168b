import { InvalidInput } from "../errors.ts";

/** Size of an ABI word and of every hash here. */
export const WORD_BYTES = 32;

const encoder = new TextEncoder();

/** UTF-8. Lone surrogates become U+FFFD, so text that must not change is checked before. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Negative, 0 or positive, as unsigned big-endian integers of the same length compare. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  for (let index = 0; index < left.length; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** @throws InvalidInput naming the field, for what is no whole number of so many bits */
export function requireUint(value: number | bigint, bits: number, field: string): bigint {
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new InvalidInput(field, `a uint${bits}`, value);
  const whole = BigInt(value);
  if (whole < 0n || whole >> BigInt(bits) !== 0n) throw new InvalidInput(field, `a uint${bits}`, value);
  return whole;
}

/**
 * ABI encoding of uint`bits`: a 32-byte big-endian word.
 * @throws InvalidInput when the value does not fit the type
 */
export function uintWord(value: number | bigint, bits: number, field: string): Uint8Array {
  let rest = requireUint(value, bits, field);
  const word = new Uint8Array(WORD_BYTES);
  const view = new DataView(word.buffer);
  for (let offset = WORD_BYTES - 8; rest !== 0n; offset -= 8) {
    view.setBigUint64(offset, BigInt.asUintN(64, rest));
    rest >>= 64n;
  }
  return word;
}

/** ABI encoding of a fixed byte string (bytes1…bytes32): left-aligned in its word. */
export function bytesWord(bytes: Uint8Array): Uint8Array {
  const word = new Uint8Array(WORD_BYTES);
  word.set(bytes);
  return word;
}
