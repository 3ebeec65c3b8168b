import type { Authorization } from "../../../domain/typed-data.ts";
import { z } from "zod/v4";
import type { BatchHeader } from "../../../domain/batch.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import type { CurrencyCode } from "../../../domain/currency.ts";
import { parsePartnerId, type PartnerId } from "../../../domain/partner.ts";
import { parseReason, type ReasonCode } from "../../../domain/reason.ts";
import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import { authorizationSchema, parsedBy, parseWire, uetrText } from "../../../domain/wire.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { bytesList, bytesOf, hexOf, NEVER, numberOf, recordset, turnOf } from "../../../kernel/store/values.ts";
import { storedHeader } from "./ledger-projection.ts";
import { registryOf } from "./registries.ts";

/** What this relay's partner answers to a batch. */
export interface Decision {
  readonly batch: Hex;
  readonly source: PartnerId;
  readonly rejections: ReadonlyMap<Uetr, ReasonCode>;
  /** What settles it; undefined where it is a promise, for a batch that is to open and settle in one step. */
  readonly accept: Authorization | undefined;
  /** Of a promise: until when the ledger takes the batch, in seconds of block time. */
  readonly promisedUntil?: number;
  readonly currency: CurrencyCode;
  /** What is to be credited once the batch has settled, in target minor units. */
  readonly credits: readonly { readonly uetr: Uetr; readonly amount: bigint }[];
}

/**
 * Writes a decision and the credits that it promises.
 * @returns "taken" when a UETR has become another batch's meanwhile: the transaction must be given up; "decided before"
 * when there is a decision already, and nothing was written
 */
export async function insertDecision(
  tx: Queryable,
  { batch, source, rejections, accept, promisedUntil, currency, credits }: Decision,
  nowMs: number,
): Promise<"written" | "decided before" | "taken"> {
  const decided = await tx.query(
    `INSERT INTO decisions (batch, rejections, signature, decided_at, promised_until_s)
     VALUES ($1, $2::jsonb, $3::jsonb, $4, $5)
     ON CONFLICT (batch) DO NOTHING RETURNING batch`,
    [
      bytesOf(batch),
      rejectionsJson(rejections),
      accept === undefined ? null : JSON.stringify(accept),
      nowMs,
      promisedUntil ?? null,
    ],
  );
  if (decided.length === 0) return "decided before";
  // In one order everywhere, so that two who write the same do not wait for each other.
  const rows = credits.toSorted((left, right) => (left.uetr < right.uetr ? -1 : 1));
  const [inserted] = await tx.query<{ credits: number }>(
    `WITH inserted AS (
       INSERT INTO credits (uetr, source, batch, amount, currency)
       SELECT c.uetr, $2, $3, c.amount, $4 FROM jsonb_to_recordset($1::jsonb) AS c(uetr uuid, amount numeric)
       ON CONFLICT (uetr) DO NOTHING RETURNING uetr
     ) SELECT count(*)::integer AS credits FROM inserted`,
    [recordset(rows), source, bytesOf(batch), currency],
  );
  return inserted?.credits === credits.length ? "written" : "taken";
}

/** Those of the UETRs that this partner has promised to credit in other batches, and whether that promise may lapse yet. */
export async function promisedElsewhere(
  db: Queryable,
  batch: Hex,
  uetrs: readonly Uetr[],
): Promise<ReadonlyMap<Uetr, { readonly mayLapse: boolean }>> {
  const rows = await db.query<{ uetr: string; lapses: boolean }>(
    `SELECT c.uetr, coalesce((SELECT d.promised_until_s IS NOT NULL FROM decisions d WHERE d.batch = c.batch), false)
       AND NOT EXISTS (SELECT 1 FROM ledger_batches l WHERE l.id = c.batch) AS lapses
     FROM credits c WHERE c.batch <> $1
       AND c.uetr = ANY ($2::uuid[])`,
    [bytesOf(batch), uetrs],
  );
  return new Map(rows.map(({ uetr, lapses }) => [parseUetr(uetr), { mayLapse: lapses }]));
}

/** How far the ledger has been read, in seconds of block time, where the time of a promise is over by then. */
export async function lapsedBy(db: Queryable): Promise<number | undefined> {
  const [row] = await db.query<{ time: bigint }>(
    `SELECT block_time_s AS time FROM ledger_cursor
     WHERE block_time_s > (SELECT min(promised_until_s) FROM decisions WHERE promised_until_s IS NOT NULL)`,
  );
  return row === undefined ? undefined : numberOf(row.time);
}

