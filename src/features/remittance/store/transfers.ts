import type { Hex } from "../../../domain/bytes/hex.ts";
import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import type { LedgerStatus, PublishedRejection } from "../../../domain/lifecycle.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { promiseOf, type PricePromise, type PromiseRow } from "../../pricing/promise.ts";
import { drawing, givingBack } from "../../pricing/store/reservations.ts";
import { codeOf } from "../../../kernel/store/faults.ts";
import { bytesOf, hexDigits, hexOf, numberOf } from "../../../kernel/store/values.ts";
import { ITS_BATCH, ofAnyIn } from "./batch-ranges.ts";
import { CREDITED_AT } from "./confirmations.ts";
import type { LedgerPlace } from "./ledger-projection.ts";
import { isTriedAgain, retriesIn, retryParameters, retrying } from "./retries.ts";
import { queueing } from "./waiting-transfers.ts";

/** What was promised for a transfer when it was accepted, and never changes. Milliseconds. */
export interface AcceptedTransfer extends PricePromise {
  readonly uetr: Uetr;
  /** Tells the content of its request from any other. */
  readonly contentMac: Uint8Array;
  readonly acceptedAt: number;
  readonly expiresAt: number;
}

export interface NewTransfer extends AcceptedTransfer {
  /** Undefined where both currencies are the same. */
  readonly providerQuote: Hex | undefined;
  readonly sealed: Uint8Array;
  readonly detailsHash: Hex;
  readonly ifUnfunded: "wait" | "fail";
  /** The attempt before it, of the same order. */
  readonly retryOf?: Uetr | undefined;
}

/** In the order of the statement's parameters. */
const COLUMNS = [
  "uetr",
  "mac",
  "target",
  "source",
  "destination",
  "amount",
  "receive",
  "fee",
  "quote",
  "sealed",
  "details",
  "unfunded",
  "at",
  "until",
] as const;

/** Error code of PostgreSQL: a CHECK does not hold. */
const CHECK_VIOLATION = "23514";

/**
 * Stores transfers and takes what they need of their providers' quotes, all or nothing, in one statement. A UETR that is
 * there already is left as it is, and what was refused is left out.
 * @returns the UETRs that were stored; or that nothing was: "used up" when a quote has less left than is taken, "tried
 * again" when one is a retry of what has another by now
 */
export async function insertTransfers(
  db: Queryable,
  transfers: readonly NewTransfer[],
): Promise<ReadonlySet<Uetr> | "used up" | "tried again"> {
  // In one order everywhere, so that two who store the same do not wait for each other.
  const rows = transfers.toSorted((left, right) => (left.uetr < right.uetr ? -1 : 1)).map(toRow);
  // As a column each: PostgreSQL takes three times as long for the same as JSON.
  const columns = COLUMNS.map((column) => rows.map((row) => row[column]));
  const retries = retriesIn(transfers);
  const isRetrying = retries.length > 0;
  try {
    const stored = await db.query<{ uetr: string }>(
      `WITH stored AS (
         INSERT INTO transfers (uetr, content_mac, target, source_currency, target_currency, source_amount,
           target_amount, fee, provider_quote, sealed, details_hash, if_unfunded, accepted_at, expires_at)
         SELECT t.uetr, decode(t.mac, 'base64'), t.target, t.source, t.destination, t.amount, t.receive, t.fee,
           decode(nullif(t.quote, ''), 'hex'), decode(t.sealed, 'base64'), decode(t.details, 'hex'), t.unfunded, t.at,
           t.until
         FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::numeric[], $7::numeric[],
           $8::numeric[], $9::text[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[])
           AS t(uetr, mac, target, source, destination, amount, receive, fee, quote, sealed, details, unfunded, at, until)
         WHERE t.uetr NOT IN (SELECT refused_among($1::uuid[]))
         ON CONFLICT (uetr) DO NOTHING
         RETURNING seq, uetr, target, source_currency, target_currency, source_amount, target_amount, fee,
           provider_quote, accepted_at AS at
       ), queued AS (
         ${queueing("stored")}
       ), taken AS (
         ${drawing("stored")}
       )${isRetrying ? `, retried AS (${retrying("stored", 15)})` : ""}
       SELECT uetr FROM stored`,
      isRetrying ? [...columns, ...retryParameters(retries)] : columns,
    );
    return new Set(stored.map(({ uetr }) => parseUetr(uetr)));
  } catch (failure) {
    // Of the checks, only that a quote's capacity is not exceeded depends on what others store.
    if (codeOf(failure) === CHECK_VIOLATION) return "used up";
    if (isTriedAgain(failure)) return "tried again";
    throw failure;
  }
}

