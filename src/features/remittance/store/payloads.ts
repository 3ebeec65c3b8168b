import type { BatchHeader } from "../../../domain/batch.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import { parsePartnerId, type PartnerId } from "../../../domain/partner.ts";
import { headerSchema, parseWire } from "../../../domain/wire.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { bytesOf, hexOf, NEVER, numberOf, turnOf } from "../../../kernel/store/values.ts";
import { storedHeader } from "./ledger-projection.ts";
import { registryOf } from "./registries.ts";

/** A batch of which the target relay is not known to have the payload. */
export interface UndeliveredBatch {
  readonly id: Hex;
  /** Undefined for the ledger's first. */
  readonly registry: Hex | undefined;
  readonly header: BatchHeader;
  /** How often sending it has failed. */
  readonly attempts: number;
}

/**
 * Batches whose payload is due to be sent: those that can still be settled; some for each target, so that a relay that
 * is away does not hold up the others': of each, new ones, the oldest first, in turns with what has failed.
 */
export async function payloadsToSend(
  db: Queryable,
  nowMs: number,
  perTarget: number,
): Promise<readonly UndeliveredBatch[]> {
  const rows = await db.query<{
    id: Uint8Array;
    registry: Uint8Array | null;
    header: unknown;
    payload_attempts: number;
  }>(
    `SELECT id, registry, header, payload_attempts FROM (
       SELECT *, row_number() OVER (PARTITION BY target ORDER BY turn, payload_attempts, id) AS place FROM (
         SELECT b.id, b.registry, b.target, b.header, b.payload_attempts,
           ${turnOf("b.payload_attempts", "b.payload_due_at, b.signed_at, b.id", "b.target")}
         FROM batches b LEFT JOIN ledger_batches l ON l.id = b.id
         WHERE b.payload_delivered_at IS NULL AND b.voided_at IS NULL AND b.payload_due_at <= $1
           AND b.send_signature IS NOT NULL
           AND (l.id IS NULL OR l.status = 'open')) AS due) AS placed
     WHERE place <= $2 ORDER BY place, id`,
    [nowMs, perTarget],
  );
  return rows.map(({ id, registry, header, payload_attempts }) => ({
    id: hexOf(id),
    registry: registryOf(registry),
    header: parseWire(headerSchema, header, "batches.header"),
    attempts: payload_attempts,
  }));
}

/** Payloads of batches that have ended need not be sent any more. */
export async function giveUpPayloads(db: Queryable, nowMs: number): Promise<void> {
  await db.query(
    `UPDATE batches b SET payload_due_at = ${NEVER} FROM ledger_batches l
     WHERE l.id = b.id AND l.status <> 'open' AND b.payload_delivered_at IS NULL AND b.voided_at IS NULL
       AND b.payload_due_at <= $1`,
    [nowMs],
  );
}

export async function recordPayloadDelivered(db: Queryable, id: Hex, nowMs: number): Promise<void> {
  await db.query("UPDATE batches SET payload_delivered_at = $2 WHERE id = $1 AND payload_delivered_at IS NULL", [
    bytesOf(id),
    nowMs,
  ]);
}

export async function recordPayloadUndelivered(db: Queryable, id: Hex, dueAtMs: number, error: string): Promise<void> {
  await db.query(
    `UPDATE batches SET payload_attempts = payload_attempts + 1, payload_due_at = $2, payload_error = $3 WHERE id = $1`,
    [bytesOf(id), dueAtMs, error],
  );
}

/** What another relay sent for a batch. */
export interface NewPayload {
  readonly batch: Hex;
  /** Whose batch it is. */
  readonly registry: Hex;
  readonly source: PartnerId;
  readonly sealed: Uint8Array;
  /** Until when its batch can be opened, in seconds of ledger time. */
  readonly expiresAtSeconds: number;
  /** Whether its batch is signed; it is proposed otherwise. */
  readonly delivered: boolean;
}

/**
 * Stores what another relay sent for a batch.
 * @returns false when there is something for that batch already, of which it is only noted that it was delivered
 */
