import type { Corridor } from "../../../domain/corridor.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import type { Transfer } from "../../../domain/transfer.ts";
import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { bytesList, bytesOf, hexOf } from "../../../kernel/store/values.ts";
import { BATCHED } from "./batch-ranges.ts";

// Rows of `transfers` as their batch commits to them, always in the order of their acceptance, which is that of the batch.

/** The columns of a `TransferRow`. */
export const TRANSFER_COLUMNS = "uetr, source_amount, target_amount, details_hash";

export interface TransferRow {
  readonly uetr: string;
  readonly source_amount: bigint;
  readonly target_amount: bigint;
  readonly details_hash: Uint8Array;
}

export function transferOf(row: TransferRow): Transfer {
  return {
    uetr: parseUetr(row.uetr),
    sourceAmount: row.source_amount,
    targetAmount: row.target_amount,
    detailsHash: hexOf(row.details_hash),
  };
}

/** The transfers of own batches. */
export async function transfersOfBatches(
  db: Queryable,
  ids: readonly Hex[],
): Promise<ReadonlyMap<Hex, readonly Transfer[]>> {
  if (ids.length === 0) return new Map();
  const rows = await db.query<TransferRow & { readonly batch: Uint8Array }>(
    `SELECT r.batch, ${TRANSFER_COLUMNS} FROM ${BATCHED} WHERE r.batch = ANY ($1::bytea[]) ORDER BY r.batch, t.seq`,
    [bytesList(ids)],
  );
  const byBatch = Map.groupBy(rows, ({ batch }) => hexOf(batch));
  return new Map([...byBatch].map(([id, members]) => [id, members.map(transferOf)]));
}

/** A transfer of an own batch with what opens its details, sealed; null once erased. */
export interface SealedTransfer extends Transfer {
  readonly sealed: Uint8Array | null;
}

export async function sealedTransfersOf(db: Queryable, batch: Hex): Promise<readonly SealedTransfer[]> {
  const rows = await db.query<TransferRow & { readonly sealed: Uint8Array | null }>(
    `SELECT ${TRANSFER_COLUMNS}, sealed FROM ${BATCHED} WHERE r.batch = $1 ORDER BY t.seq`,
    [bytesOf(batch)],
  );
  return rows.map((row) => ({ ...transferOf(row), sealed: row.sealed }));
}

/** Those of an own batch's transfers that are for another corridor. */
export async function strangersIn(
  db: Queryable,
  batch: Hex,
  { target, sourceCurrency, targetCurrency }: Omit<Corridor, "source">,
): Promise<readonly Uetr[]> {
  const rows = await db.query<{ readonly uetr: string }>(
    `SELECT t.uetr FROM ${BATCHED} WHERE r.batch = $1
       AND (t.target, t.source_currency, t.target_currency) IS DISTINCT FROM ($2::integer, $3::text, $4::text)
     ORDER BY t.seq`,
    [bytesOf(batch), target, sourceCurrency, targetCurrency],
  );
  return rows.map(({ uetr }) => parseUetr(uetr));
}
