import type { Hex } from "../../domain/bytes/hex.ts";
import { formatInstant } from "../../domain/instant.ts";
import { outcomesIn, type FinalStatus } from "../../domain/lifecycle.ts";
import type { Transfer } from "../../domain/transfer.ts";
import type { LedgerEvent } from "../../ledger/events.ts";
import type { FinalBatch, LedgerPlace, OpenedBatch } from "./store/ledger-projection.ts";
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

/** One event a transfer, in the order of the transfers. */
export function heldEvents({ id, at }: OpenedBatch, transfers: readonly Transfer[], nowMs: number): NewEvent[] {
  const where = whereIs(at);
  return transfers.map(({ uetr }) => eventOf("transfer.held", { uetr, batch: id, at, nowMs, data: where }));
}

/**
 * One event a transfer: it is settled, rejected with the reason that is published for its leaf, or expired.
 * @throws Error when a leaf is published that is none of the transfers', which the ledger has proved to be in the batch
 */
export function finalEvents(batch: FinalBatch, transfers: readonly Transfer[], nowMs: number): NewEvent[] {
  const { id, at, rejected } = batch;
  const outcomeOf = outcomesIn(batch);
  const where = whereIs(at);
  let published = 0;
  const events = transfers.map((transfer) => {
    const { status, ...data } = outcomeOf(transfer);
    if ("code" in data) published++;
    const told = Object.keys(data).length === 0 ? where : { ...data, ...where };
    return eventOf(`transfer.${status}`, { uetr: transfer.uetr, batch: id, at, nowMs, data: told });
  });
  if (transfers.length > 0 && published < rejected.length) {
    throw new Error(
      `batch ${id}: the ledger rejected ${rejected.length - published} leaves that are not of its transfers`,
    );
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

function whereIs({ transaction, timeSeconds }: LedgerPlace): Facts["data"] {
  return { transaction, time: formatInstant(timeSeconds * 1_000) };
}

function eventOf(type: EventType, { uetr, batch, at, nowMs, data }: Facts): NewEvent {
  return {
    type,
    uetr,
    batch,
    at: nowMs,
    ledger: { block: at.block, logIndex: at.logIndex },
    data,
  };
}
