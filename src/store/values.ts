import { fromHex, toHex, type Hex } from "../domain/bytes/hex.ts";

// How rows and JSON for statements are read and written, in one place.

/** A `bigint` column that holds a time, a count or a block number, all far below 2^53. */
export function numberOf(value: bigint): number {
  return Number.parseInt(String(value), 10);
}

/** `bytea` as the domain's text. */
export function hexOf(bytes: Uint8Array): Hex {
  return toHex(bytes);
}

/** The domain's text as `bytea`. */
export function bytesOf(hex: Hex): Uint8Array {
  return fromHex(hex);
}

/** For `decode(column, 'hex')` of a JSON record: digits without 0x. */
export function hexDigits(hex: Hex): string {
  return hex.slice(2);
}

/** Rows for `jsonb_to_recordset`: bigints as decimal text, which numeric columns take. */
export function recordset(rows: readonly object[]): string {
  return JSON.stringify(rows, (_, member: unknown) => (typeof member === "bigint" ? String(member) : member));
}

/** UUIDs given as a JSON array in $1, for `column = ANY (…)`: an array, for which an index is used, and not a join. */
export const UUIDS_OF_JSON = "ARRAY(SELECT given::uuid FROM jsonb_array_elements_text($1::jsonb) AS given)";
