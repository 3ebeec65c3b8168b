import { toHex, type Hex } from "./bytes/hex.ts";
import { InvalidInput } from "./errors.ts";
import { reasonFromBytes4, type ReasonCode } from "./reason.ts";
import { transferLeaf, type Transfer } from "./transfer.ts";

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
export const BATCH_OPERATIONS = ["open", "openAndSettle", "settle", "rejectAll", "expire"] as const;
export type BatchOperation = (typeof BATCH_OPERATIONS)[number];

/** The life cycle of a batch, complete: a pair that is not here is refused. */
const BATCH_TRANSITIONS: readonly {
  readonly operation: BatchOperation;
  readonly from: BatchStatus;
  readonly to: BatchStatus;
}[] = [
  { operation: "open", from: BatchStatus.None, to: BatchStatus.Open },
  { operation: "openAndSettle", from: BatchStatus.None, to: BatchStatus.Settled },
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

/** What stores, receipts and reports call a batch's status. */
export const BATCH_STATUS_NAMES = {
  [BatchStatus.None]: "none",
  [BatchStatus.Open]: "open",
  [BatchStatus.Settled]: "settled",
  [BatchStatus.Rejected]: "rejected",
  [BatchStatus.Expired]: "expired",
} as const satisfies Readonly<Record<BatchStatus, string>>;
/** How the ledger ends a batch, and each transfer in it. */
export const FINAL_STATUSES = ["settled", "rejected", "expired"] as const;
export type FinalStatus = (typeof FINAL_STATUSES)[number];
/** Of a batch that is on the ledger. */
export type LedgerStatus = "open" | FinalStatus;

/**
 * Where a transfer stands, in the order of its life, with ISO 20022's ExternalPaymentTransactionStatus1Code (pacs.002
 * TxSts). Final is what moves no more money: it is there, or it is back. After `settled`, `credited` may still come.
 */
export const TRANSFER_STATUSES = {
  received: { pacs002: "RCVD", isFinal: false },
  /** For money, or for transfers before it. */
  waiting: { pacs002: "PDNG", isFinal: false },
  batched: { pacs002: "ACTC", isFinal: false },
  /** Its batch is open on the ledger. */
  held: { pacs002: "ACSP", isFinal: false },
  settled: { pacs002: "ACSC", isFinal: true },
  credited: { pacs002: "ACCC", isFinal: true },
  /** The target partner refused it, and the ledger refunded it. */
  rejected: { pacs002: "RJCT", isFinal: true },
  /** Its batch was not settled in time, and the ledger refunded it. */
  expired: { pacs002: "RJCT", isFinal: true },
  /** It never got on the ledger. */
  failed: { pacs002: "RJCT", isFinal: true },
  cancelled: { pacs002: "CANC", isFinal: true },
} as const;
export type TransferStatusName = keyof typeof TRANSFER_STATUSES;

/** What a transfer ends with that the ledger did not settle, or not open, in time. */
export const TIMED_OUT: ReasonCode = "AB03";
/** Of a code on the ledger that is none of the network's: it takes any four bytes. */
const UNKNOWN_REASON: ReasonCode = "NARR";

/** A rejected transfer as the ledger publishes it. */
export interface PublishedRejection {
  readonly leaf: Hex;
  /** bytes4: four ASCII characters. */
  readonly code: Hex;
}

/** How the ledger has ended a transfer. */
export type Outcome =
  | { readonly status: "settled" }
  /** Without a code where the batch is rejected as a whole, and none was published for this transfer. */
  | { readonly status: "rejected"; readonly reason: ReasonCode; readonly code?: Hex }
  | { readonly status: "expired"; readonly reason: ReasonCode };

/** How a batch ended. */
export interface Ending {
  readonly status: FinalStatus;
  /** What was refunded of a settled or rejected batch. */
  readonly rejected: readonly PublishedRejection[];
}

/** What a batch's end makes of each of its transfers. */
export function outcomesIn(batch: Ending): (transfer: Transfer) => Outcome {
  const codes = new Map(batch.rejected.map(({ leaf, code }) => [leaf, code]));
  return (transfer) => {
    if (batch.status === "expired") return { status: "expired", reason: TIMED_OUT };
    const code = codes.size === 0 ? undefined : codes.get(toHex(transferLeaf(transfer)));
    if (code === undefined && batch.status === "settled") return { status: "settled" };
    if (code === undefined) return { status: "rejected", reason: UNKNOWN_REASON };
    return { status: "rejected", reason: reasonFromBytes4(code) ?? UNKNOWN_REASON, code };
  };
}
