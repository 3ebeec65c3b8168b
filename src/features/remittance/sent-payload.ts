import type { BatchHeader } from "../../domain/batch.ts";
import type { Hex } from "../../domain/bytes/hex.ts";
import type { BatchPayload, PayloadTransfer } from "../../domain/payload.ts";
import { registryAt } from "../../ledger/contracts.ts";
import type { RelayContext } from "../context.ts";
import { openDetails } from "./sealed-details.ts";
import { sealedTransfersOf } from "./store/batch-transfers.ts";

/** What the target's relay is told of an own batch; undefined where its personal data has been erased. */
export async function payloadOf(
  { db, ledger, sealer }: Pick<RelayContext, "db" | "ledger" | "sealer">,
  { id, registry, header }: { readonly id: Hex; readonly registry: Hex | undefined; readonly header: BatchHeader },
): Promise<BatchPayload | undefined> {
  const transfers: PayloadTransfer[] = [];
  for (const { sealed, ...transfer } of await sealedTransfersOf(db, id)) {
    if (sealed === null) return undefined;
    transfers.push({ ...transfer, ...openDetails(sealer, transfer.uetr, sealed) });
  }
  return { registry: registryAt(ledger, registry).chain.transferRegistry, header, transfers };
}
