import type { Hex } from "../../../domain/bytes/hex.ts";
import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import type { Transfer } from "../../../domain/transfer.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { eventsAbout, eventsFrom } from "../../../kernel/store/events.ts";
import type { LedgerStatus, PublishedRejection } from "../../../domain/lifecycle.ts";
import { bytesList, bytesOf, hexOf, numberOf } from "../../../kernel/store/values.ts";
import type { Cursor } from "../../../ledger/events.ts";
import { ITS_BATCH } from "./batch-ranges.ts";
import { TRANSFER_COLUMNS, transferOf, type TransferRow } from "./batch-transfers.ts";
import { CREDITED_AT } from "./confirmations.ts";
import { registryOf } from "./registries.ts";

// The store's rows as a reconciliation goes through them: a batch or a page at a time, so that it takes no more memory
// for a long history than for a short one. Nothing that may have been tampered with is parsed here.

/** A batch as it stands in `ledger_batches`. */
export interface ProjectedBatch {
  /** Undefined for the ledger's first. */
  readonly registry: Hex | undefined;
  readonly source: number;
  readonly target: number;
  /** JSON, as stored. */
  readonly header: unknown;
  readonly expiresAt: number;
  readonly opened: Cursor;
  readonly status: LedgerStatus;
  /** JSON, as stored. */
  readonly rejected: unknown;
  /** Undefined while it is open. */
  readonly final: Cursor | undefined;
}

/** Those of the batches that are known. */
export async function projectedBatches(db: Queryable, ids: readonly Hex[]): Promise<ReadonlyMap<Hex, ProjectedBatch>> {
  if (ids.length === 0) return new Map();
  const rows = await db.query<{
    id: Uint8Array;
    registry: Uint8Array | null;
    source: number;
    target: number;
    header: unknown;
    expires_at_s: bigint;
    status: ProjectedBatch["status"];
    rejected: unknown;
    opened_block: bigint;
    opened_log: number;
    final_block: bigint | null;
    final_log: number | null;
  }>(
    `SELECT id, registry, source, target, header, expires_at_s, status, rejected, opened_block, opened_log, final_block,
       final_log
     FROM ledger_batches
     WHERE id = ANY ($1::bytea[])`,
    [bytesList(ids)],
  );
  return new Map(
    rows.map((row) => [
      hexOf(row.id),
      {
        registry: registryOf(row.registry),
        source: row.source,
        target: row.target,
        header: row.header,
        expiresAt: numberOf(row.expires_at_s),
        opened: { block: numberOf(row.opened_block), logIndex: row.opened_log },
        status: row.status,
        rejected: row.rejected,
        final:
          row.final_block === null || row.final_log === null
            ? undefined
            : { block: numberOf(row.final_block), logIndex: row.final_log },
      },
    ]),
  );
}

/** The header that was signed for an own batch, as JSON; undefined where there is no such batch. */
export async function signedHeader(db: Queryable, batch: Hex): Promise<{ readonly header: unknown } | undefined> {
  const [row] = await db.query<{ header: unknown }>("SELECT header FROM batches WHERE id = $1", [bytesOf(batch)]);
  return row;
}

/** What this relay promised for a batch as its target. */
export interface Promised {
  /** UETRs of transfers that it rejected; undefined where it has decided nothing. */
  readonly rejected: ReadonlySet<string> | undefined;
  /** What was received for it, sealed; null once erased. */
  readonly payload: Uint8Array | null;
  readonly credits: ReadonlyMap<Uetr, PromisedCredit>;
}

export interface PromisedCredit {
  readonly source: number;
  readonly amount: bigint;
  readonly currency: string;
}

