import type { Hex } from "../../../domain/bytes/hex.ts";
import { parseCurrency, type CurrencyCode } from "../../../domain/currency.ts";
import { parsePartnerId, type PartnerId } from "../../../domain/partner.ts";
import type { ReasonCode } from "../../../domain/reason.ts";
import type { Transfer } from "../../../domain/transfer.ts";
import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { givingBack, lockQuotes, moveReservation } from "../../pricing/store/reservations.ts";
import { bytesOf, hexOf, numberOf } from "../../../kernel/store/values.ts";
import { TRANSFER_COLUMNS, transferOf, type TransferRow } from "./batch-transfers.ts";

/** Accepted transfers that are in no batch yet and may go into one together. */
export interface WaitingGroup {
  readonly target: PartnerId;
  readonly sourceCurrency: CurrencyCode;
  readonly targetCurrency: CurrencyCode;
  /** The provider's quote that they were priced on; undefined where both currencies are the same. */
  readonly quote: Hex | undefined;
  /** Up to the number that was asked for. */
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly oldestAcceptedAt: number;
}

/** How many there are. */
export async function countWaiting(db: Queryable): Promise<number> {
  const [row] = await db.query<{ transfers: bigint }>(
    "SELECT coalesce(sum(transfers), 0)::bigint AS transfers FROM waiting_sums",
  );
  return numberOf(row?.transfers ?? 0n);
}

/**
 * A statement that has transfers wait for a batch.
 * @param transfers SQL of rows of `transfers`
 */
export function queueing(transfers: string): string {
  return `INSERT INTO waiting (seq, target, source_currency, target_currency, provider_quote, source_minor, target_minor)
    SELECT seq, target, source_currency, target_currency, provider_quote, source_amount + fee, target_amount
    FROM ${transfers}`;
}

/**
 * As the index of the groups has `seq`, and no other index: in the order of `seq` itself PostgreSQL may go through all
 * groups for one of them.
 */
const WAITING_SEQ = "(seq + 0)";
const WAITING_ORDER = `provider_quote, ${WAITING_SEQ}`;
const GROUP = "target, source_currency, target_currency, provider_quote, seq";
const SAME_CORRIDOR = `w.target = g.target AND w.source_currency = g.source_currency
  AND w.target_currency = g.target_currency`;

/**
 * All groups, the one that has waited longest first. From each the index is gone into for the next, so that it does not
 * matter how many transfers there are.
 * @param most a batch takes no more: so many are counted
 */
export async function waitingGroups(db: Queryable, most: number): Promise<readonly WaitingGroup[]> {
  const rows = await db.query<{
    target: number;
    source_currency: string;
    target_currency: string;
    provider_quote: Uint8Array | null;
    count: number;
    oldest: bigint;
  }>(
    `WITH RECURSIVE groups AS (
       (SELECT ${GROUP} FROM waiting ORDER BY target, source_currency, target_currency, ${WAITING_ORDER} LIMIT 1)
       UNION ALL
       SELECT n.target, n.source_currency, n.target_currency, n.provider_quote, n.seq
       FROM groups g CROSS JOIN LATERAL (
         (SELECT 1 AS place, ${GROUP} FROM waiting w WHERE ${SAME_CORRIDOR} AND w.provider_quote > g.provider_quote
          ORDER BY ${WAITING_ORDER} LIMIT 1)
         UNION ALL
         (SELECT 2, ${GROUP} FROM waiting w
          WHERE ${SAME_CORRIDOR} AND w.provider_quote IS NULL AND g.provider_quote IS NOT NULL
          ORDER BY ${WAITING_ORDER} LIMIT 1)
         UNION ALL
         (SELECT 3, ${GROUP} FROM waiting w
          WHERE (w.target, w.source_currency, w.target_currency) > (g.target, g.source_currency, g.target_currency)
          ORDER BY target, source_currency, target_currency, ${WAITING_ORDER} LIMIT 1)
         ORDER BY place LIMIT 1) AS n)
     SELECT g.target, g.source_currency, g.target_currency, g.provider_quote,
       (SELECT t.accepted_at FROM transfers t WHERE t.seq = g.seq) AS oldest,
       (CASE WHEN provider_quote IS NULL
         THEN (SELECT count(*) FROM (SELECT FROM waiting w WHERE ${SAME_CORRIDOR} AND w.provider_quote IS NULL
           ORDER BY ${WAITING_ORDER} LIMIT $1) AS counted)
         ELSE (SELECT count(*) FROM (SELECT FROM waiting w WHERE ${SAME_CORRIDOR}
           AND w.provider_quote = g.provider_quote
           ORDER BY ${WAITING_ORDER} LIMIT $1) AS counted) END)::integer AS count
     FROM groups g ORDER BY g.seq`,
    [most],
  );
  return rows.map((row) => ({
    target: parsePartnerId(row.target),
    sourceCurrency: parseCurrency(row.source_currency).code,
    targetCurrency: parseCurrency(row.target_currency).code,
    quote: row.provider_quote === null ? undefined : hexOf(row.provider_quote),
    count: row.count,
    oldestAcceptedAt: numberOf(row.oldest),
  }));
}