/**
 * Ends promises whose time is over on the ledger, as far as it has been read: of batches that it does not have, nothing is
 * left, for it can never take them in one step any more; those that it has are decided.
 * @param readUntil how far it has been read, in seconds of block time
 * @returns how many batches were given up
 */
export async function releaseLapsed(tx: Queryable, readUntil: number): Promise<number> {
  const due = await tx.query<{ batch: Uint8Array; opened: boolean }>(
    `SELECT d.batch, EXISTS (SELECT 1 FROM ledger_batches l WHERE l.id = d.batch) AS opened FROM decisions d
     WHERE d.promised_until_s < $1 ORDER BY d.batch FOR UPDATE`,
    [readUntil],
  );
  const list = (isOpened: boolean) =>
    bytesList(due.filter(({ opened }) => opened === isOpened).map(({ batch }) => hexOf(batch)));
  await tx.query("UPDATE decisions SET promised_until_s = NULL WHERE batch = ANY ($1::bytea[])", [list(true)]);
  const lapsed = list(false);
  await tx.query("DELETE FROM credits WHERE batch = ANY ($1::bytea[])", [lapsed]);
  await tx.query("DELETE FROM decisions WHERE batch = ANY ($1::bytea[])", [lapsed]);
  await tx.query("DELETE FROM payloads WHERE batch = ANY ($1::bytea[]) AND NOT delivered", [lapsed]);
  return lapsed.length;
}

/** Signs for two steps what was promised for one: its batch is open. */
export async function signPromise(db: Queryable, batch: Hex, accept: Authorization): Promise<void> {
  await db.query("UPDATE decisions SET signature = $2::jsonb WHERE batch = $1 AND signature IS NULL", [
    bytesOf(batch),
    JSON.stringify(accept),
  ]);
}

/** A decision that the ledger has not acted on yet. */
export interface UnsettledBatch {
  readonly id: Hex;
  /** Where it is open; undefined for the ledger's first. */
  readonly registry: Hex | undefined;
  readonly header: BatchHeader;
  readonly rejections: ReadonlyMap<Uetr, ReasonCode>;
  readonly accept: Authorization;
  readonly attempts: number;
  /** Whether it has never been submitted, as far as is known. */
  readonly isNew: boolean;
}

/** As `rejectionsSchema` reads them. */
export function rejectionsJson(rejections: ReadonlyMap<Uetr, ReasonCode>): string {
  return JSON.stringify([...rejections].map(([uetr, reason]) => ({ uetr, reason })));
}

export const rejectionsSchema = z.array(
  z.strictObject({ uetr: uetrText, reason: parsedBy(z.string(), (code) => parseReason(code)) }),
);

/** Those that are due to be submitted: new ones, the one that expires first at the front, in turns with what has failed. */
export async function batchesToSettle(db: Queryable, nowMs: number, limit: number): Promise<readonly UnsettledBatch[]> {
  const rows = await db.query<{
    id: Uint8Array;
    registry: Uint8Array | null;
    header: unknown;
    rejections: unknown;
    signature: unknown;
    settle_attempts: number;
    is_new: boolean;
  }>(
    `SELECT id, registry, header, rejections, signature, settle_attempts, is_new FROM (
       SELECT l.id, l.registry, l.header, d.rejections, d.signature, d.settle_attempts, d.settle_due_at = 0 AS is_new,
         ${turnOf("d.settle_attempts", "d.settle_due_at, l.expires_at_s, l.id")}
       FROM ledger_batches l JOIN decisions d ON d.batch = l.id
       WHERE l.status = 'open' AND d.signature IS NOT NULL AND d.settle_due_at <= $1) AS due
     ORDER BY turn, settle_attempts, id LIMIT $2`,
    [nowMs, limit],
  );
  return rows.map((row) => ({
    id: hexOf(row.id),
    registry: registryOf(row.registry),
    header: storedHeader(row.header),
    rejections: new Map(
      parseWire(rejectionsSchema, row.rejections, "decisions.rejections").map(({ uetr, reason }) => [uetr, reason]),
    ),
    accept: parseWire(authorizationSchema, row.signature, "decisions.signature"),
    attempts: row.settle_attempts,
    isNew: row.is_new,
  }));
}

