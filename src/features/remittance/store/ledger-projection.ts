import { z } from "zod/v4";
import type { FinalStatus, PublishedRejection } from "../../../domain/lifecycle.ts";
import type { BatchHeader } from "../../../domain/batch.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import { parsePartnerId, type PartnerId } from "../../../domain/partner.ts";
import { headerSchema, hexOf as hexText, parseWire, toJson } from "../../../domain/wire.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import type { RegistryTime } from "../../../ledger/state.ts";
import { bytesList, bytesOf, hexDigits, hexOf, numberOf, recordset, turnOf } from "../../../kernel/store/values.ts";
import { registryOf, timeOf, timeParameters } from "./registries.ts";

// The ledger as the watcher has read it. Only the watcher writes here.

/** Up to where the ledger has been read: a block, by what tells it from every other. */
export interface LedgerCursor {
  readonly block: number;
  readonly hash: Hex;
  /** UTC seconds. */
  readonly timeSeconds: number;
}

/** Undefined before the first read. */
export async function readCursor(db: Queryable): Promise<LedgerCursor | undefined> {
  const [row] = await db.query<{ block: bigint; block_hash: Uint8Array; block_time_s: bigint }>(
    "SELECT block, block_hash, block_time_s FROM ledger_cursor",
  );
  if (row === undefined) return undefined;
  return { block: numberOf(row.block), hash: hexOf(row.block_hash), timeSeconds: numberOf(row.block_time_s) };
}

/**
 * Moves the cursor on from where it was when the blocks were read.
 * @returns false when it is elsewhere: somebody else has moved it, and what was read is theirs to write
 */
export async function advanceCursor(
  tx: Queryable,
  from: LedgerCursor | undefined,
  { block, hash, timeSeconds }: LedgerCursor,
): Promise<boolean> {
  const moved = await tx.query(
    from === undefined
      ? `INSERT INTO ledger_cursor (block, block_hash, block_time_s) VALUES ($1, $2, $3)
         ON CONFLICT (only_one) DO NOTHING RETURNING block`
      : // By its hash, too: another history may have been read to the same height meanwhile.
        "UPDATE ledger_cursor SET block = $1, block_hash = $2, block_time_s = $3 WHERE block = $4 AND block_hash = $5 RETURNING block",
    [block, bytesOf(hash), timeSeconds, ...(from === undefined ? [] : [from.block, bytesOf(from.hash)])],
  );
  return moved.length > 0;
}

/** Where something happened on the ledger. */
export interface LedgerPlace {
  readonly block: number;
  readonly logIndex: number;
  /** UTC seconds of block time. */
  readonly timeSeconds: number;
  readonly transaction: Hex;
}

export interface OpenedBatch {
  readonly id: Hex;
  /** Where it was opened. */
  readonly registry: Hex;
  readonly header: BatchHeader;
  readonly at: LedgerPlace;
}

export interface FinalBatch {
  readonly id: Hex;
  readonly status: FinalStatus;
  readonly rejected: readonly PublishedRejection[];
  readonly at: LedgerPlace;
}

/** @param partner whose store it is: of its own batches it is noted that they are on the ledger */
export async function insertOpenedBatches(
  tx: Queryable,
  batches: readonly OpenedBatch[],
  partner: PartnerId,
): Promise<void> {
  if (batches.length === 0) return;
  const rows = batches.map(({ id, registry, header, at }) => ({
    id: hexDigits(id),
    registry: hexDigits(registry),
    source: header.source,
    target: header.target,
    header: toJson(header),
    expires: header.expiresAt,
    block: at.block,
    log: at.logIndex,
    time: at.timeSeconds,
    transaction: hexDigits(at.transaction),
  }));
  await tx.query(
    `INSERT INTO ledger_batches (id, source, target, header, expires_at_s, status, opened_block, opened_log,
       opened_time_s, opened_transaction, registry)
     SELECT decode(b.id, 'hex'), b.source, b.target, b.header, b.expires, 'open', b.block, b.log, b.time,
       decode(b.transaction, 'hex'), decode(b.registry, 'hex')
     FROM jsonb_to_recordset($1::jsonb) AS b(id text, registry text, source integer, target integer, header jsonb, expires bigint,
       block bigint, log integer, time bigint, transaction text)`,
    [recordset(rows)],
  );
  const own = batches.filter(({ header }) => header.source === partner);
  if (own.length === 0) return;
  await tx.query("UPDATE batches SET on_ledger = true WHERE id = ANY ($1::bytea[])", [
    bytesList(own.map(({ id }) => id)),
  ]);
}

/** Whose a batch is. */
export interface BatchParties {
  readonly id: Hex;
  readonly source: PartnerId;
  readonly target: PartnerId;
}

/**
 * @returns whose they are
 * @throws Error when one of them is not open
 */
