import { InvalidInput } from "./errors.ts";
import type { ReasonCode } from "./reason.ts";

/** Status of a batch, with the numbers of the ledger's enum. The last three are final. */
export const BatchStatus = {
  None: 0,
  Open: 1,
  Settled: 2,
  /** Every transfer was rejected. */
  Rejected: 3,
  Expired: 4,
} as const;
export type BatchStatus = (typeof BatchStatus)[keyof typeof BatchStatus];

/** What can be done to a batch. `rejectAll` is the ledger's `settle` with a rejection for every transfer. */
export const BATCH_OPERATIONS = ["open", "settle", "rejectAll", "expire"] as const;
export type BatchOperation = (typeof BATCH_OPERATIONS)[number];

/** The life cycle of a batch, complete: a pair that is not here is refused. */
const BATCH_TRANSITIONS: readonly {
  readonly operation: BatchOperation;
  readonly from: BatchStatus;
  readonly to: BatchStatus;
}[] = [
  { operation: "open", from: BatchStatus.None, to: BatchStatus.Open },
  { operation: "settle", from: BatchStatus.Open, to: BatchStatus.Settled },
  { operation: "rejectAll", from: BatchStatus.Open, to: BatchStatus.Rejected },
  { operation: "expire", from: BatchStatus.Open, to: BatchStatus.Expired },
];

export type Transition =
  | { readonly kind: "moved"; readonly status: BatchStatus }
  | {
      readonly kind: "refused";
      readonly operation: BatchOperation;
      readonly current: BatchStatus;
      /** The statuses in which the operation is allowed. */
      readonly allowed: readonly BatchStatus[];
    };

/** Where an operation takes a batch, or that it does not. */
export function transition(current: BatchStatus, operation: BatchOperation): Transition {
  const rows = BATCH_TRANSITIONS.filter((row) => row.operation === operation);
  const row = rows.find(({ from }) => from === current);
  if (row !== undefined) return { kind: "moved", status: row.to };
  return { kind: "refused", operation, current, allowed: rows.map(({ from }) => from) };
}

/**
 * Reads the ledger's number.
 * @throws InvalidInput when it is none of the enum's
 */
export function parseBatchStatus(value: number | bigint, field = "status"): BatchStatus {
  const status = Object.values(BatchStatus).find((known) => String(known) === String(value));
  if (status === undefined) throw new InvalidInput(field, "a batch status, from 0 to 4", value);
  return status;
}

/** Status of one transfer, with ISO 20022's transaction status (pacs.002 TxSts) and reason (StsRsnInf). */
export type TransferStatus =
  /** Not on the ledger yet. */
  | { readonly kind: "received"; readonly pacs002: "RCVD" }
  /** Its money is held. */
  | { readonly kind: "held"; readonly pacs002: "ACSP" }
  | { readonly kind: "settled"; readonly pacs002: "ACSC" }
  /** Refunded because the target partner refused it. */
  | { readonly kind: "rejected"; readonly pacs002: "RJCT"; readonly reason: ReasonCode }
  /** Refunded because the batch was not settled in time. */
  | { readonly kind: "expired"; readonly pacs002: "RJCT"; readonly reason: "AB03" };

/**
 * What a batch's status makes of one of its transfers.
 * @param rejection the transfer's reason among the batch's rejections, if it is there
 * @throws InvalidInput when batch and rejection contradict each other: only a settled or rejected batch has rejections,
 * and a rejected batch has one for each transfer
 */
export function transferStatus(batch: BatchStatus, rejection?: ReasonCode): TransferStatus {
  if (rejection !== undefined) {
    if (batch !== BatchStatus.Settled && batch !== BatchStatus.Rejected) {
      throw new InvalidInput("rejection", "none unless the batch is settled or rejected", rejection);
    }
    return { kind: "rejected", pacs002: "RJCT", reason: rejection };
  }
  switch (batch) {
    case BatchStatus.None:
      return { kind: "received", pacs002: "RCVD" };
    case BatchStatus.Open:
      return { kind: "held", pacs002: "ACSP" };
    case BatchStatus.Settled:
      return { kind: "settled", pacs002: "ACSC" };
    case BatchStatus.Rejected:
      throw new InvalidInput("rejection", "one for each transfer of a rejected batch");
    case BatchStatus.Expired:
      return { kind: "expired", pacs002: "RJCT", reason: "AB03" };
  }
}
