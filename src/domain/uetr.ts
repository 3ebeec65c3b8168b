import { bytesToHex } from "@noble/hashes/utils.js";
import type { Brand } from "./brand.ts";
import { fromHex } from "./bytes/hex.ts";
import { InvalidInput } from "./errors.ts";

/**
 * Unique end-to-end transaction reference: a version 4 UUID in its lower-case text form, as ISO 20022's
 * UUIDv4Identifier wants it. Made by `parseUetr`.
 */
export type Uetr = Brand<string, "Uetr">;

const UETR_BYTES = 16;
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * Reads a UETR. Upper case is refused, not folded: two spellings of one reference must not reach two systems.
 * @throws InvalidInput when it is not a lower-case UUID of version 4 and RFC 9562's variant
 */
export function parseUetr(text: string, field = "uetr"): Uetr {
  if (isUetr(text)) return text;
  const rule = isUetr(text.toLowerCase())
    ? "in lower case (ISO 20022 UUIDv4Identifier)"
    : "a UUID of version 4 and variant 8, 9, a or b, in lower case, xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  throw new InvalidInput(field, rule, text);
}

/** Whether a text is a UETR, as `parseUetr` takes it. */
export function isUetr(text: string): text is Uetr {
  return UUID_V4.test(text);
}

/** The 16 bytes that a Merkle leaf commits to (bytes16). */
export function uetrToBytes16(uetr: Uetr): Uint8Array {
  return fromHex(`0x${uetr.replaceAll("-", "")}`, UETR_BYTES, "uetr");
}

/** @throws InvalidInput when `bytes` are not the 16 bytes of a UETR */
export function uetrFromBytes16(bytes: Uint8Array): Uetr {
  requireLength(bytes);
  return parseUetr(hyphenate(bytesToHex(bytes)));
}

/**
 * A new UETR from 16 random bytes: version and variant bits are set, the other 122 kept (RFC 9562, 5.4).
 * @throws InvalidInput when there are not 16 bytes
 */
export function uetrFromRandom(bytes: Uint8Array): Uetr {
  requireLength(bytes);
  const marked = Uint8Array.from(bytes, (byte, index) => {
    if (index === 6) return (byte & 0x0f) | 0x40;
    return index === 8 ? (byte & 0x3f) | 0x80 : byte;
  });
  return uetrFromBytes16(marked);
}

function requireLength(bytes: Uint8Array): void {
  if (bytes.length !== UETR_BYTES) throw new InvalidInput("uetr", `${UETR_BYTES} bytes`, bytes.length);
}

function hyphenate(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
