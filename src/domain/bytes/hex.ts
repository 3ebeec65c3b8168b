import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { InvalidInput } from "../errors.ts";

/** Bytes as text: "0x" and two lower-case hexadecimal digits a byte. */
export type Hex = `0x${string}`;

const HEX_BYTES = /^0x(?:[0-9a-fA-F]{2})*$/;

export function toHex(bytes: Uint8Array): Hex {
  return `0x${bytesToHex(bytes)}`;
}

/**
 * Reads 0x-prefixed hexadecimal of either case.
 * @param length bytes expected; any number when left out
 * @throws InvalidInput when it is not hexadecimal or has another length
 */
export function fromHex(text: string, length?: number, field = "hex"): Uint8Array {
  if (!HEX_BYTES.test(text)) throw new InvalidInput(field, "0x and an even number of hexadecimal digits", text);
  const bytes = hexToBytes(text.slice(2));
  if (length !== undefined && bytes.length !== length) throw new InvalidInput(field, `${length} bytes`, text);
  return bytes;
}

/** Hexadecimal that somebody else has made, an address with its checksum or a signature, as the domain's. As `fromHex`. */
export function normalizeHex(text: string, length?: number, field?: string): Hex {
  return toHex(fromHex(text, length, field));
}
