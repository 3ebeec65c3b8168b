import type { Brand } from "./brand.ts";
import { InvalidInput } from "./errors.ts";

/** A partner's number in the network's registry, 1…65535 (uint16, 0 means none). Made by `parsePartnerId`. */
export type PartnerId = Brand<number, "PartnerId">;

const MAX_PARTNER_ID = 65_535;
const CANONICAL_INTEGER = /^[1-9][0-9]{0,4}$/;

/** Whether a text is a partner id as it is written everywhere: decimal, without leading zeros. */
export function isPartnerId(text: string): boolean {
  return CANONICAL_INTEGER.test(text) && Number.parseInt(text, 10) <= MAX_PARTNER_ID;
}

/**
 * Reads a partner id from a number, the bigint of an ABI decoder, or decimal text without leading zeros.
 * @throws InvalidInput when it is not an integer from 1 to 65535
 */
export function parsePartnerId(given: number | bigint | string, field = "partner"): PartnerId {
  const text = String(given);
  if (!isPartnerId(text)) {
    throw new InvalidInput(field, `a partner id, an integer from 1 to ${MAX_PARTNER_ID}`, given);
  }
  // Checked just above: this parser is where the brand is made.
  return Number.parseInt(text, 10) as PartnerId;
}