export interface WaitingTransfer extends Transfer {
  readonly seq: bigint;
  readonly ifUnfunded: "wait" | "fail";
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The transfers of a group that come after one, in the order of their acceptance. */
export async function waitingTransfers(
  db: Queryable,
  { target, sourceCurrency, targetCurrency, quote }: WaitingGroup,
  afterSeq: bigint,
  limit: number,
): Promise<readonly WaitingTransfer[]> {
  const rows = await db.query<
    TransferRow & { readonly seq: bigint; readonly if_unfunded: "wait" | "fail"; readonly expires_at: bigint }
  >(
    `SELECT ${TRANSFER_COLUMNS}, seq, if_unfunded, expires_at FROM transfers
     WHERE seq = ANY (ARRAY(
       SELECT seq FROM waiting WHERE target = $1 AND source_currency = $2 AND target_currency = $3
         AND ${quote === undefined ? "provider_quote IS NULL" : "provider_quote = $6"} AND ${WAITING_SEQ} > $4
       ORDER BY ${WAITING_ORDER} LIMIT $5))
     ORDER BY seq`,
    [target, sourceCurrency, targetCurrency, afterSeq, limit, ...(quote === undefined ? [] : [bytesOf(quote)])],
  );
  return rows.map((row) => ({
    ...transferOf(row),
    seq: row.seq,
    ifUnfunded: row.if_unfunded,
    expiresAt: numberOf(row.expires_at),
  }));
}

/**
 * Ends waiting transfers, and gives back what they reserved of providers' quotes.
 * @returns those that were still waiting
 */
export async function failWaiting(
  tx: Queryable,
  transfers: readonly Uetr[],
  reason: ReasonCode,
  nowMs: number,
): Promise<readonly Uetr[]> {
  const rows = await tx.query<{ uetr: string }>(
    `WITH gone AS (
       DELETE FROM waiting WHERE seq = ANY (ARRAY(SELECT seq FROM transfers WHERE uetr = ANY ($1::uuid[])))
       RETURNING seq
     ), failed AS (
       UPDATE transfers SET ended = 'failed', ended_reason = $2, ended_at = $3
       WHERE seq = ANY (ARRAY(SELECT seq FROM gone))
       RETURNING seq, uetr, provider_quote, target_amount
     ), freed AS (
       ${givingBack("failed")}
     )
     SELECT uetr FROM failed ORDER BY seq`,
    [transfers, reason, nowMs],
  );
  return rows.map(({ uetr }) => parseUetr(uetr));
}

/**
 * Moves waiting transfers to another quote, with what they reserve. Their amounts stay as they were promised.
 * @param transfers their `seq`
 * @returns false when one of them waits no longer, or the other quote has not enough left: the transaction must be given
 * up
 */
export async function moveToQuote(tx: Queryable, transfers: readonly bigint[], from: Hex, to: Hex): Promise<boolean> {
  // Them, their quotes, the sums: in this order as everybody else, so that nobody waits for who waits.
  await tx.query("SELECT FROM waiting WHERE seq = ANY ($1::bigint[]) ORDER BY seq FOR NO KEY UPDATE", [transfers]);
  await lockQuotes(tx, [from, to]);
  const [moved] = await tx.query<{ transfers: number; total: bigint }>(
    `WITH moved AS (
       UPDATE waiting SET provider_quote = $3 WHERE provider_quote = $2 AND seq = ANY ($1::bigint[])
       RETURNING seq, target_minor
     ), noted AS (
       UPDATE transfers SET provider_quote = $3 WHERE seq = ANY (ARRAY(SELECT seq FROM moved))
     ) SELECT count(*)::integer AS transfers, coalesce(sum(target_minor), 0) AS total FROM moved`,
    [transfers, bytesOf(from), bytesOf(to)],
  );
  if (moved?.transfers !== transfers.length) return false;
  return moveReservation(tx, from, to, moved.total);
}
