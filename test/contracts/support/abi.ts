import type { BatchHeader } from "../../../src/domain/batch.ts";
import { toHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import type { Multiproof } from "../../../src/domain/merkle.ts";
import { packHeader } from "../../../src/domain/packed-header.ts";
import { reasonToBytes4 } from "../../../src/domain/reason.ts";
import type { Rejection } from "../../../src/domain/settlement.ts";
import { transferLeaf } from "../../../src/domain/transfer.ts";
import { transferStruct, type TransferStruct } from "../../../src/ledger/calls.ts";

export interface RejectionStruct {
  transfer: TransferStruct;
  reason: Hex;
}

export interface RejectedLeafStruct {
  leaf: Hex;
  reason: Hex;
}

export interface MultiProofStruct {
  siblings: Hex[];
  flags: boolean[];
}

export function rejectionStructs(rejections: readonly Rejection[]): RejectionStruct[] {
  return rejections.map(({ transfer, reason }) => ({
    transfer: transferStruct(transfer),
    reason: reasonToBytes4(reason),
  }));
}

/** Rejections as events publish them and `verify` takes them back. */
export function rejectedLeafStructs(rejections: readonly Rejection[]): RejectedLeafStruct[] {
  return rejections.map(({ transfer, reason }) => ({
    leaf: toHex(transferLeaf(transfer)),
    reason: reasonToBytes4(reason),
  }));
}

export function multiProofStruct(multiproof: Multiproof | undefined): MultiProofStruct {
  return { siblings: multiproof?.proof.map(toHex) ?? [], flags: [...(multiproof?.proofFlags ?? [])] };
}

/** The rejections of an event, as `withArgs` compares them: structs are arrays of their fields. */
export function rejectedTuples(rejections: readonly Rejection[]): Hex[][] {
  return rejectedLeafStructs(rejections).map(({ leaf, reason }) => [leaf, reason]);
}

/** A header in an event, as `withArgs` compares it. */
export function headerTuple(header: BatchHeader): unknown[] {
  const { terms, totals, root, quoteTerms, quoteRate, limits } = packHeader(header);
  return [terms, totals, root, quoteTerms, quoteRate, limits];
}