export async function promisedFor(db: Queryable, batch: Hex): Promise<Promised> {
  const [row] = await db.query<{ rejected: readonly string[] | null; sealed: Uint8Array | null }>(
    `SELECT (SELECT array_agg(r->>'uetr') FROM jsonb_array_elements(d.rejections) AS r) AS rejected, p.sealed
     FROM decisions d JOIN payloads p ON p.batch = d.batch WHERE d.batch = $1`,
    [bytesOf(batch)],
  );
  const credits = await db.query<{ uetr: string } & PromisedCredit>(
    "SELECT uetr, source, amount, currency FROM credits WHERE batch = $1",
    [bytesOf(batch)],
  );
  return {
    rejected: row === undefined ? undefined : new Set(row.rejected),
    payload: row?.sealed ?? null,
    credits: new Map(credits.map(({ uetr, ...credit }) => [parseUetr(uetr), credit])),
  };
}

/** An own transfer with what its rows say of it, and what its events have told. */
export interface ToldTransfer extends Transfer {
  readonly seq: bigint;
  readonly batch: Hex | undefined;
  readonly ended: "cancelled" | "failed" | undefined;
  /** It waits for a batch; `astray` where that is as another transfer than it is. */
  readonly waits: boolean | "astray";
  readonly isVoid: boolean;
  /** Of its batch; undefined where that is not on the ledger. */
  readonly status: LedgerStatus | undefined;
  /** Whether some of its batch were rejected: see `rejectionsOf`. */
  readonly hasRejected: boolean;
  readonly isConfirmed: boolean;
  /** How often it was given another batch. */
  readonly requeued: number;
  /** How many events of which type there are about it. */
  readonly told: Readonly<Record<string, number>>;
}

/** Own transfers after one, each page as of one moment. */
export async function toldTransfers(db: Queryable, after: bigint, limit: number): Promise<readonly ToldTransfer[]> {
  const rows = await db.query<
    TransferRow & {
      seq: bigint;
      batch: Uint8Array | null;
      ended: "cancelled" | "failed" | null;
      waits: boolean;
      astray: boolean;
      void: boolean;
      status: LedgerStatus | null;
      has_rejected: boolean;
      confirmed: boolean;
      requeued: number;
      told: Readonly<Record<string, number>>;
    }
  >(
    `WITH page AS MATERIALIZED (
       SELECT t.*, r.batch FROM (SELECT * FROM transfers WHERE seq > $1 ORDER BY seq LIMIT $2) AS t ${ITS_BATCH}),
     told AS (
       SELECT about, jsonb_object_agg(type, events) AS counts FROM (
         SELECT a.uetr AS about, a.type, count(*)::integer AS events
         FROM ${eventsAbout("ARRAY(SELECT uetr FROM page)", "ARRAY(SELECT DISTINCT batch FROM page)")} AS a
         WHERE a.type LIKE 'transfer.%' GROUP BY a.uetr, a.type) AS of_type
       GROUP BY about)
     SELECT ${TRANSFER_COLUMNS}, t.seq, t.batch, t.ended, t.requeued, b.voided_at IS NOT NULL AS void, l.status,
       w.seq IS NOT NULL AS waits,
       (w.target, w.source_currency, w.target_currency, w.provider_quote, w.source_minor, w.target_minor)
         IS DISTINCT FROM (t.target, t.source_currency, t.target_currency, t.provider_quote, t.source_amount + t.fee,
           t.target_amount) AS astray,
       coalesce(l.rejected <> '[]', false) AS has_rejected,
       ${CREDITED_AT} IS NOT NULL AS confirmed,
       coalesce(told.counts, '{}') AS told
     FROM page t LEFT JOIN told ON told.about = t.uetr
       LEFT JOIN waiting w ON w.seq = t.seq
       LEFT JOIN LATERAL (SELECT voided_at FROM batches WHERE id = t.batch LIMIT 1) AS b ON true
       LEFT JOIN LATERAL (SELECT status, rejected FROM ledger_batches WHERE id = t.batch LIMIT 1) AS l ON true
     ORDER BY t.seq`,
    [after, limit],
  );
  return rows.map((row) => ({
    ...transferOf(row),
    seq: row.seq,
    batch: row.batch === null ? undefined : hexOf(row.batch),
    ended: row.ended ?? undefined,
    waits: row.waits && row.astray ? "astray" : row.waits,
    isVoid: row.void,
    status: row.status ?? undefined,
    hasRejected: row.has_rejected,
    isConfirmed: row.confirmed,
    requeued: row.requeued,
    told: row.told,
  }));
}

