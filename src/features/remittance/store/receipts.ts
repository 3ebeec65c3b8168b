import type { BatchHeader } from "../../../domain/batch.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import type { FinalStatus, PublishedRejection } from "../../../domain/lifecycle.ts";
import type { Uetr } from "../../../domain/uetr.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { ITS_BATCH } from "./batch-ranges.ts";
import { storedHeader, storedRejections } from "./ledger-projection.ts";
import { bytesOf, hexOf } from "../../../kernel/store/values.ts";
import { registryOf } from "./registries.ts";

// What receipts are made of.

/** A transfer of this relay's own customer. */
export interface SentTransfer {
  /** Undefined where it has not got into one. */
  readonly batch: Hex | undefined;
  /** Undefined once erased. */
  readonly sealed: Uint8Array | undefined;
}

export async function findSent(db: Queryable, uetr: Uetr): Promise<SentTransfer | undefined> {
  const [row] = await db.query<{ batch: Uint8Array | null; sealed: Uint8Array | null }>(
    `SELECT r.batch, t.sealed FROM transfers t ${ITS_BATCH} WHERE t.uetr = $1::uuid`,
    [uetr],
  );
  if (row === undefined) return undefined;
  return { batch: row.batch === null ? undefined : hexOf(row.batch), sealed: row.sealed ?? undefined };
}

/** The batch in which this relay's partner was sent a transfer that it has decided on. */
export async function findReceivedBatch(db: Queryable, uetr: Uetr): Promise<Hex | undefined> {
  const [row] = await db.query<{ batch: Uint8Array }>(
    `SELECT batch FROM credits WHERE uetr = $1::uuid
     UNION ALL SELECT batch FROM decisions WHERE rejections @> $2::jsonb LIMIT 1`,
    [uetr, JSON.stringify([{ uetr }])],
  );
  return row === undefined ? undefined : hexOf(row.batch);
}

/** A batch that has ended, as the ledger has it. */
export interface EndedBatch {
  /** Undefined for the ledger's first. */
  readonly registry: Hex | undefined;
  readonly header: BatchHeader;
  readonly status: FinalStatus;
  readonly rejected: readonly PublishedRejection[];
  readonly opened: Hex;
  readonly final: Hex;
}

/** Undefined while it has not. */
export async function findEnded(db: Queryable, batch: Hex): Promise<EndedBatch | undefined> {
  const [row] = await db.query<{
    registry: Uint8Array | null;
    header: unknown;
    status: EndedBatch["status"];
    rejected: unknown;
    opened_transaction: Uint8Array;
    final_transaction: Uint8Array;
  }>(
    `SELECT registry, header, status, rejected, opened_transaction, final_transaction FROM ledger_batches
     WHERE id = $1 AND status <> 'open' AND final_transaction IS NOT NULL`,
    [bytesOf(batch)],
  );
  if (row === undefined) return undefined;
  return {
    registry: registryOf(row.registry),
    header: storedHeader(row.header),
    status: row.status,
    rejected: storedRejections(row.rejected),
    opened: hexOf(row.opened_transaction),
    final: hexOf(row.final_transaction),
  };
}