export async function insertPayload(db: Queryable, payload: NewPayload, nowMs: number): Promise<boolean> {
  const [row] = await db.query<{ inserted: boolean }>(
    `INSERT INTO payloads AS p (batch, source, sealed, received_at, expires_at_s, registry, delivered)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (batch) DO UPDATE SET delivered = p.delivered OR $7 RETURNING xmax = 0 AS inserted`,
    [
      bytesOf(payload.batch),
      payload.source,
      payload.sealed,
      nowMs,
      payload.expiresAtSeconds,
      bytesOf(payload.registry),
      payload.delivered,
    ],
  );
  return row?.inserted === true;
}

/** Payloads of one source's whose batches the ledger, as far as it has been read, does not have. */
export interface Unopened {
  readonly count: number;
  readonly bytes: number;
}

/** Counts them; those whose batches have been read meanwhile are left out once that makes a difference. */
export async function unopenedPayloads(db: Queryable, source: PartnerId, most: Unopened): Promise<Unopened> {
  const counted = await countUnopened(db, source);
  if (counted.count < most.count / 2 && counted.bytes < most.bytes / 2) return counted;
  await db.query(
    `UPDATE payloads p SET unopened = false FROM ledger_batches l
     WHERE p.source = $1 AND p.unopened AND l.id = p.batch`,
    [source],
  );
  return countUnopened(db, source);
}

async function countUnopened(db: Queryable, source: PartnerId): Promise<Unopened> {
  const [row] = await db.query<{ count: number; bytes: bigint }>(
    `SELECT count(*)::integer AS count, coalesce(sum(octet_length(sealed)), 0)::bigint AS bytes
     FROM payloads WHERE source = $1 AND unopened`,
    [source],
  );
  return { count: row?.count ?? 0, bytes: numberOf(row?.bytes ?? 0n) };
}

/** Undefined where there is none, null where it has been erased. */
export async function sealedPayloadOf(db: Queryable, batch: Hex): Promise<Uint8Array | null | undefined> {
  const [row] = await db.query<{ sealed: Uint8Array | null }>("SELECT sealed FROM payloads WHERE batch = $1", [
    bytesOf(batch),
  ]);
  return row?.sealed;
}

/** A batch that is open on the ledger, with a payload, and waits for this partner's answer. */
export interface UndecidedBatch {
  readonly id: Hex;
  /** Where it is open; undefined for the ledger's first. */
  readonly registry: Hex | undefined;
  readonly source: PartnerId;
  readonly header: BatchHeader;
  readonly attempts: number;
  /** All of it was promised before it was opened. */
  readonly isPromised: boolean;
}

/** Those that are due: new ones, the one that expires first at the front, in turns with what has failed. */
export async function batchesToDecide(
  db: Queryable,
  partner: PartnerId,
  nowMs: number,
  limit: number,
): Promise<readonly UndecidedBatch[]> {
  const rows = await db.query<{
    id: Uint8Array;
    registry: Uint8Array | null;
    source: number;
    header: unknown;
    attempts: number;
    promised: boolean;
  }>(
    `SELECT id, registry, source, header, attempts, promised FROM (
       SELECT l.id, l.registry, l.source, l.header, p.attempts, d.batch IS NOT NULL AS promised,
         ${turnOf("p.attempts", "p.due_at, l.expires_at_s, l.id")}
       FROM ledger_batches l JOIN payloads p ON p.batch = l.id LEFT JOIN decisions d ON d.batch = l.id
       WHERE l.status = 'open' AND l.target = $1 AND p.refused IS NULL AND p.due_at <= $2
         AND d.signature IS NULL) AS due
     ORDER BY turn, attempts, id LIMIT $3`,
    [partner, nowMs, limit],
  );
  return rows.map(({ id, registry, source, header, attempts, promised }) => ({
    id: hexOf(id),
    registry: registryOf(registry),
    source: parsePartnerId(source),
    header: storedHeader(header),
    attempts,
    isPromised: promised,
  }));
}

/** It could not be decided, and is to be tried again. */
export async function postponeDecision(db: Queryable, batch: Hex, dueAtMs: number, error: string): Promise<void> {
  await db.query("UPDATE payloads SET attempts = attempts + 1, due_at = $2, last_error = $3 WHERE batch = $1", [
    bytesOf(batch),
    dueAtMs,
    error,
  ]);
}

/** It is never decided on: its batch expires. */
export async function refusePayload(db: Queryable, batch: Hex, why: string): Promise<void> {
  await db.query("UPDATE payloads SET refused = $2 WHERE batch = $1", [bytesOf(batch), why]);
}
