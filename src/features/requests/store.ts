import type { Hex } from "../../domain/bytes/hex.ts";
import { utf8 } from "../../domain/bytes/bytes.ts";
import type { Alias } from "../../domain/alias.ts";
import type { CurrencyCode } from "../../domain/currency.ts";
import { parseUetr, type Uetr } from "../../domain/uetr.ts";
import type { Database, Queryable } from "../../kernel/store/database.ts";
import { SEALED } from "../../kernel/store/sealed-rows.ts";
import type { Sealer } from "../../kernel/store/sealer.ts";
import { bytesOf, numberOf, recordset } from "../../kernel/store/values.ts";

// Nothing else writes `requests` and `request_payments`.

/** Whom a request pays, and what for. Personal data. */
export interface RequestContent {
  readonly payee: { readonly name: string; readonly alias: Alias };
  readonly purpose: string;
  readonly reference?: string;
  /** As it was given, where it was. */
  readonly expiresAt?: string;
}

export interface StoredRequest {
  readonly id: string;
  readonly currency: CurrencyCode;
  /** Minor units; undefined where the payer says how much. */
  readonly amount: bigint | undefined;
  readonly isSingle: boolean;
  /** Undefined once erased. */
  readonly content: RequestContent | undefined;
  /** This, and the two below, in milliseconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly cancelledAt: number | undefined;
}

export type NewRequest = Omit<StoredRequest, "content" | "cancelledAt"> & { readonly content: RequestContent };

interface RequestRow {
  readonly id: string;
  readonly currency: CurrencyCode;
  readonly amount: bigint | null;
  readonly is_single: boolean;
  readonly sealed: Uint8Array | null;
  readonly created_at: bigint;
  readonly expires_at: bigint | null;
  readonly cancelled_at: bigint | null;
}

/** @returns whether it is new: one of the same id stays as it is */
export async function insertRequest(db: Queryable, sealer: Sealer, request: NewRequest): Promise<boolean> {
  const { id, currency, amount, isSingle, content, createdAt, expiresAt } = request;
  const sealed = sealer.seal(utf8(JSON.stringify(content)), SEALED.requests.bind(id));
  const rows = await db.query(
    `INSERT INTO requests (id, currency, amount, is_single, sealed, created_at, expires_at)
     VALUES ($1::uuid, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING RETURNING 1`,
    [id, currency, amount ?? null, isSingle, sealed, createdAt, expiresAt ?? null],
  );
  return rows.length > 0;
}

export async function findRequests(
  db: Queryable,
  sealer: Sealer,
  ids: readonly string[],
): Promise<ReadonlyMap<string, StoredRequest>> {
  const rows = await db.query<RequestRow>(
    `SELECT id, currency, amount, is_single, sealed, created_at, expires_at, cancelled_at
     FROM requests WHERE id = ANY ($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, requestOf(row, sealer)]));
}

function requestOf(row: RequestRow, sealer: Sealer): StoredRequest {
  const { id, currency, amount, is_single, sealed, created_at, expires_at, cancelled_at } = row;
  return {
    id,
    currency,
    amount: amount ?? undefined,
    isSingle: is_single,
    content: sealed === null ? undefined : contentOf(sealer.open(sealed, SEALED.requests.bind(id))),
    createdAt: numberOf(created_at),
    expiresAt: expires_at === null ? undefined : numberOf(expires_at),
    cancelledAt: cancelled_at === null ? undefined : numberOf(cancelled_at),
  };
}

function contentOf(bytes: Uint8Array): RequestContent {
  // Authenticated by the seal: it is what `insertRequest` wrote.
  return JSON.parse(Buffer.from(bytes).toString("utf8")) as RequestContent;
}

/** A transfer that pays a request: it is promised to its payee, or credited. */
export interface RequestPayment {
  readonly uetr: Uetr;
  readonly request: string;
  /** In minor units of the request's currency. */
  readonly amount: bigint;
}

/** Payments `p` that count: promised or credited, in a batch that has not ended without that. */
const COUNTING = `request_payments p
  JOIN credits c ON c.uetr = p.uetr AND c.batch = p.batch
  LEFT JOIN ledger_batches l ON l.id = p.batch
  WHERE coalesce(l.status NOT IN ('rejected', 'expired'), true)`;

/** The latest payments of a request, the last one first. */
export async function latestPayments(
  db: Queryable,
  request: string,
  limit: number,
): Promise<readonly (RequestPayment & { readonly creditedAt: number | undefined })[]> {
  const rows = await db.query<{ uetr: string; amount: bigint; credited_at: bigint | null }>(
    `SELECT p.uetr, p.amount, c.credited_at FROM ${COUNTING} AND p.request = $1::uuid ORDER BY p.seq DESC LIMIT $2`,
    [request, limit],
  );
  return rows.map(({ uetr, amount, credited_at }) => ({
    uetr: parseUetr(uetr),
    request,
    amount,
    creditedAt: credited_at === null ? undefined : numberOf(credited_at),
  }));
}

/** A payment that counts, with what was credited for it and what its request asks for. Amounts in minor units. */
export interface ComparedPayment extends RequestPayment {
  readonly seq: bigint;
  readonly credited: { readonly amount: bigint; readonly currency: CurrencyCode };
  /** Undefined where there is no such request. */
  readonly asked:
    { readonly amount: bigint | undefined; readonly currency: CurrencyCode; readonly isSingle: boolean } | undefined;
  /** Of its request's. */
  readonly isFirst: boolean;
}

/** Payments after one, in their order. */
export async function comparedPayments(
  db: Queryable,
  after: bigint,
  limit: number,
): Promise<readonly ComparedPayment[]> {
  const rows = await db.query<{
    seq: bigint;
    uetr: string;
    request: string;
    amount: bigint;
    credited: bigint;
    credited_currency: CurrencyCode;
    asked: bigint | null;
    asked_currency: CurrencyCode | null;
    is_single: boolean | null;
    is_first: boolean;
  }>(
    `SELECT paid.*, r.amount AS asked, r.currency AS asked_currency, r.is_single,
       NOT EXISTS (SELECT 1 FROM ${COUNTING} AND p.request = paid.request AND p.seq < paid.seq) AS is_first
     FROM (SELECT p.seq, p.uetr, p.request, p.amount, c.amount AS credited, c.currency AS credited_currency
           FROM ${COUNTING} AND p.seq > $1 ORDER BY p.seq LIMIT $2) AS paid
       LEFT JOIN requests r ON r.id = paid.request
     ORDER BY paid.seq`,
    [after, limit],
  );
  return rows.map(({ seq, uetr, request, amount, credited, credited_currency, asked, asked_currency, ...row }) => ({
    seq,
    uetr: parseUetr(uetr),
    request,
    amount,
    credited: { amount: credited, currency: credited_currency },
    asked:
      asked_currency === null
        ? undefined
        : { amount: asked ?? undefined, currency: asked_currency, isSingle: row.is_single === true },
    isFirst: row.is_first,
  }));
}

/** Those of the requests that others than these transfers pay. */
export async function paidByOthers(
  db: Queryable,
  requests: readonly string[],
  uetrs: readonly Uetr[],
): Promise<ReadonlySet<string>> {
  if (requests.length === 0) return new Set();
  const rows = await db.query<{ request: string }>(
    `SELECT DISTINCT p.request FROM ${COUNTING} AND p.request = ANY ($1::uuid[]) AND p.uetr <> ALL ($2::uuid[])`,
    [requests, uetrs],
  );
  return new Set(rows.map(({ request }) => request));
}

/**
 * Locks requests that can be paid once, until the end of the transaction, in one order everywhere.
 * @returns those that are there and not cancelled
 */
export async function lockSingles(tx: Queryable, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM requests WHERE id = ANY ($1::uuid[]) AND is_single AND cancelled_at IS NULL
     ORDER BY id FOR NO KEY UPDATE`,
    [ids],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Writes payments down, of a batch. A transfer that was in another one before is in this one now. */
export async function insertPayments(tx: Queryable, batch: Hex, payments: readonly RequestPayment[]): Promise<void> {
  await tx.query(
    `INSERT INTO request_payments (uetr, request, batch, amount)
     SELECT p.uetr, p.request, $2, p.amount
     FROM jsonb_to_recordset($1::jsonb) AS p(uetr uuid, request uuid, amount numeric) ORDER BY p.uetr
     ON CONFLICT (uetr) DO UPDATE SET request = excluded.request, batch = excluded.batch, amount = excluded.amount`,
    [recordset(payments.map(({ uetr, request, amount }) => ({ uetr, request, amount }))), bytesOf(batch)],
  );
}

/** @returns whether it was not before */
export async function markCancelled(tx: Queryable, id: string, nowMs: number): Promise<boolean> {
  const rows = await tx.query(
    "UPDATE requests SET cancelled_at = $2 WHERE id = $1::uuid AND cancelled_at IS NULL RETURNING 1",
    [id, nowMs],
  );
  return rows.length > 0;
}

const ROWS_AT_ONCE = 1_000;

/** What was judged before a request was over has long been decided by then. */
const OVER_FOR_MS = 86_400_000;

/**
 * Erases whom requests pay that were made before a time, and that nobody can pay any more, for a day. What is still to be
 * credited is left for the next time.
 * @returns how many
 */
export async function eraseRequestsBefore(db: Database, beforeMs: number, nowMs: number): Promise<number> {
  for (let total = 0; ;) {
    // Looked up one by one: EXISTS in an expression may have PostgreSQL read all payments first.
    const [row] = await db.query<{ erased: number }>(
      `WITH due AS (
         SELECT r.id FROM requests r
         WHERE r.created_at < $1 AND r.sealed IS NOT NULL
           AND (r.cancelled_at <= $2 OR r.expires_at <= $2
             OR (r.is_single
               AND (SELECT p.uetr FROM ${COUNTING} AND p.request = r.id ORDER BY p.seq LIMIT 1) IS NOT NULL))
           AND NOT EXISTS (SELECT 1 FROM ${COUNTING} AND p.request = r.id AND c.credited_at IS NULL)
         ORDER BY r.created_at LIMIT ${ROWS_AT_ONCE}),
       erased AS (UPDATE requests SET sealed = NULL WHERE id = ANY (ARRAY(SELECT id FROM due)) RETURNING 1)
       SELECT count(*)::integer AS erased FROM erased`,
      [beforeMs, nowMs - OVER_FOR_MS],
    );
    const erased = row?.erased ?? 0;
    total += erased;
    if (erased < ROWS_AT_ONCE) return total;
  }
}
