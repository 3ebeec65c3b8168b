import { toHex, type Hex } from "../../src/domain/bytes/hex.ts";
import { transfersOfBatches } from "../../src/features/remittance/store/batch-transfers.ts";
import type { Ledger } from "../../src/ledger/contracts.ts";
import type { Queryable } from "../../src/kernel/store/database.ts";
import type { EndedBatch, SentBatch } from "./reconciliation.ts";

/** The batches that a relay has made of its transfers, by its own store. */
export async function readSentBatches(db: Queryable): Promise<readonly SentBatch[]> {
  const rows = await db.query<{ readonly id: Uint8Array }>("SELECT id FROM batches");
  const sent = await transfersOfBatches(
    db,
    rows.map(({ id }) => toHex(id)),
  );
  return [...sent].map(([batchId, transfers]) => ({ batchId, transfers }));
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
