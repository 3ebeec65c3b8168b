import { fromHex, toHex, type Hex } from "../../domain/bytes/hex.ts";
import { storable } from "../../domain/storable.ts";
import type { SqlValue } from "./database.ts";

// How rows and JSON for statements are read and written, in one place.

/** A `bigint` column that holds a time, a count or a block number, all far below 2^53. */
export function numberOf(value: bigint): number {
  return Number.parseInt(String(value), 10);
}

/** The time of what is not due at all, as it stands in statements. */
export const NEVER = "9223372036854775807";

/** `bytea` as the domain's text. */
export function hexOf(bytes: Uint8Array): Hex {
  return toHex(bytes);
}

/** The domain's text as `bytea`. */
export function bytesOf(hex: Hex): Uint8Array {
  return fromHex(hex);
}

/** For `= ANY ($1::bytea[])`. */
export function bytesList(hexes: readonly Hex[]): readonly string[] {
  return hexes.map((hex) => `\\x${hexDigits(hex)}`);
}

/** For `decode(column, 'hex')` of a JSON record: digits without 0x. */
export function hexDigits(hex: Hex): string {
  return hex.slice(2);
}

/** Rows for `jsonb_to_recordset`. */
export function recordset(rows: readonly object[]): string {
  return jsonOf(rows);
}

/**
 * JSON for a statement: bigints as decimal text, which numeric columns take, and text as it can be stored. Whoever takes
 * text from outside has checked it; this is so that what one item brings along never fails the statement of all.
 */
export function jsonOf(value: object): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === "bigint") return String(member);
    return typeof member === "string" ? storable(member) : member;
  });
}

/** A statement's value as both drivers take it. */
export function parameter(value: SqlValue): string | number | boolean | Uint8Array | null {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "string") return storable(value);
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array) ? arrayText(value) : value;
}

const ONE_STATEMENT = /^\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE)\b[^;]*$/i;

/** Whether it is one statement, and none that changes tables: whatever has no values may be several. */
export function isOneStatement(sql: string, values: readonly SqlValue[] | undefined): boolean {
  return values !== undefined || ONE_STATEMENT.test(sql);
}

/** An array as PostgreSQL reads it. */
function arrayText(members: readonly (string | bigint)[]): string {
  if (members.length === 0) return "{}";
  const all = members.join("");
  // As nearly all are: looked at together, they take a fraction of the time.
  const isPlain = !all.includes('"') && !all.includes("\\");
  const escaped = isPlain ? members : members.map((member) => String(member).replaceAll(/["\\]/g, "\\$&"));
  return `{"${storable(escaped.join('","'))}"}`;
}

/**
 * A column `turn` for a selection of due work that is limited: what has failed before and what has not are counted
 * apart, each in the order given. Ordered by it, the two take turns, so that neither ever holds up the other, however
 * much there is of it. What is under way keeps its turn, for it is still due.
 * @param attempts the column with how many have failed
 * @param order of those that are alike, the due time first: so that all that has failed gets its attempt in turn, too
 * @param group what is counted apart besides
 */
export function turnOf(attempts: string, order: string, group?: string): string {
  const partition = [...(group === undefined ? [] : [group]), `${attempts} = 0`].join(", ");
  return `row_number() OVER (PARTITION BY ${partition} ORDER BY ${order}) AS turn`;
}
