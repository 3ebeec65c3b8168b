import { bytesToHex } from "@noble/hashes/utils.js";
import { InvalidInput } from "../errors.ts";

/** Bytes as text: "0x" and two lower-case hexadecimal digits a byte. */
export type Hex = `0x${string}`;

export function toHex(bytes: Uint8Array): Hex {
  return `0x${bytesToHex(bytes)}`;
}

/**
 * Reads 0x-prefixed hexadecimal of either case.
 * @param length bytes expected; any number when left out
 * @throws InvalidInput when it is not hexadecimal or has another length
 */
export function fromHex(text: string, length?: number, field = "hex"): Uint8Array {
  const bytes = bytesIn(text);
  if (bytes === undefined) throw new InvalidInput(field, "0x and an even number of hexadecimal digits", text);
  if (length !== undefined && bytes.length !== length) throw new InvalidInput(field, `${length} bytes`, text);
  return bytes;
}

/** What each character stands for; 16 and more for what is no digit. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = "0123456789abcdef".indexOf(String.fromCharCode(code).toLowerCase());
  return value === -1 ? 16 : value;
});

/** Digit by digit, which is a fraction of what a pattern and a library take for the many hashes there are. */
function bytesIn(text: string): Uint8Array | undefined {
  if (!text.startsWith("0x") || text.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(text.length / 2 - 1);
  for (let index = 0; index < bytes.length; index++) {
    const high = DIGITS[text.charCodeAt(2 * index + 2)] ?? 16;
    const low = DIGITS[text.charCodeAt(2 * index + 3)] ?? 16;
    if (high > 15 || low > 15) return undefined;
    bytes[index] = 16 * high + low;
  }
  return bytes;
}

/** Hexadecimal that somebody else has made, an address with its checksum or a signature, as the domain's. As `fromHex`. */
export function normalizeHex(text: string, length?: number, field?: string): Hex {
  return toHex(fromHex(text, length, field));
}
