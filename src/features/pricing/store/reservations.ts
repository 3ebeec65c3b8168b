import type { Hex } from "../../../domain/bytes/hex.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { bytesList, bytesOf } from "../../../kernel/store/values.ts";

// What transfers take of a provider's quote, `provider_quotes.reserved`, is written here and nowhere else. A transfer is
// stored and its quote drawn on in one statement, so others put these parts into theirs.

/**
 * A statement that draws quotes for transfers; it violates a check where one has too little left.
 * @param transfers SQL of rows with `provider_quote`, which may be null, and `target_amount`
 */
export function drawing(transfers: string): string {
  return changing("+", transfers);
}

/** A statement that gives back what transfers took. @param transfers as for `drawing` */
export function givingBack(transfers: string): string {
  return changing("-", transfers);
}

/** The array has quotes looked up by their index: a join alone may read all there are. */
function changing(sign: "+" | "-", transfers: string): string {
  return `UPDATE provider_quotes q SET reserved = q.reserved ${sign} t.total
    FROM (SELECT provider_quote, sum(target_amount) AS total FROM ${transfers}
          WHERE provider_quote IS NOT NULL GROUP BY provider_quote) AS t
    WHERE q.id = t.provider_quote AND q.id = ANY (ARRAY(SELECT provider_quote FROM ${transfers}))`;
}

/**
 * Comes before transfers change that wait, where quotes change after them: who stores transfers takes their quotes first,
 * and the sums of what waits after them.
 */
export async function lockQuotes(tx: Queryable, ids: readonly Hex[]): Promise<void> {
  await tx.query("SELECT FROM provider_quotes WHERE id = ANY ($1::bytea[]) ORDER BY id FOR NO KEY UPDATE", [
    bytesList(ids),
  ]);
}

/**
 * Moves what transfers take from one quote to another.
 * @param amount target minor units
 * @returns false when the other has not enough left: the transaction must be given up
 */
export async function moveReservation(tx: Queryable, from: Hex, to: Hex, amount: bigint): Promise<boolean> {
  await tx.query("UPDATE provider_quotes SET reserved = reserved - $2 WHERE id = $1", [bytesOf(from), amount]);
  const drawn = await tx.query(
    "UPDATE provider_quotes SET reserved = reserved + $2 WHERE id = $1 AND reserved + $2 <= capacity RETURNING id",
    [bytesOf(to), amount],
  );
  return drawn.length > 0;
}
