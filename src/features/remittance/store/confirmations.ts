import type { Hex } from "../../../domain/bytes/hex.ts";
import type { PartnerId } from "../../../domain/partner.ts";
import { DAYS_TO_END } from "../../../domain/success.ts";
import type { Transfer } from "../../../domain/transfer.ts";
import type { Uetr } from "../../../domain/uetr.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { runsOf } from "../../../kernel/store/runs.ts";
import { bytesOf, numberOf } from "../../../kernel/store/values.ts";
import { BATCHED } from "./batch-ranges.ts";
import { TRANSFER_COLUMNS, transferOf, type TransferRow } from "./batch-transfers.ts";
import { refundedLeaves } from "./ledger-projection.ts";

/** For a statement: when the customer of a transfer `t` was credited; null where that is not known. */
export const CREDITED_AT = `(SELECT CASE WHEN c.last_seq >= t.seq THEN c.credited_at END FROM confirmations c
  WHERE c.first_seq <= t.seq ORDER BY c.first_seq DESC LIMIT 1)`;

/**
 * What the ledger made of an own batch for a target: the leaves that it refunded, where it has settled; undefined where
 * it has not, as far as it has been read; null where there is no such batch. Until the end of the transaction nobody else
 * can confirm any of it.
 */
export async function settledOwnBatch(
  tx: Queryable,
  batch: Hex,
  target: PartnerId,
): Promise<ReadonlySet<Hex> | undefined | null> {
  const [row] = await tx.query<{ status: string | null; rejected: unknown }>(
    `SELECT l.status, l.rejected FROM batches b LEFT JOIN ledger_batches l ON l.id = b.id
     WHERE b.id = $1 AND b.target = $2 FOR NO KEY UPDATE OF b`,
    [bytesOf(batch), target],
  );
  if (row === undefined) return null;
  if (row.status !== "settled") return undefined;
  return refundedLeaves(row.rejected);
}

/** A transfer of an own batch, which its target may confirm. */
export interface ConfirmableTransfer extends Transfer {
  readonly seq: bigint;
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number;
  readonly isConfirmed: boolean;
}

/** The transfers of an own batch, in their order. */
export async function confirmableTransfers(tx: Queryable, batch: Hex): Promise<readonly ConfirmableTransfer[]> {
  const rows = await tx.query<TransferRow & { seq: bigint; accepted_at: bigint; confirmed: boolean }>(
    `SELECT ${TRANSFER_COLUMNS}, t.seq, t.accepted_at, ${CREDITED_AT} IS NOT NULL AS confirmed
     FROM ${BATCHED} WHERE r.batch = $1 ORDER BY t.seq`,
    [bytesOf(batch)],
  );
  return rows.map((row) => ({
    ...transferOf(row),
    seq: row.seq,
    acceptedAt: numberOf(row.accepted_at),
    isConfirmed: row.confirmed,
  }));
}

/** Writes that customers were credited. @param credits in the order of their numbers, of one batch */
export async function insertConfirmations(
  tx: Queryable,
  credits: readonly { readonly seq: bigint; readonly creditedAt: number }[],
): Promise<void> {
  const runs = runsOf(credits, (left, right) => left.creditedAt === right.creditedAt);
  await tx.query(
    `INSERT INTO confirmations (first_seq, last_seq, credited_at)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])`,
    [runs.map(({ first }) => first), runs.map(({ last }) => last), runs.map(({ row }) => BigInt(row.creditedAt))],
  );
}

/**
 * Counts customers of an own batch as credited, on the day on which it was opened, and those among them whom an earlier
 * attempt had not paid; see the migrations 0019 and 0024. Once that day's figures are fixed, they are left as they are.
 */
export async function countCredited(
  tx: Queryable,
  batch: Hex,
  credited: readonly Uetr[],
  nowMs: number,
): Promise<void> {
  if (credited.length === 0) return;
  await tx.query(
    `INSERT INTO order_sums AS s (day, target, outcome, reason, orders)
     SELECT (l.opened_time_s / 86400)::integer, l.target, c.outcome, '', c.orders
     FROM ledger_batches l, (
       SELECT 'credited' AS outcome, cardinality($2::uuid[])::bigint AS orders
       UNION ALL SELECT 'recovered', count(*) FROM retries r WHERE r.later = ANY ($2::uuid[])) AS c
     WHERE l.id = $1 AND $3::bigint / 86400000 <= l.opened_time_s / 86400 + $4::bigint AND c.orders > 0
     ORDER BY c.outcome
     ON CONFLICT (day, target, outcome, reason) DO UPDATE SET orders = s.orders + excluded.orders`,
    [bytesOf(batch), credited, BigInt(nowMs), BigInt(DAYS_TO_END)],
  );
}
