import { exceedsRate, type Batch, type BatchHeader } from "./batch.ts";
import { bytesWord, compareBytes, concat, WORD_BYTES } from "./bytes/bytes.ts";
import { fromHex, toHex, type Hex } from "./bytes/hex.ts";
import { keccak256 } from "./bytes/keccak.ts";
import { feeForSettledUp } from "./corridor.ts";
import { InvalidInput } from "./errors.ts";
import { BatchStatus } from "./lifecycle.ts";
import { merkleMultiproof, type Multiproof } from "./merkle.ts";
import { isNoQuote } from "./quote.ts";
import { reasonToBytes4, type ReasonCode } from "./reason.ts";
import { transferLeaf, type Transfer } from "./transfer.ts";
import {
  batchDomain,
  hashAcceptance,
  hashSettlement,
  typedDataDigest,
  type AcceptanceStruct,
  type Chain,
} from "./typed-data.ts";
import type { Uetr } from "./uetr.ts";

/** A transfer that the target partner refuses; it is refunded in the transaction that settles the rest. */
export interface Rejection {
  readonly transfer: Transfer;
  readonly reason: ReasonCode;
}

/** Rejections as `settle` on the ledger takes them. */
export interface ProvedRejections {
  /** In ascending order of their leaves, the only one the ledger accepts. */
  readonly rejections: readonly Rejection[];
  /** Undefined without rejections. */
  readonly multiproof: Multiproof | undefined;
  readonly rejectionsHash: Hex;
}

/** What settling a batch comes to. Source amounts in source minor units, target amounts in target minor units. */
export interface Settlement {
  readonly kind: "computed";
  /** Settled, or Rejected when every transfer is. */
  readonly status: typeof BatchStatus.Settled | typeof BatchStatus.Rejected;
  readonly settledCount: number;
  /** From the source partner to the provider, or to the target partner where there is none. */
  readonly settledSource: bigint;
  /** From the provider, or the source partner where there is none, to the target partner. */
  readonly settledTarget: bigint;
  /** From the source partner to the hub. */
  readonly feeCharged: bigint;
  /** Back to the source partner: rejected source amounts and the fee's share of them. */
  readonly sourceRefund: bigint;
  /** Back to the provider; zero where there is none. */
  readonly providerRefund: bigint;
}

/** Why the ledger refuses a settlement, in the order in which it looks. */
export type SettlementRefusal = "REJECTED_TWICE" | "TOTALS_MISMATCH" | "RATE_EXCEEDED";

export type SettlementOutcome = Settlement | { readonly kind: "refused"; readonly refusal: SettlementRefusal };

/**
 * Chains rejections in ascending order of their leaves: h = keccak256(abi.encode(h, leaf, reason)), from zero. The given
 * order does not matter.
 * @throws InvalidInput when a transfer is rejected twice
 */
export function rejectionsHash(rejections: readonly Rejection[]): Hex {
  let hash: Uint8Array = new Uint8Array(WORD_BYTES);
  for (const { leaf, reason } of ascendingByLeaf(rejections)) {
    hash = keccak256(concat(hash, leaf, bytesWord(fromHex(reasonToBytes4(reason)))));
  }
  return toHex(hash);
}

/** What the target partner signs: the EIP-712 digest over batch id and rejections hash. */
export function settlementDigest(settlement: { batchId: Hex; rejectionsHash: Hex }, chain: Chain): Hex {
  return typedDataDigest(batchDomain(chain), hashSettlement(settlement));
}

/**
 * What the target partner signs to have a batch opened and settled in one step: the EIP-712 digest over batch id and the
 * last block time at which that counts.
 */
export function acceptanceDigest(acceptance: AcceptanceStruct, chain: Omit<Chain, "quoteBook">): Hex {
  return typedDataDigest(batchDomain(chain), hashAcceptance(acceptance));
}

/**
 * Orders and proves the rejections of a batch.
 * @param reasons why, for each transfer to be rejected
 * @throws InvalidInput when a UETR is not in the batch
 */
export function proveRejections(batch: Batch, reasons: ReadonlyMap<Uetr, ReasonCode>): ProvedRejections {
  const indices: number[] = [];
  const rejections: Rejection[] = [];
  for (const [index, transfer] of batch.transfers.entries()) {
    const reason = reasons.get(transfer.uetr);
    if (reason === undefined) continue;
    indices.push(index);
    rejections.push({ transfer, reason });
  }
  if (rejections.length !== reasons.size) {
    const known = new Set(batch.transfers.map(({ uetr }) => uetr));
    throw new InvalidInput(
      "reasons",
      "only transfers of the batch",
      [...reasons.keys()].find((uetr) => !known.has(uetr)),
    );
  }
  return {
    rejections: ascendingByLeaf(rejections).map(({ transfer, reason }) => ({ transfer, reason })),
    multiproof: indices.length === 0 ? undefined : merkleMultiproof(batch.tree, indices),
    rejectionsHash: rejectionsHash(rejections),
  };
}

/**
 * What the ledger will do when a batch is settled with these rejections, all of which are in its tree. What is settled,
 * charged and refunded always adds up to what was held.
 */
export function settle(header: BatchHeader, rejections: readonly Rejection[]): SettlementOutcome {
  if (new Set(rejections.map(({ transfer }) => toHex(transferLeaf(transfer)))).size !== rejections.length) {
    return { kind: "refused", refusal: "REJECTED_TWICE" };
  }
  const settledCount = header.count - rejections.length;
  let settledSource = header.sourceTotal;
  let settledTarget = header.targetTotal;
  for (const { transfer } of rejections) {
    settledSource -= transfer.sourceAmount;
    settledTarget -= transfer.targetAmount;
  }
  if (header.count === 0 || !addsUp(settledCount, settledSource, settledTarget)) {
    return { kind: "refused", refusal: "TOTALS_MISMATCH" };
  }
  if (exceedsRate(header, settledSource, settledTarget)) return { kind: "refused", refusal: "RATE_EXCEEDED" };
  const feeCharged = feeForSettledUp(header.fee, settledSource, header.sourceTotal);
  return {
    kind: "computed",
    status: settledCount === 0 ? BatchStatus.Rejected : BatchStatus.Settled,
    settledCount,
    settledSource,
    settledTarget,
    feeCharged,
    sourceRefund: header.sourceTotal + header.fee - settledSource - feeCharged,
    providerRefund: isNoQuote(header.quote) ? 0n : header.targetTotal - settledTarget,
  };
}

/**
 * The ledger sees the rejected leaves only. It holds them to the header: at least one minor unit must be left for each
 * transfer that is not rejected, and nothing when all are.
 */
function addsUp(count: number, source: bigint, target: bigint): boolean {
  if (count === 0) return source === 0n && target === 0n;
  return count > 0 && source >= BigInt(count) && target >= BigInt(count);
}

function ascendingByLeaf(rejections: readonly Rejection[]): readonly (Rejection & { readonly leaf: Uint8Array })[] {
  const ascending = rejections
    .map((rejection) => ({ ...rejection, leaf: transferLeaf(rejection.transfer) }))
    .sort((left, right) => compareBytes(left.leaf, right.leaf));
  for (const [index, { leaf, transfer }] of ascending.entries()) {
    const next = ascending[index + 1];
    if (next !== undefined && compareBytes(leaf, next.leaf) === 0) {
      throw new InvalidInput("rejections", "no transfer twice", transfer.uetr);
    }
  }
  return ascending;
}
