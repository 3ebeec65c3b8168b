import { toHex, type Hex } from "../../domain/bytes/hex.ts";
import { formatInstant } from "../../domain/instant.ts";
import { reasonFromBytes4, type ReasonCode } from "../../domain/reason.ts";
import { transferLeaf, type Transfer } from "../../domain/transfer.ts";
import type { LedgerEvent } from "../../ledger/events.ts";
import type { FinalBatch, FinalStatus, LedgerPlace, OpenedBatch } from "./store/ledger-projection.ts";
import type { EventType, NewEvent } from "../../kernel/store/events.ts";

// What happens to a batch on the ledger, as events of the transfers in it.

export type BatchEvent = Extract<LedgerEvent, { readonly batchId: Hex }>;
/** One that ends its batch. */
export type BatchEnd = Exclude<BatchEvent, { readonly kind: "Opened" }>;

/** What the store calls a batch's end. */
export const FINAL_STATUS: Readonly<Record<BatchEnd["kind"], FinalStatus>> = {
  Settled: "settled",
  Rejected: "rejected",
  Expired: "expired",
};

/** The reason that is told where the ledger has four bytes that the network does not know. */
const UNKNOWN_REASON: ReasonCode = "NARR";

/** One event a transfer, in the order of the transfers. */
export function heldEvents({ id, at }: OpenedBatch, transfers: readonly Transfer[], nowMs: number): NewEvent[] {
  return transfers.map(({ uetr }) => eventOf("transfer.held", { uetr, batch: id, at, nowMs, data: {} }));
}

/**
 * One event a transfer: it is settled, rejected with the reason that is published for its leaf, or expired.
 * @throws Error when a leaf is published that is none of the transfers', which the ledger has proved to be in the batch
 */
export function finalEvents(
  { id, status, rejected, at }: FinalBatch,
  transfers: readonly Transfer[],
  nowMs: number,
): NewEvent[] {
  const common = { batch: id, at, nowMs };
  if (status === "expired") {
    return transfers.map(({ uetr }) => eventOf("transfer.expired", { ...common, uetr, data: { reason: "AB03" } }));
  }
  const codes = new Map(rejected.map(({ leaf, code }) => [leaf, code]));
  const events = transfers.map((transfer) => {
    const { uetr } = transfer;
    const leaf = codes.size === 0 ? undefined : toHex(transferLeaf(transfer));
    const code = leaf === undefined ? undefined : codes.get(leaf);
    if (leaf === undefined || code === undefined) return eventOf("transfer.settled", { ...common, uetr, data: {} });
    codes.delete(leaf);
    const data = { reason: reasonFromBytes4(code) ?? UNKNOWN_REASON, code };
    return eventOf("transfer.rejected", { ...common, uetr, data });
  });
  if (transfers.length > 0 && codes.size > 0) {
    throw new Error(`batch ${id}: the ledger rejected ${codes.size} leaves that are not of its transfers`);
  }
  return events;
}

interface Facts {
  readonly uetr: Transfer["uetr"];
  readonly batch: Hex;
  readonly at: LedgerPlace;
  readonly nowMs: number;
  readonly data: { readonly [name: string]: string };
}

function eventOf(type: EventType, { uetr, batch, at, nowMs, data }: Facts): NewEvent {
  return {
    type,
    uetr,
    batch,
    at: nowMs,
    ledger: { block: at.block, logIndex: at.logIndex },
    data: { ...data, transaction: at.transaction, time: formatInstant(at.timeSeconds * 1_000) },
  };
}
