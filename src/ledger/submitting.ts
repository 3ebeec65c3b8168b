import type { TransactionReceipt } from "ethers";
import type { Hex } from "../domain/bytes/hex.ts";
import { LedgerError } from "./errors.ts";
import type { KernelContext } from "../kernel/context.ts";
import type { Call, Submitter } from "./submitter.ts";

/** What became of a call that a step has submitted. */
export type SubmissionOutcome =
  /** It is in a block, and took effect there. */
  | { readonly kind: "submitted"; readonly receipt: TransactionReceipt }
  /** Somebody else was faster: nothing is left to do. */
  | { readonly kind: "done" }
  /** A contract says no; later it may say yes. */
  | { readonly kind: "refused"; readonly error: LedgerError }
  /** Whether it takes effect is not known: it is for the ledger to tell, or for a repetition. */
  | { readonly kind: "failed"; readonly error: Error };

export type SubmittedCall = "open" | "openAndSettle" | "settle" | "expire" | "beat";

/**
 * Submits a call, and tells what became of it instead of throwing: one that fails must not keep others from being
 * submitted. Counts it, and logs what was refused or failed.
 */
export async function submitCall(
  {
    submitter,
    metrics,
    log,
    tracer,
  }: Pick<KernelContext, "metrics" | "log" | "tracer"> & { readonly submitter: Submitter },
  name: SubmittedCall,
  batch: Hex | undefined,
  call: Call,
  gasLimit?: bigint,
): Promise<SubmissionOutcome> {
  const ids = batch === undefined ? {} : { batch };
  const outcome = await tracer.span(`ledger.${name}`, ids, () =>
    submitter.submit(call, gasLimit).then((receipt): SubmissionOutcome => ({ kind: "submitted", receipt }), outcomeOf),
  );
  metrics.ledgerSubmissions.inc({ call: name, outcome: outcome.kind });
  if (outcome.kind === "submitted") {
    log.info({ ...ids, call: name, block: outcome.receipt.blockNumber }, "submitted to the ledger");
  } else if (outcome.kind === "done") log.debug({ ...ids, call: name }, "done on the ledger already");
  else log.warn({ ...ids, call: name, error: outcome.error }, "the ledger did not take a call");
  return outcome;
}

function outcomeOf(failure: unknown): SubmissionOutcome {
  if (failure instanceof LedgerError) {
    return failure.remedy === "done" ? { kind: "done" } : { kind: "refused", error: failure };
  }
  return { kind: "failed", error: failure instanceof Error ? failure : new Error(String(failure)) };
}