export async function finishBatches(tx: Queryable, batches: readonly FinalBatch[]): Promise<readonly BatchParties[]> {
  if (batches.length === 0) return [];
  const rows = batches.map(({ id, status, rejected, at }) => ({
    id: hexDigits(id),
    status,
    rejected,
    block: at.block,
    log: at.logIndex,
    time: at.timeSeconds,
    transaction: hexDigits(at.transaction),
  }));
  const finished = await tx.query<{ id: Uint8Array; source: number; target: number }>(
    `UPDATE ledger_batches l SET status = b.status, rejected = b.rejected, final_block = b.block, final_log = b.log,
       final_time_s = b.time, final_transaction = decode(b.transaction, 'hex')
     FROM jsonb_to_recordset($1::jsonb) AS b(id text, status text, rejected jsonb, block bigint, log integer,
       time bigint, transaction text)
     WHERE l.id = decode(b.id, 'hex') AND l.status = 'open' RETURNING l.id, l.source, l.target`,
    [recordset(rows)],
  );
  if (finished.length !== batches.length) {
    throw new Error(`the ledger ended ${batches.length} batches, of which ${finished.length} are known as open`);
  }
  return finished.map(({ id, source, target }) => ({
    id: hexOf(id),
    source: parsePartnerId(source),
    target: parsePartnerId(target),
  }));
}

/** An open batch, with what it takes to expire it. */
export interface OverdueBatch {
  readonly id: Hex;
  /** Undefined for the ledger's first. */
  readonly registry: Hex | undefined;
  readonly header: BatchHeader;
}

/**
 * Open batches past their expiry: those that a partner is part of, and those of others. The oldest first, in turns with
 * those that failed to be expired and are due for it again.
 * @param times each registry's, by which the partner's own ones are overdue
 * @param othersAfterSeconds so much later everybody else's are
 */
export async function overdueBatches(
  db: Queryable,
  partner: PartnerId,
  { times, othersAfterSeconds }: { readonly times: readonly RegistryTime[]; readonly othersAfterSeconds: number },
  nowMs: number,
  limit: number,
): Promise<readonly OverdueBatch[]> {
  const rows = await db.query<{ id: Uint8Array; registry: Uint8Array | null; header: unknown }>(
    `SELECT id, registry, header FROM (
       SELECT l.id, l.registry, l.header, coalesce(f.attempts, 0) AS attempts,
         ${turnOf("coalesce(f.attempts, 0)", "f.due_at, l.expires_at_s, l.id")}
       FROM ledger_batches l LEFT JOIN step_faults f ON f.step = 'sweeper' AND f.item = '0x' || encode(l.id, 'hex')
       WHERE l.status = 'open' AND coalesce(f.due_at, 0) <= $3
         AND l.expires_at_s + CASE WHEN l.source = $1 OR l.target = $1 THEN 0 ELSE $2::bigint END
           <= ${timeOf("l.registry", 5)}) AS overdue
     ORDER BY turn, attempts, id LIMIT $4`,
    [partner, othersAfterSeconds, nowMs, limit, ...timeParameters(times)],
  );
  return rows.map(({ id, registry, header }) => ({
    id: hexOf(id),
    registry: registryOf(registry),
    header: storedHeader(header),
  }));
}

/** Who waits for a registry's ledger time to pass. */
export interface Timekeeping {
  /** The partners who have a batch open there, as source or target, ascending. */
  readonly partners: readonly PartnerId[];
  /** Whether the own partner has signed batches for it that are not on the ledger yet. */
  readonly hasUnopened: boolean;
}

/**
 * By the registry that is waited for.
 * @param first the ledger's first, which rows from before there was a second do not name
 */
export async function readTimekeeping(db: Queryable, first: Hex): Promise<ReadonlyMap<Hex, Timekeeping>> {
  const rows = await db.query<{ registry: Uint8Array; partner: number | null }>(
    `SELECT coalesce(registry, $1) AS registry, source AS partner FROM ledger_batches WHERE status = 'open'
     UNION SELECT coalesce(registry, $1), target FROM ledger_batches WHERE status = 'open'
     UNION SELECT coalesce(registry, $1), NULL FROM batches WHERE NOT on_ledger AND voided_at IS NULL ORDER BY partner`,
    [bytesOf(first)],
  );
  const byRegistry = Map.groupBy(rows, ({ registry }) => hexOf(registry));
  return new Map(
    [...byRegistry].map(([registry, list]) => [
      registry,
      {
        partners: list.flatMap(({ partner }) => (partner === null ? [] : [parsePartnerId(partner)])),
        hasUnopened: list.some(({ partner }) => partner === null),
      },
    ]),
  );
}

export async function countOpenBatches(db: Queryable, partner: PartnerId): Promise<number> {
  const [row] = await db.query<{ open: number }>(
    `SELECT count(*)::integer AS open FROM ledger_batches WHERE status = 'open' AND (source = $1 OR target = $1)`,
    [partner],
  );
  return row?.open ?? 0;
}

/** A header that this store has written itself. */
export function storedHeader(json: unknown): BatchHeader {
  return parseWire(headerSchema, json, "ledger_batches.header");
}

const rejectedSchema: z.ZodType<readonly PublishedRejection[]> = z.array(
  z.strictObject({ leaf: hexText(32), code: hexText(4) }),
);

/** What the ledger published with a batch's end, as this store has written it. */
export function storedRejections(json: unknown): readonly PublishedRejection[] {
  return parseWire(rejectedSchema, json, "ledger_batches.rejected");
}

/** The leaves that the ledger refunded with a batch's end. */
export function refundedLeaves(json: unknown): ReadonlySet<Hex> {
  return new Set(storedRejections(json).map(({ leaf }) => leaf));
}
