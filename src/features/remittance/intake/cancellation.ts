import type { TransferStatusResponse } from "../../../schema/transfer-status.ts";
import type { Uetr } from "../../../domain/uetr.ts";
import { appendEvents } from "../../../kernel/store/events.ts";
import { cancelTransfer, findTransfer } from "../store/transfers.ts";
import type { RelayContext } from "../../context.ts";
import { refused, type Refusal } from "../../../kernel/refusal.ts";
import { statusOf } from "../status.ts";

export type Cancellation = { readonly kind: "cancelled"; readonly status: TransferStatusResponse } | Refusal;

/**
 * Cancels a transfer that is in no batch yet: from then on none will take it. Of a batcher and a caller who come at the
 * same time, one has the row, and the other sees what became of it.
 */
export async function cancel(context: RelayContext, uetr: Uetr): Promise<Cancellation> {
  const { db, ledger, clock, checkpoint, wake } = context;
  const cancelled = await db.transaction(async (tx) => {
    const nowMs = clock.nowMs();
    if (!(await cancelTransfer(tx, uetr, nowMs))) return false;
    await appendEvents(tx, [{ type: "transfer.cancelled", uetr, at: nowMs, data: {} }]);
    return true;
  });
  if (cancelled) {
    checkpoint("cancellation.stored");
    context.metrics.transfersEnded.inc({ status: "cancelled" });
    wake("notifier");
  }
  const record = await findTransfer(db, ledger.addresses.treasury, uetr);
  if (record === undefined) return refused("not-found", "this relay has accepted no such transfer");
  const status = statusOf(record);
  if (status.status === "cancelled") return { kind: "cancelled", status };
  const isAskedAbout = record.batch === undefined && record.ended === undefined;
  const detail = isAskedAbout
    ? "the target partner is being asked about it: it is batched in a moment, or can be cancelled again"
    : `the transfer is ${status.status} already`;
  return { ...refused("not-cancellable", detail), stored: status };
}