/** What the ledger refunded of a batch. */
export async function rejectionsOf(db: Queryable, batch: Hex): Promise<readonly PublishedRejection[]> {
  const [row] = await db.query<{ rejected: readonly PublishedRejection[] }>(
    "SELECT rejected FROM ledger_batches WHERE id = $1",
    [bytesOf(batch)],
  );
  return row?.rejected ?? [];
}

/** A credit, and how often it was told as posted. */
export interface ToldCredit {
  readonly uetr: Uetr;
  readonly batch: Hex;
  readonly isCredited: boolean;
  /** Its batch has settled. */
  readonly isSettled: boolean;
  readonly told: number;
}

/** All credits of the batches after one, so many batches at a time. */
export async function toldCredits(db: Queryable, after: Hex, batches: number): Promise<readonly ToldCredit[]> {
  const rows = await db.query<{ uetr: string; batch: Uint8Array; credited: boolean; settled: boolean; told: number }>(
    `WITH page AS MATERIALIZED (
       SELECT uetr, batch, credited_at FROM credits WHERE batch = ANY (ARRAY(
         SELECT batch FROM credits WHERE batch > $1 GROUP BY batch ORDER BY batch LIMIT $2))),
     told AS (
       SELECT a.uetr, count(*)::integer AS events
       FROM ${eventsAbout("ARRAY(SELECT uetr FROM page)", "ARRAY(SELECT DISTINCT batch FROM page)")} AS a
       WHERE a.type = 'credit.posted' GROUP BY a.uetr)
     SELECT c.uetr, c.batch, c.credited_at IS NOT NULL AS credited,
       coalesce((SELECT l.status = 'settled' FROM ledger_batches l WHERE l.id = c.batch), false) AS settled,
       coalesce(told.events, 0) AS told
     FROM page c LEFT JOIN told ON told.uetr = c.uetr
     ORDER BY c.batch, c.uetr`,
    [bytesOf(after), batches],
  );
  return rows.map(({ uetr, batch, credited, settled, told }) => {
    return { uetr: parseUetr(uetr), batch: hexOf(batch), isCredited: credited, isSettled: settled, told };
  });
}

interface EventPage {
  readonly last: bigint | undefined;
  readonly seen: number;
  readonly strays: readonly { readonly seq: bigint; readonly type: string }[];
}

/** Events after one: how many were looked at, and those that are about a transfer or a credit which is not there. */
export async function strayEvents(db: Queryable, after: bigint, limit: number): Promise<EventPage> {
  const rows = await db.query<{ seq: bigint; type: string; stray: boolean; seen: number }>(
    `WITH page AS (
       SELECT e.seq, e.type, e.uetr FROM ${eventsFrom("$1::bigint")} ORDER BY r.seq, e.seq LIMIT $2), judged AS (
       SELECT p.seq, p.type,
         -- One row at a time, by its index: EXISTS may have PostgreSQL read the whole table first.
         CASE WHEN p.type LIKE 'transfer.%' THEN (SELECT t.seq FROM transfers t WHERE t.uetr = p.uetr) IS NULL
           WHEN p.type LIKE 'credit.%' THEN (SELECT c.uetr FROM credits c WHERE c.uetr = p.uetr) IS NULL
           ELSE false END AS stray
       FROM page p)
     SELECT seq, type, stray, (SELECT count(*) FROM page)::integer AS seen FROM judged
     WHERE stray OR seq = (SELECT max(seq) FROM page) ORDER BY seq`,
    [after, limit],
  );
  return { last: rows.at(-1)?.seq, seen: rows[0]?.seen ?? 0, strays: rows.filter(({ stray }) => stray) };
}