interface AcceptedRow extends PromiseRow {
  readonly uetr: string;
  readonly accepted_at: bigint;
  readonly expires_at: bigint;
}

/** What was accepted under these UETRs. */
export async function findAccepted(
  db: Queryable,
  uetrs: readonly Uetr[],
): Promise<ReadonlyMap<Uetr, AcceptedTransfer>> {
  const rows = await db.query<AcceptedRow & { readonly content_mac: Uint8Array }>(
    `SELECT uetr, content_mac, target, source_currency, target_currency, source_amount, target_amount, fee, accepted_at,
       expires_at
     FROM transfers WHERE uetr = ANY ($1::uuid[])`,
    [uetrs],
  );
  return new Map(
    rows.map((row) => {
      const accepted = acceptedOf(row);
      return [accepted.uetr, { ...accepted, contentMac: row.content_mac }];
    }),
  );
}

function acceptedOf(row: AcceptedRow): Omit<AcceptedTransfer, "contentMac"> {
  return {
    ...promiseOf(row),
    uetr: parseUetr(row.uetr),
    acceptedAt: numberOf(row.accepted_at),
    expiresAt: numberOf(row.expires_at),
  };
}

/** A transfer with everything that tells where it stands. */
export interface TransferRecord extends Omit<AcceptedTransfer, "contentMac"> {
  readonly detailsHash: Hex;
  readonly ended:
    { readonly how: "cancelled" | "failed"; readonly reason: string | undefined; readonly at: number } | undefined;
  /** A signed one: its target may be asked about one before. */
  readonly batch: { readonly id: Hex; readonly signedAt: number; readonly voidedAt: number | undefined } | undefined;
  readonly ledger: LedgerPart | undefined;
  readonly creditedAt: number | undefined;
  /** Money that it and all others take of their currency that are in no batch yet; 0 for one that does not wait. */
  readonly queued: bigint;
  /** Money that is free for them, in minor units; undefined where the ledger has not been read. */
  readonly free: bigint | undefined;
}

/** Where a batch stands on the ledger. Times in seconds of block time. */
export interface LedgerPart {
  readonly status: LedgerStatus;
  readonly rejected: readonly PublishedRejection[];
  readonly opened: LedgerPoint;
  readonly final: LedgerPoint | undefined;
}

export type LedgerPoint = Omit<LedgerPlace, "logIndex">;

interface StatusRow extends AcceptedRow {
  readonly details_hash: Uint8Array;
  readonly ended: "cancelled" | "failed" | null;
  readonly ended_reason: string | null;
  readonly ended_at: bigint | null;
  readonly batch: Uint8Array | null;
  readonly signed_at: bigint;
  readonly voided_at: bigint | null;
  readonly status: LedgerPart["status"] | null;
  readonly rejected: LedgerPart["rejected"];
  readonly opened_time_s: bigint;
  readonly opened_block: bigint;
  readonly opened_transaction: Uint8Array;
  readonly final_time_s: bigint | null;
  readonly final_block: bigint | null;
  readonly final_transaction: Uint8Array | null;
  readonly credited_at: bigint | null;
  readonly queued: bigint;
  readonly free: bigint | null;
}

/** @param treasury where what waits takes its money from, once it is in a batch */
export async function findTransfer(db: Queryable, treasury: Hex, uetr: Uetr): Promise<TransferRecord | undefined> {
  return (await findTransfers(db, treasury, [uetr])).get(uetr);
}

