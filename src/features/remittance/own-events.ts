import type { Hex } from "../../domain/bytes/hex.ts";
import { formatInstant } from "../../domain/instant.ts";
import { outcomesIn, type FinalStatus } from "../../domain/lifecycle.ts";
import type { Transfer } from "../../domain/transfer.ts";
import type { Uetr } from "../../domain/uetr.ts";
import type { JsonObject } from "../../domain/wire.ts";
import type { LedgerEvent } from "../../ledger/events.ts";
import type { FinalBatch, OpenedBatch } from "./store/ledger-projection.ts";
import type { NewEvents } from "../../kernel/store/events.ts";

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

/** One event a transfer, in the order of the transfers. */
export function heldEvents(batch: OpenedBatch, transfers: readonly Transfer[], nowMs: number): NewEvents {
  return { ...commonOf(batch, nowMs), type: "transfer.held", uetrs: transfers.map(({ uetr }) => uetr) };
}

/**
 * One event a transfer, in their order: it is settled, rejected with the reason that is published for its leaf, or expired.
 * @throws Error when a leaf is published that is none of the transfers', which the ledger has proved to be in the batch
 */
export function finalEvents(batch: FinalBatch, transfers: readonly Transfer[], nowMs: number): readonly NewEvents[] {
  const { id, rejected } = batch;
  const outcomeOf = outcomesIn(batch);
  // Those that follow each other and have ended alike.
  const ends: { readonly status: FinalStatus; readonly uetrs: Uetr[]; readonly own: JsonObject[] }[] = [];
  let published = 0;
  for (const transfer of transfers) {
    const { status, ...own } = outcomeOf(transfer);
    if ("code" in own) published++;
    const last = ends.at(-1);
    const end = last?.status === status ? last : { status, uetrs: [], own: [] };
    if (end !== last) ends.push(end);
    end.uetrs.push(transfer.uetr);
    end.own.push(own);
  }
  if (transfers.length > 0 && published < rejected.length) {
    throw new Error(
      `batch ${id}: the ledger rejected ${rejected.length - published} leaves that are not of its transfers`,
    );
  }
  return ends.map(({ status, ...each }) => ({
    ...commonOf(batch, nowMs),
    type: `transfer.${status}` as const,
    ...each,
  }));
}

function commonOf({ id, at }: OpenedBatch | FinalBatch, nowMs: number) {
  const { transaction, timeSeconds, block, logIndex } = at;
  const data = { transaction, time: formatInstant(timeSeconds * 1_000) };
  return { batch: id, at: nowMs, ledger: { block, logIndex }, data };
}
