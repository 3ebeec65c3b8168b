import {
  outcomesIn,
  TIMED_OUT,
  TRANSFER_STATUSES,
  type Ending,
  type TransferStatusName,
} from "../../domain/lifecycle.ts";
import type { TransferStatusResponse } from "../../schema/transfer-status.ts";
import type { LedgerPoint, TransferRecord } from "./store/transfers.ts";
import { formatInstant as instant } from "../../domain/instant.ts";
import { amountsJson } from "./json.ts";

type Step = TransferStatusResponse["steps"][number];

/** Where a transfer stands, with every step on the way: nothing but a reading of what is stored. */
export function statusOf(record: TransferRecord): TransferStatusResponse {
  const steps = stepsOf(record);
  const last = steps.at(-1);
  const status = last === undefined || (last.status === "received" && waits(record)) ? "waiting" : last.status;
  return {
    uetr: record.uetr,
    status,
    pacs002: TRANSFER_STATUSES[status].pacs002,
    ...(last?.reason === undefined ? {} : { reason: last.reason }),
    isFinal: TRANSFER_STATUSES[status].isFinal,
    target: record.target,
    ...amountsJson(record),
    acceptedAt: instant(record.acceptedAt),
    expiresAt: instant(record.expiresAt),
    ...(record.batch === undefined ? {} : { batch: record.batch.id }),
    steps,
  };
}

/** Whether what is free does not reach for all that wait: then each may have to. */
function waits({ queued, free }: TransferRecord): boolean {
  return free !== undefined && queued > free;
}

function stepsOf(record: TransferRecord): Step[] {
  const { batch, ledger, ended, creditedAt } = record;
  const steps: Step[] = [{ status: "received", at: instant(record.acceptedAt) }];
  if (batch !== undefined) steps.push({ status: "batched", at: instant(batch.signedAt) });
  if (ledger !== undefined) {
    steps.push(pointStep("held", ledger.opened));
    const { status, rejected, final } = ledger;
    if (status !== "open" && final !== undefined) steps.push(finalStep(record, { status, rejected }, final));
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

function finalStep(record: TransferRecord, ending: Ending, final: LedgerPoint): Step {
  const outcome = outcomesIn(ending)(record);
  const step = pointStep(outcome.status, final);
  return outcome.status === "settled" ? step : { ...step, reason: outcome.reason };
}

function pointStep(status: TransferStatusName, { timeSeconds, block, transaction }: LedgerPoint): Step {
  return { status, at: instant(timeSeconds * 1_000), block, transaction };
}