/** Those that there are. */
export async function findTransfers(
  db: Queryable,
  treasury: Hex,
  uetrs: readonly Uetr[],
): Promise<ReadonlyMap<Uetr, TransferRecord>> {
  if (uetrs.length === 0) return new Map();
  const rows = await db.query<StatusRow>(
    `SELECT t.uetr, t.target, t.source_currency, t.target_currency, t.source_amount, t.target_amount,
       t.fee, t.accepted_at, t.expires_at, t.details_hash, t.ended, t.ended_reason, t.ended_at, b.id AS batch, b.signed_at,
       b.voided_at, l.status, l.rejected, l.opened_time_s, l.opened_block, l.opened_transaction, l.final_time_s,
       l.final_block, l.final_transaction, ${CREDITED_AT} AS credited_at,
       CASE WHEN r.batch IS NULL AND t.ended IS NULL THEN
         (SELECT sum(w.source_minor) FROM waiting_sums w WHERE w.source_currency = t.source_currency) ELSE 0 END
         AS queued,
       CASE WHEN r.batch IS NULL AND t.ended IS NULL THEN
         (SELECT available FROM balances WHERE treasury = $2 AND currency = t.source_currency) -
         (SELECT coalesce(sum((s.header->>'sourceTotal')::numeric + (s.header->>'fee')::numeric), 0) FROM batches s
          WHERE ${ofAnyIn("source_currency", "s.id")} = t.source_currency
            AND s.voided_at IS NULL AND NOT s.on_ledger) END AS free
     FROM transfers t ${ITS_BATCH}
       LEFT JOIN batches b ON b.id = r.batch AND b.send_signature IS NOT NULL LEFT JOIN ledger_batches l ON l.id = r.batch
     WHERE t.uetr = ANY ($1::uuid[])`,
    [uetrs, bytesOf(treasury)],
  );
  return new Map(
    rows.map((row) => {
      const record = recordOf(row);
      return [record.uetr, record];
    }),
  );
}

function recordOf(row: StatusRow): TransferRecord {
  return {
    ...acceptedOf(row),
    detailsHash: hexOf(row.details_hash),
    ended:
      row.ended === null || row.ended_at === null
        ? undefined
        : { how: row.ended, reason: row.ended_reason ?? undefined, at: numberOf(row.ended_at) },
    batch:
      row.batch === null
        ? undefined
        : {
            id: hexOf(row.batch),
            signedAt: numberOf(row.signed_at),
            voidedAt: row.voided_at === null ? undefined : numberOf(row.voided_at),
          },
    ledger: row.status === null ? undefined : ledgerPartOf(row, row.status),
    creditedAt: row.credited_at === null ? undefined : numberOf(row.credited_at),
    queued: row.queued,
    free: row.free ?? undefined,
  };
}

function ledgerPartOf(row: StatusRow, status: LedgerPart["status"]): LedgerPart {
  return {
    status,
    rejected: row.rejected,
    opened: {
      timeSeconds: numberOf(row.opened_time_s),
      block: numberOf(row.opened_block),
      transaction: hexOf(row.opened_transaction),
    },
    final:
      row.final_time_s === null || row.final_block === null || row.final_transaction === null
        ? undefined
        : {
            timeSeconds: numberOf(row.final_time_s),
            block: numberOf(row.final_block),
            transaction: hexOf(row.final_transaction),
          },
  };
}

/**
 * Ends a transfer that waits for a batch, and gives back what it reserved of a provider's quote.
 * @returns whether it was so
 */
export async function cancelTransfer(tx: Queryable, uetr: Uetr, nowMs: number): Promise<boolean> {
  const rows = await tx.query(
    `WITH gone AS (
       DELETE FROM waiting WHERE seq = (SELECT seq FROM transfers WHERE uetr = $1::uuid) RETURNING seq
     ), ended AS (
       UPDATE transfers SET ended = 'cancelled', ended_at = $2
       WHERE seq = (SELECT seq FROM gone)
       RETURNING provider_quote, target_amount
     ), freed AS (
       ${givingBack("ended")}
     )
     SELECT 1 AS one FROM ended`,
    [uetr, nowMs],
  );
  return rows.length > 0;
}

type Column = (typeof COLUMNS)[number];

/** A row's values, as text for its columns; an empty one stands for no quote. */
function toRow(transfer: NewTransfer): Readonly<Record<Column, string>> {
  return {
    uetr: transfer.uetr,
    mac: Buffer.from(transfer.contentMac).toString("base64"),
    target: String(transfer.target),
    source: transfer.sourceCurrency,
    destination: transfer.targetCurrency,
    amount: String(transfer.sourceAmount),
    receive: String(transfer.targetAmount),
    fee: String(transfer.fee),
    quote: transfer.providerQuote === undefined ? "" : hexDigits(transfer.providerQuote),
    sealed: Buffer.from(transfer.sealed).toString("base64"),
    details: hexDigits(transfer.detailsHash),
    unfunded: transfer.ifUnfunded,
    at: String(transfer.acceptedAt),
    until: String(transfer.expiresAt),
  };
}
