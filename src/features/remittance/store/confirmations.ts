import type { Hex } from "../../../domain/bytes/hex.ts";
import type { PartnerId } from "../../../domain/partner.ts";
import { DAYS_TO_END } from "../../../domain/success.ts";
import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { bytesOf, recordset } from "../../../kernel/store/values.ts";
import { BATCHED } from "./batch-ranges.ts";
import { refundedLeaves } from "./ledger-projection.ts";

/**
 * What the ledger made of an own batch for a target: the leaves that it refunded, where it has settled; undefined where
 * it has not, as far as it has been read; null where there is no such batch.
 */
export async function settledOwnBatch(
  db: Queryable,
  batch: Hex,
  target: PartnerId,
): Promise<ReadonlySet<Hex> | undefined | null> {
  const [row] = await db.query<{ status: string | null; rejected: unknown }>(
    `SELECT l.status, l.rejected FROM batches b LEFT JOIN ledger_batches l ON l.id = b.id
     WHERE b.id = $1 AND b.target = $2`,
    [bytesOf(batch), target],
  );
  if (row === undefined) return null;
  if (row.status !== "settled") return undefined;
  return refundedLeaves(row.rejected);
}

/**
 * Writes that customers were credited; what was written before stays.
 * @returns those that are new, with when their transfers had been accepted
 */
export async function insertConfirmations(
  tx: Queryable,
  credits: readonly { readonly uetr: Uetr; readonly creditedAt: number }[],
): Promise<ReadonlySet<Uetr>> {
  const rows = await tx.query<{ uetr: string }>(
    `INSERT INTO confirmations (uetr, credited_at)
     SELECT c.uetr, c.at FROM jsonb_to_recordset($1::jsonb) AS c(uetr uuid, at bigint) ORDER BY c.uetr
     ON CONFLICT (uetr) DO NOTHING RETURNING uetr`,
    [recordset(credits.map(({ uetr, creditedAt }) => ({ uetr, at: creditedAt })))],
  );
  return new Set(rows.map(({ uetr }) => parseUetr(uetr)));
}

/**
 * Counts customers of an own batch as credited, on the day on which it was opened; see the migration 0019. Once that day's
 * figures are fixed, they are left as they are.
 */
export async function countCredited(tx: Queryable, batch: Hex, credited: number, nowMs: number): Promise<void> {
  if (credited === 0) return;
  await tx.query(
    `INSERT INTO order_sums AS s (day, target, outcome, reason, orders)
     SELECT (opened_time_s / 86400)::integer, target, 'credited', '', $2
     FROM ledger_batches WHERE id = $1 AND $3::bigint / 86400000 <= opened_time_s / 86400 + $4::bigint
     ON CONFLICT (day, target, outcome, reason) DO UPDATE SET orders = s.orders + excluded.orders`,
    [bytesOf(batch), BigInt(credited), BigInt(nowMs), BigInt(DAYS_TO_END)],
  );
}

/** When the transfers of an own batch were accepted. Milliseconds since the epoch. */
export async function acceptanceTimes(db: Queryable, batch: Hex): Promise<ReadonlyMap<Uetr, number>> {
  const rows = await db.query<{ uetr: string; accepted_at: bigint }>(
    `SELECT t.uetr, t.accepted_at FROM ${BATCHED} WHERE r.batch = $1`,
    [bytesOf(batch)],
  );
  return new Map(rows.map(({ uetr, accepted_at }) => [parseUetr(uetr), Number.parseInt(String(accepted_at), 10)]));
}
