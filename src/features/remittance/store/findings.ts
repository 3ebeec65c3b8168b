import type { Hex } from "../../../domain/bytes/hex.ts";
import type { PartnerId } from "../../../domain/partner.ts";
import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import type { Queryable, SqlValue } from "../../../kernel/store/database.ts";
import { bytesOf, hexOf, numberOf } from "../../../kernel/store/values.ts";

// What a reconciliation asks the store. It is asked while the relay works: each question is one statement.

/** A batch as the watcher wrote it, as of a block. */
export interface ProjectedStatus {
  readonly id: Hex;
  readonly status: "open" | "settled" | "rejected" | "expired";
}

/** Batches that had been opened up to a block, in the order of their ids, those after one. */
export async function projectedStatuses(
  db: Queryable,
  block: number,
  after: Hex,
  limit: number,
): Promise<readonly ProjectedStatus[]> {
  const rows = await db.query<{ id: Uint8Array; status: ProjectedStatus["status"] }>(
    `SELECT id, CASE WHEN final_block <= $1 THEN status ELSE 'open' END AS status FROM ledger_batches
     WHERE opened_block <= $1 AND id > $2 ORDER BY id LIMIT $3`,
    [block, bytesOf(after), limit],
  );
  return rows.map(({ id, status }) => ({ id: hexOf(id), status }));
}

/** Batches that contradict each other in the store, by how they do. */
export async function contradictoryBatches(
  db: Queryable,
  partner: PartnerId,
): Promise<readonly { readonly id: Hex; readonly how: "unknown" | "void" | "unmarked" }[]> {
  const rows = await db.query<{ id: Uint8Array; how: "unknown" | "void" | "unmarked" }>(
    `SELECT l.id, CASE WHEN b.id IS NULL THEN 'unknown' WHEN b.voided_at IS NOT NULL THEN 'void' ELSE 'unmarked' END AS how
     FROM ledger_batches l LEFT JOIN batches b ON b.id = l.id
     WHERE l.source = $1 AND (b.id IS NULL OR b.voided_at IS NOT NULL OR NOT b.on_ledger)
     UNION ALL
     SELECT b.id, 'unmarked' FROM batches b
     WHERE b.on_ledger AND NOT EXISTS (SELECT 1 FROM ledger_batches l WHERE l.id = b.id)`,
    [partner],
  );
  return rows.map(({ id, how }) => ({ id: hexOf(id), how }));
}

/** Own transfers whose time was over before a moment, in milliseconds, and which have no end and are in no batch. */
export async function endlessTransfers(db: Queryable, beforeMs: number): Promise<readonly Uetr[]> {
  return uetrs(
    db,
    "SELECT uetr FROM transfers WHERE batch IS NULL AND ended IS NULL AND expires_at < $1 ORDER BY seq",
    [beforeMs],
  );
}

/**
 * Own batches that should have ended: signed ones that can be opened no more, and open ones of this partner that are
 * past their expiry.
 * @param ledgerTime seconds
 * @param blockTime seconds
 */
export async function endlessBatches(
  db: Queryable,
  partner: PartnerId,
  ledgerTime: number,
  blockTime: number,
): Promise<readonly { readonly id: Hex; readonly isOpen: boolean }[]> {
  const rows = await db.query<{ id: Uint8Array; open: boolean }>(
    `SELECT id, true AS open FROM ledger_batches
     WHERE status = 'open' AND (source = $1 OR target = $1) AND expires_at_s <= $2
     UNION ALL
     SELECT id, false FROM batches WHERE NOT on_ledger AND voided_at IS NULL
       AND ((header->>'expiresAt')::bigint <= $2
         OR ((header->'quote'->>'provider')::integer <> 0 AND (header->'quote'->>'validUntil')::bigint < $3))`,
    [partner, ledgerTime, blockTime],
  );
  return rows.map(({ id, open }) => ({ id: hexOf(id), isOpen: open }));
}

/** Credits of batches that had settled before a moment, in seconds, and are not posted. */
export async function owedCredits(db: Queryable, settledBefore: number): Promise<readonly Uetr[]> {
  return uetrs(
    db,
    `SELECT c.uetr FROM credits c JOIN ledger_batches l ON l.id = c.batch
     WHERE l.status = 'settled' AND c.credited_at IS NULL AND l.final_time_s <= $1 ORDER BY c.uetr`,
    [settledBefore],
  );
}

/** Credits that are posted although their batch has not settled. */
export async function wrongCredits(db: Queryable): Promise<readonly Uetr[]> {
  return uetrs(
    db,
    `SELECT c.uetr FROM credits c LEFT JOIN ledger_batches l ON l.id = c.batch
     WHERE c.credited_at IS NOT NULL AND l.status IS DISTINCT FROM 'settled' ORDER BY c.uetr`,
    [],
  );
}

/** Batches that had settled before a moment, in seconds, of whose credits the source relay has not been told. */
export async function unconfirmedBatches(db: Queryable, settledBefore: number): Promise<readonly Hex[]> {
  const rows = await db.query<{ batch: Uint8Array }>(
    `SELECT d.batch FROM decisions d JOIN ledger_batches l ON l.id = d.batch
     WHERE l.status = 'settled' AND d.confirmed_at IS NULL AND l.final_time_s <= $1 ORDER BY d.batch`,
    [settledBefore],
  );
  return rows.map(({ batch }) => hexOf(batch));
}

/** How much there is of this feature's to go through. */
export async function extentOf(db: Queryable): Promise<Readonly<Record<string, number>>> {
  const [row] = await db.query<{ batches: bigint; transfers: bigint; credits: bigint }>(
    `SELECT (SELECT count(*) FROM ledger_batches) AS batches, (SELECT count(*) FROM transfers) AS transfers,
       (SELECT count(*) FROM credits) AS credits`,
  );
  const { batches = 0n, transfers = 0n, credits = 0n } = row ?? {};
  return { batches: numberOf(batches), transfers: numberOf(transfers), credits: numberOf(credits) };
}

async function uetrs(db: Queryable, sql: string, values: readonly SqlValue[]): Promise<readonly Uetr[]> {
  return (await db.query<{ uetr: string }>(sql, values)).map(({ uetr }) => parseUetr(uetr));
}
