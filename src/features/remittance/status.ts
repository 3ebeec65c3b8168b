import type { TransferStatusName, TransferStatusResponse } from "../../schema/transfer-status.ts";
import { toHex, type Hex } from "../../domain/bytes/hex.ts";
import { reasonFromBytes4, type ReasonCode } from "../../domain/reason.ts";
import { transferLeaf } from "../../domain/transfer.ts";
import type { LedgerPoint, TransferRecord } from "./store/transfers.ts";
import { formatInstant as instant } from "../../domain/instant.ts";
import { amountsJson } from "./json.ts";

/** ISO 20022 transaction status (pacs.002 TxSts) beside each of ours. */
const PACS_002: Readonly<Record<TransferStatusName, string>> = {
  received: "RCVD",
  waiting: "PDNG",
  batched: "ACTC",
  held: "ACSP",
  settled: "ACSC",
  credited: "ACCC",
  rejected: "RJCT",
  expired: "RJCT",
  failed: "RJCT",
  cancelled: "CANC",
};

const FINAL: ReadonlySet<TransferStatusName> = new Set([
  "settled",
  "credited",
  "rejected",
  "expired",
  "failed",
  "cancelled",
]);

/** What a batch that was never opened, or never settled, ends its transfers with. */
const TIMED_OUT: ReasonCode = "AB03";
/** Of a code on the ledger that is none of the network's. */
const UNKNOWN_REASON: ReasonCode = "NARR";

type Step = TransferStatusResponse["steps"][number];

/** Where a transfer stands, with every step on the way: nothing but a reading of what is stored. */
export function statusOf(record: TransferRecord): TransferStatusResponse {
  const steps = stepsOf(record);
  const last = steps.at(-1);
  const status = last === undefined || (last.status === "received" && waits(record)) ? "waiting" : last.status;
  return {
    uetr: record.uetr,
    status,
    pacs002: PACS_002[status],
    ...(last?.reason === undefined ? {} : { reason: last.reason }),
    isFinal: FINAL.has(status),
    target: record.target,
    ...amountsJson(record),
    acceptedAt: instant(record.acceptedAt),
    expiresAt: instant(record.expiresAt),
    ...(record.batch === undefined ? {} : { batch: record.batch.id }),
    steps,
  };
}

/** Whether what is free does not reach to this transfer: there are others before it. */
function waits({ queued, free }: TransferRecord): boolean {
  return free !== undefined && queued > free;
}

function stepsOf(record: TransferRecord): Step[] {
  const { batch, ledger, ended, creditedAt } = record;
  const steps: Step[] = [{ status: "received", at: instant(record.acceptedAt) }];
  if (batch !== undefined) steps.push({ status: "batched", at: instant(batch.signedAt) });
  if (ledger !== undefined) {
    steps.push(pointStep("held", ledger.opened));
    if (ledger.final !== undefined) steps.push(finalStep(record, ledger.final));
  } else if (batch?.voidedAt !== undefined) {
    steps.push({ status: "failed", at: instant(batch.voidedAt), reason: TIMED_OUT });
  }
  if (creditedAt !== undefined) steps.push({ status: "credited", at: instant(creditedAt) });
  if (ended !== undefined) {
    steps.push({
      status: ended.how,
      at: instant(ended.at),
      ...(ended.reason === undefined ? {} : { reason: ended.reason }),
    });
  }
  return steps;
}

function finalStep(record: TransferRecord, final: LedgerPoint): Step {
  if (record.ledger?.status === "expired") return { ...pointStep("expired", final), reason: TIMED_OUT };
  const leaf = toHex(transferLeaf(record));
  const rejection = record.ledger?.rejected.find((rejected) => rejected.leaf === leaf);
  if (rejection === undefined) return pointStep("settled", final);
  // Four bytes of the ledger, as hexadecimal text.
  const reason = reasonFromBytes4(rejection.code as Hex) ?? UNKNOWN_REASON;
  return { ...pointStep("rejected", final), reason };
}

function pointStep(status: TransferStatusName, { timeSeconds, block, transaction }: LedgerPoint): Step {
  return { status, at: instant(timeSeconds * 1_000), block, transaction };
}