/** Records an attempt, and when there may be another; an error where it has failed. */
export async function recordSettleAttempt(
  db: Queryable,
  batch: Hex,
  dueAtMs: number,
  error: string | undefined,
): Promise<void> {
  await db.query(
    `UPDATE decisions SET settle_attempts = settle_attempts + $3, settle_due_at = $2, settle_error = $4
     WHERE batch = $1`,
    [bytesOf(batch), dueAtMs, error === undefined ? 0 : 1, error ?? null],
  );
}

/** The same decision, signed with another key. */
export async function replaceSignature(db: Queryable, batch: Hex, accept: Authorization): Promise<void> {
  await db.query("UPDATE decisions SET signature = $2::jsonb WHERE batch = $1", [
    bytesOf(batch),
    JSON.stringify(accept),
  ]);
}

/** A settled batch of which every customer has been credited, and its source relay does not know. */
export interface UnconfirmedBatch {
  readonly id: Hex;
  readonly source: PartnerId;
  readonly attempts: number;
}

/**
 * Those that are due, some for each source, so that a relay that is away does not hold up the others': of each, new ones,
 * the oldest first, in turns with what has failed.
 */
export async function batchesToConfirm(
  db: Queryable,
  nowMs: number,
  perSource: number,
): Promise<readonly UnconfirmedBatch[]> {
  const rows = await db.query<{ id: Uint8Array; source: number; confirm_attempts: number }>(
    `SELECT id, source, confirm_attempts FROM (
       SELECT *, row_number() OVER (PARTITION BY source ORDER BY turn, confirm_attempts, id) AS place FROM (
         SELECT l.id, l.source, d.confirm_attempts,
           ${turnOf("d.confirm_attempts", "d.confirm_due_at, d.decided_at, l.id", "l.source")}
         FROM decisions d JOIN ledger_batches l ON l.id = d.batch
         WHERE d.confirmed_at IS NULL AND d.confirm_due_at <= $1 AND l.status = 'settled'
           AND NOT EXISTS (SELECT 1 FROM credits c WHERE c.batch = d.batch AND c.credited_at IS NULL)) AS due) AS placed
     WHERE place <= $2 ORDER BY place, id`,
    [nowMs, perSource],
  );
  return rows.map((row) => ({
    id: hexOf(row.id),
    source: parsePartnerId(row.source),
    attempts: row.confirm_attempts,
  }));
}

/** Batches that have ended without a credit have none to tell of, and theirs are never due. */
export async function closeUncredited(db: Queryable, nowMs: number): Promise<void> {
  await db.query(
    `WITH closed AS (
       UPDATE decisions d SET confirmed_at = $1 FROM ledger_batches l
       WHERE l.id = d.batch AND d.confirmed_at IS NULL AND l.status IN ('rejected', 'expired') RETURNING d.batch
     ) UPDATE credits SET next_attempt_at = ${NEVER} WHERE batch = ANY (ARRAY(SELECT batch FROM closed))`,
    [nowMs],
  );
}

export interface PostedCredit {
  readonly uetr: Uetr;
  /** Milliseconds since the epoch. */
  readonly creditedAt: number;
}

export async function postedCreditsOf(db: Queryable, batch: Hex): Promise<readonly PostedCredit[]> {
  const rows = await db.query<{ uetr: string; credited_at: bigint }>(
    "SELECT uetr, credited_at FROM credits WHERE batch = $1 AND credited_at IS NOT NULL ORDER BY uetr",
    [bytesOf(batch)],
  );
  return rows.map(({ uetr, credited_at }) => ({ uetr: parseUetr(uetr), creditedAt: numberOf(credited_at) }));
}

export async function recordConfirmed(db: Queryable, batch: Hex, nowMs: number): Promise<void> {
  await db.query("UPDATE decisions SET confirmed_at = $2 WHERE batch = $1 AND confirmed_at IS NULL", [
    bytesOf(batch),
    nowMs,
  ]);
}

export async function recordUnconfirmed(db: Queryable, batch: Hex, dueAtMs: number, error: string): Promise<void> {
  await db.query(
    `UPDATE decisions SET confirm_attempts = confirm_attempts + 1, confirm_due_at = $2, confirm_error = $3
     WHERE batch = $1`,
    [bytesOf(batch), dueAtMs, error],
  );
}
