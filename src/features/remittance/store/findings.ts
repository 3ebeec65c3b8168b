import type { Hex } from "../../../domain/bytes/hex.ts";
import type { PartnerId } from "../../../domain/partner.ts";
import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import type { Queryable, SqlValue } from "../../../kernel/store/database.ts";
import { bytesOf, hexOf } from "../../../kernel/store/values.ts";
import type { RegistryTime } from "../../../ledger/state.ts";
import { registryOf, timeOf, timeParameters } from "./registries.ts";

// What a reconciliation asks the store. It is asked while the relay works: each question is one statement.

/** A batch as the watcher wrote it, as of a block. */
export interface ProjectedStatus {
  readonly id: Hex;
  /** Undefined for the ledger's first. */
  readonly registry: Hex | undefined;
  readonly status: "open" | "settled" | "rejected" | "expired";
}

/** Batches that had been opened up to a block, in the order of their ids, those after one. */
export async function projectedStatuses(
  db: Queryable,
  block: number,
  after: Hex,
  limit: number,
): Promise<readonly ProjectedStatus[]> {
  const rows = await db.query<{ id: Uint8Array; registry: Uint8Array | null; status: ProjectedStatus["status"] }>(
    `SELECT id, registry, CASE WHEN final_block <= $1 THEN status ELSE 'open' END AS status FROM ledger_batches
     WHERE opened_block <= $1 AND id > $2 ORDER BY id LIMIT $3`,
    [block, bytesOf(after), limit],
  );
  return rows.map(({ id, registry, status }) => ({ id: hexOf(id), registry: registryOf(registry), status }));
}

/** How a batch on the ledger and what this relay has of its own contradict each other; undefined where they do not. */
export interface ComparedBatch {
  readonly id: Hex;
  readonly contradiction: "unknown" | "void" | "unmarked" | undefined;
}

/** Batches on the ledger after one, in the order of their ids, each beside what this relay has signed. */
export async function comparedBatches(
  db: Queryable,
  partner: PartnerId,
  after: Hex,
  limit: number,
): Promise<readonly ComparedBatch[]> {
  return compared(
    db,
    `SELECT l.id, CASE WHEN l.source <> $3 THEN NULL WHEN b.on_ledger IS NULL THEN 'unknown'
       WHEN b.voided_at IS NOT NULL THEN 'void' WHEN NOT b.on_ledger THEN 'unmarked' END AS how
     FROM (SELECT id, source FROM ledger_batches WHERE id > $1 ORDER BY id LIMIT $2) AS l
       LEFT JOIN LATERAL (SELECT on_ledger, voided_at FROM batches b WHERE b.id = l.id LIMIT 1) AS b ON true
     ORDER BY l.id`,
    [bytesOf(after), limit, partner],
  );
}

/** Own batches after one that are marked as being on the ledger, each beside whether it is. */
export async function comparedMarks(db: Queryable, after: Hex, limit: number): Promise<readonly ComparedBatch[]> {
  return compared(
    db,
    `SELECT b.id, CASE WHEN (SELECT l.id FROM ledger_batches l WHERE l.id = b.id) IS NULL THEN 'unmarked' END AS how
     FROM (SELECT id FROM batches WHERE on_ledger AND id > $1 ORDER BY id LIMIT $2) AS b ORDER BY b.id`,
    [bytesOf(after), limit],
  );
}

async function compared(db: Queryable, sql: string, values: readonly SqlValue[]): Promise<readonly ComparedBatch[]> {
  const rows = await db.query<{ id: Uint8Array; how: "unknown" | "void" | "unmarked" | null }>(sql, values);
  return rows.map(({ id, how }) => ({ id: hexOf(id), contradiction: how ?? undefined }));
}

/** Own transfers whose time was over before a moment, in milliseconds, and which wait for a batch yet. */
export async function endlessTransfers(db: Queryable, beforeMs: number): Promise<readonly Uetr[]> {
  return uetrs(
    db,
    "SELECT uetr FROM transfers WHERE seq = ANY (ARRAY(SELECT seq FROM waiting)) AND expires_at < $1 ORDER BY seq",
    [beforeMs],
  );
}

/**
 * Own batches that should have ended: signed ones that can be opened no more, and open ones of this partner that are
 * past their expiry.
 * @param ledgerTimes each registry's
 * @param blockTime seconds
 */
export async function endlessBatches(
  db: Queryable,
  partner: PartnerId,
  ledgerTimes: readonly RegistryTime[],
  blockTime: number,
): Promise<readonly { readonly id: Hex; readonly isOpen: boolean }[]> {
  const rows = await db.query<{ id: Uint8Array; open: boolean }>(
    `SELECT id, true AS open FROM ledger_batches
     WHERE status = 'open' AND (source = $1 OR target = $1) AND expires_at_s <= ${timeOf("registry", 3)}
     UNION ALL
     SELECT id, false FROM batches WHERE NOT on_ledger AND voided_at IS NULL
       AND ((header->>'expiresAt')::bigint <= ${timeOf("registry", 3)}
         OR ((header->'quote'->>'provider')::integer <> 0 AND (header->'quote'->>'validUntil')::bigint < $2))`,
    [partner, blockTime, ...timeParameters(ledgerTimes)],
  );
  return rows.map(({ id, open }) => ({ id: hexOf(id), isOpen: open }));
}

/** Credits of batches that had settled before a moment, in seconds, and are not posted. */
export async function owedCredits(db: Queryable, settledBefore: number): Promise<readonly Uetr[]> {
  return uetrs(
    db,
    `SELECT c.uetr FROM credits c WHERE c.credited_at IS NULL AND $1 >=
       (SELECT l.final_time_s FROM ledger_batches l WHERE l.id = c.batch AND l.status = 'settled') ORDER BY c.uetr`,
    [settledBefore],
  );
}

/** Batches that had settled before a moment, in seconds, of whose credits the source relay has not been told. */
export async function unconfirmedBatches(db: Queryable, settledBefore: number): Promise<readonly Hex[]> {
  const rows = await db.query<{ batch: Uint8Array }>(
    `SELECT d.batch FROM decisions d WHERE d.confirmed_at IS NULL AND $1 >=
       (SELECT l.final_time_s FROM ledger_batches l WHERE l.id = d.batch AND l.status = 'settled') ORDER BY d.batch`,
    [settledBefore],
  );
  return rows.map(({ batch }) => hexOf(batch));
}

async function uetrs(db: Queryable, sql: string, values: readonly SqlValue[]): Promise<readonly Uetr[]> {
  return (await db.query<{ uetr: string }>(sql, values)).map(({ uetr }) => parseUetr(uetr));
}
