import { toHex, type Hex } from "../../src/domain/bytes/hex.ts";
import { parseUetr } from "../../src/domain/uetr.ts";
import type { Ledger } from "../../src/ledger/contracts.ts";
import type { Queryable } from "../../src/kernel/store/database.ts";
import type { EndedBatch, SentBatch } from "./reconciliation.ts";

interface TransferRow {
  readonly uetr: string;
  readonly batch: Uint8Array;
  readonly source_amount: bigint;
  readonly target_amount: bigint;
  readonly details_hash: Uint8Array;
}

/** The batches that a relay has made of its transfers, by its own store. */
export async function readSentBatches(db: Queryable): Promise<readonly SentBatch[]> {
  const rows = await db.query<TransferRow>(
    `SELECT uetr, batch, source_amount, target_amount, details_hash FROM transfers
     WHERE batch IS NOT NULL ORDER BY batch, seq`,
  );
  const byBatch = Map.groupBy(rows, ({ batch }) => toHex(batch));
  return [...byBatch].map(([batchId, members]) => ({
    batchId,
    transfers: members.map((row) => ({
      uetr: parseUetr(row.uetr),
      sourceAmount: row.source_amount,
      targetAmount: row.target_amount,
      detailsHash: toHex(row.details_hash),
    })),
  }));
}

/** Each batch's share in the gas of its transactions; a transaction may have been of several batches. */
export async function measureGas(
  { provider }: Pick<Ledger, "provider">,
  batches: readonly EndedBatch[],
): Promise<ReadonlyMap<Hex, bigint>> {
  const uses = Map.groupBy(
    batches.flatMap(({ transactions }) => transactions),
    (hash) => hash,
  );
  const shares = new Map(
    await Promise.all(
      [...uses].map(async ([hash, { length }]) => {
        const receipt = await provider.getTransactionReceipt(hash);
        return [hash, (receipt?.gasUsed ?? 0n) / BigInt(length)] as const;
      }),
    ),
  );
  return new Map(
    batches.map(({ batchId, transactions }) => [
      batchId,
      transactions.reduce((sum, hash) => sum + (shares.get(hash) ?? 0n), 0n),
    ]),
  );
}
