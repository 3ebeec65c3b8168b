import type { BatchHeader } from "../../../domain/batch.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import type { CurrencyCode } from "../../../domain/currency.ts";
import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { eventsAbout } from "../../../kernel/store/events.ts";
import { bytesList, bytesOf, hexOf, NEVER, numberOf, recordset, turnOf } from "../../../kernel/store/values.ts";
import { refundedLeaves, storedHeader } from "./ledger-projection.ts";

/** A settled batch with credits that are due to be posted. */
export interface CreditableBatch {
  readonly id: Hex;
  readonly header: BatchHeader;
  /** Leaves that the ledger has refunded: what is due must not be among them. */
  readonly rejected: ReadonlySet<Hex>;
  /** Block time: nobody was credited before. Milliseconds since the epoch. */
  readonly openedAtMs: number;
}

/** Those that are due: with new credits, the oldest first, in turns with those where all have failed before. */
export async function batchesToCredit(
  db: Queryable,
  nowMs: number,
  limit: number,
): Promise<readonly CreditableBatch[]> {
  const rows = await db.query<{ id: Uint8Array; header: unknown; rejected: unknown; opened_time_s: bigint }>(
    `SELECT id, header, rejected, opened_time_s FROM (
       SELECT l.id, l.header, l.rejected, l.opened_time_s, c.failed,
         ${turnOf("c.failed", "c.due, l.final_block, l.id")}
       FROM decisions d JOIN ledger_batches l ON l.id = d.batch AND l.status = 'settled'
         -- The first that is due; new ones come before what has failed.
         CROSS JOIN LATERAL (
           SELECT next_attempt_at AS due, attempts AS failed FROM credits
           WHERE batch = d.batch AND credited_at IS NULL AND next_attempt_at <= $1
           ORDER BY next_attempt_at LIMIT 1) AS c
       WHERE d.confirmed_at IS NULL) AS due
     ORDER BY turn, failed, id LIMIT $2`,
    [nowMs, limit],
  );
  return rows.map(({ id, header, rejected, opened_time_s }) => ({
    id: hexOf(id),
    header: storedHeader(header),
    rejected: refundedLeaves(rejected),
    openedAtMs: numberOf(opened_time_s) * 1_000,
  }));
}

/** A credit that is due, with how often posting it has failed. */
export interface DueCredit {
  readonly uetr: Uetr;
  readonly attempts: number;
}

export async function dueCreditsOf(db: Queryable, batch: Hex, nowMs: number): Promise<readonly DueCredit[]> {
  const rows = await db.query<{ uetr: string; attempts: number }>(
    `SELECT uetr, attempts FROM credits
     WHERE batch = $1 AND credited_at IS NULL AND next_attempt_at <= $2 ORDER BY next_attempt_at, uetr`,
    [bytesOf(batch), nowMs],
  );
  return rows.map(({ uetr, attempts }) => ({ uetr: parseUetr(uetr), attempts }));
}

/** A credit that the wallet has posted. */
export interface Posting {
  readonly uetr: Uetr;
  readonly reference: string;
  /** Milliseconds since the epoch. */
  readonly creditedAt: number;
  /** The request that it pays, where it pays one. */
  readonly request?: string | undefined;
}

/** @returns those that were not written before, with their amounts in minor units */
export async function recordPostings(
  tx: Queryable,
  postings: readonly Posting[],
): Promise<ReadonlyMap<Uetr, { readonly amount: bigint; readonly currency: CurrencyCode }>> {
  if (postings.length === 0) return new Map();
  const rows = await tx.query<{ uetr: string; amount: bigint; currency: CurrencyCode }>(
    `UPDATE credits c SET credited_at = p.at, reference = p.reference, last_error = NULL
     FROM jsonb_to_recordset($1::jsonb) AS p(uetr uuid, at bigint, reference text)
     WHERE c.uetr = p.uetr AND c.credited_at IS NULL RETURNING c.uetr, c.amount, c.currency`,
    [recordset(postings.map(({ uetr, creditedAt, reference }) => ({ uetr, at: creditedAt, reference })))],
  );
  return new Map(rows.map(({ uetr, amount, currency }) => [parseUetr(uetr), { amount, currency }]));
}

export interface FailedCredit {
  readonly uetr: Uetr;
  /** A code, or what happened: nothing personal. */
  readonly error: string;
  /** Milliseconds since the epoch; undefined for never. */
  readonly dueAt: number | undefined;
}

export async function recordFailures(tx: Queryable, failures: readonly FailedCredit[]): Promise<void> {
  if (failures.length === 0) return;
  await tx.query(
    `UPDATE credits c SET attempts = attempts + 1, last_error = f.error,
       next_attempt_at = coalesce(f.due, ${NEVER})
     FROM jsonb_to_recordset($1::jsonb) AS f(uetr uuid, error text, due bigint)
     WHERE c.uetr = f.uetr AND c.credited_at IS NULL`,
    [recordset(failures.map(({ uetr, error, dueAt }) => ({ uetr, error, due: dueAt })))],
  );
}

/** Credits that have been told of as stuck: those of the UETRs, and others of the batches. */
export async function toldAsStuck(
  tx: Queryable,
  batches: readonly Hex[],
  uetrs: readonly Uetr[],
): Promise<ReadonlySet<Uetr>> {
  if (uetrs.length === 0) return new Set();
  const rows = await tx.query<{ uetr: string }>(
    `SELECT a.uetr FROM ${eventsAbout("$1::uuid[]", "$2::bytea[]")} AS a WHERE a.type = 'credit.stuck'`,
    [uetrs, bytesList(batches)],
  );
  return new Set(rows.map(({ uetr }) => parseUetr(uetr)));
}

/** Posted by then as a rule: from the settlement on. */
const STUCK_AFTER_SECONDS = 60;
/** More are not counted: a wallet that is away for hours must not have all of them read again and again. */
const MOST_COUNTED = 1_000;

/**
 * Credits of settled batches that have failed, for whatever reason, or that have had no result for a while: whatever
 * keeps the step that credits from its work, customers wait for their money. Counted up to a thousand.
 */
export async function countStuckCredits(db: Queryable, nowMs: number): Promise<number> {
  const [row] = await db.query<{ stuck: number }>(
    `SELECT count(*)::integer AS stuck FROM (
       SELECT FROM decisions d JOIN ledger_batches l ON l.id = d.batch AND l.status = 'settled'
         CROSS JOIN LATERAL (
           SELECT FROM credits c WHERE c.batch = d.batch AND c.credited_at IS NULL
             AND (c.attempts > 0 OR l.final_time_s < $1)
           ORDER BY c.next_attempt_at LIMIT ${MOST_COUNTED}) AS c
       WHERE d.confirmed_at IS NULL LIMIT ${MOST_COUNTED}) AS stuck`,
    [Math.floor(nowMs / 1_000) - STUCK_AFTER_SECONDS],
  );
  return row?.stuck ?? 0;
}
