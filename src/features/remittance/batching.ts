import { networkFeeUp } from "../../domain/corridor.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import type { WaitingTransfer } from "./store/waiting-transfers.ts";

/** What the next batch of a corridor may take. Source minor units. */
export interface BatchRoom {
  readonly maxTransfers: number;
  /** The most that one batch may carry. */
  readonly maxPerBatch: bigint;
  /** What the corridor may still open today. */
  readonly leftToday: bigint;
  /** Money of the source partner that is free, for transfers and fee. */
  readonly money: bigint;
  /** What the quote's provider has of the target currency, in target minor units; undefined where nothing is exchanged. */
  readonly sellerMoney: bigint | undefined;
  readonly feeBps: bigint;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Which waiting transfers go into the next batch, and which have failed while they waited. */
export interface Selection {
  readonly taken: readonly WaitingTransfer[];
  readonly failed: readonly { readonly transfer: WaitingTransfer; readonly reason: ReasonCode }[];
  /** Those that their quote's provider has too little money for now. */
  readonly unsold: readonly WaitingTransfer[];
  /** Whether transfers were left to a next batch that could be made at once. */
  readonly hasMore: boolean;
}

/**
 * Goes through waiting transfers in the order of their acceptance and takes each that fits. One that is too large for the
 * money that is left does not hold up smaller ones behind it; it fails, or waits for money until its time is over.
 */
export function selectTransfers(waiting: readonly WaitingTransfer[], room: BatchRoom): Selection {
  const taken: WaitingTransfer[] = [];
  const failed: { transfer: WaitingTransfer; reason: ReasonCode }[] = [];
  const unsold: WaitingTransfer[] = [];
  let [sourceTotal, targetTotal] = [0n, 0n];
  let hasMore = false;
  for (const transfer of waiting) {
    const total = sourceTotal + transfer.sourceAmount;
    const isUnfunded = total + networkFeeUp(total, room.feeBps) > room.money;
    if (transfer.expiresAt <= room.nowMs) {
      failed.push({ transfer, reason: isUnfunded ? "AM04" : "AB03" });
    } else if (total > room.leftToday) {
      // Tomorrow it may fit.
    } else if (isUnfunded) {
      if (transfer.ifUnfunded === "fail") failed.push({ transfer, reason: "AM04" });
    } else if (room.sellerMoney !== undefined && targetTotal + transfer.targetAmount > room.sellerMoney) {
      unsold.push(transfer);
    } else if (total > room.maxPerBatch || taken.length === room.maxTransfers) {
      hasMore ||= taken.length > 0;
    } else {
      taken.push(transfer);
      sourceTotal = total;
      targetTotal += transfer.targetAmount;
    }
  }
  return { taken, failed, unsold, hasMore };
}
