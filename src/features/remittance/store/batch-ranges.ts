import type { Hex } from "../../../domain/bytes/hex.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { bytesOf } from "../../../kernel/store/values.ts";

// Which transfers a batch has is in `batch_ranges`, as ranges of their `seq`. Nothing else writes that table.

/** The transfers of batches, as rows of `t`, each with its batch as `r.batch`. */
export const BATCHED = "batch_ranges r JOIN transfers t ON t.seq BETWEEN r.first_seq AND r.last_seq";

/**
 * What a query joins to have the batch of a transfer `t` as `r.batch`, null where it is in none. The range that begins
 * next below is looked up, and no other: ranges do not overlap.
 */
export const ITS_BATCH = `LEFT JOIN LATERAL (
    SELECT nearest.batch FROM (
      SELECT batch, last_seq FROM batch_ranges WHERE first_seq <= t.seq ORDER BY first_seq DESC LIMIT 1) AS nearest
    WHERE nearest.last_seq >= t.seq) AS r ON true`;

/**
 * What a batch's transfers have in common, read from one of them.
 * @param column of `transfers` @param batch its id, as SQL
 */
export function ofAnyIn(column: string, batch: string): string {
  return `(SELECT t.${column} FROM batch_ranges r JOIN transfers t ON t.seq = r.first_seq WHERE r.batch = ${batch} LIMIT 1)`;
}

/**
 * A statement that puts transfers into the batch $1. Numbers that follow each other are one range.
 * @param transfers SQL of rows with `seq`
 */
export function ranging(transfers: string): string {
  return `INSERT INTO batch_ranges (first_seq, last_seq, batch)
    SELECT min(seq), max(seq), $1::bytea
    FROM (SELECT seq, seq - row_number() OVER (ORDER BY seq) AS run FROM ${transfers}) AS runs
    GROUP BY run ORDER BY 1`;
}

/**
 * Takes all but some transfers out of their batch.
 * @param staying their `seq`
 */
export async function leaveInBatch(tx: Queryable, batch: Hex, staying: readonly bigint[]): Promise<void> {
  await tx.query("DELETE FROM batch_ranges WHERE batch = $1", [bytesOf(batch)]);
  await tx.query(ranging("unnest($2::bigint[]) AS staying(seq)"), [bytesOf(batch), staying]);
}
