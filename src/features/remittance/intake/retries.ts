import { TRANSFER_STATUSES, type TransferStatusName } from "../../../domain/lifecycle.ts";
import type { Uetr } from "../../../domain/uetr.ts";
import { refused, type Refusal } from "../../../kernel/refusal.ts";
import type { RelayContext } from "../../context.ts";
import { statusOf } from "../status.ts";
import { findRefusals } from "../store/refusals.ts";
import { findRetries, retriesIn } from "../store/retries.ts";
import { findTransfers } from "../store/transfers.ts";

/** What is needed of a submission to say whether it may try an order again. */
interface Attempt {
  readonly uetr: Uetr;
  /** The attempt before it, of the same order. */
  readonly retryOf?: Uetr | undefined;
}

/**
 * Of submissions that try an order again, those that may not. An attempt can be tried again once, and only when it is
 * certain that it was not paid and never will be: two payments of one order would be the wallet's loss. What is certain
 * stays so, but somebody may have tried the same again by the time that this one is stored; the store then says so.
 * @returns by UETR
 */
export async function judgeRetries(
  { db, ledger }: Pick<RelayContext, "db" | "ledger">,
  attempts: readonly Attempt[],
): Promise<ReadonlyMap<Uetr, Refusal>> {
  const retries = retriesIn(attempts);
  if (retries.length === 0) return new Map();
  const named = [...new Set(retries.map(({ earlier }) => earlier))];
  const transfers = await findTransfers(db, ledger.addresses.treasury, named);
  const refusals = await findRefusals(db, named);
  const tried = new Map(await findRetries(db, named));
  const refusalsOf = new Map<Uetr, Refusal>();
  for (const { earlier, later } of retries) {
    const transfer = transfers.get(earlier);
    const why = whyNot({
      status: transfer === undefined ? undefined : statusOf(transfer).status,
      refusal: refusals.get(earlier),
      // It may be the same submission, which somebody else has stored.
      triedAs: tried.get(earlier) === later ? undefined : tried.get(earlier),
    });
    if (why !== undefined) refusalsOf.set(later, refused("not-retryable", why, { field: "retryOf" }));
    // Of two in one call the first is taken.
    else tried.set(earlier, later);
  }
  return refusalsOf;
}

/** What is known of the attempt that is named. */
interface Earlier {
  readonly status: TransferStatusName | undefined;
  /** As it was answered. */
  readonly refusal: unknown;
  readonly triedAs: Uetr | undefined;
}

function whyNot({ status, refusal, triedAs }: Earlier): string | undefined {
  if (triedAs !== undefined) return `it was tried again as ${triedAs} already: name the latest attempt`;
  if (status === undefined) {
    if (refusal === undefined) return "this relay has stored or refused no such attempt";
    // Its order may have been paid by the attempt that it named.
    return isNotRetryable(refusal) ? "it was no attempt: what it named could not be tried again" : undefined;
  }
  if (status === "settled" || status === "credited") return "it was paid";
  return TRANSFER_STATUSES[status].isFinal ? undefined : `it is ${status}: it may be paid yet`;
}

function isNotRetryable(refusal: unknown): boolean {
  return typeof refusal === "object" && refusal !== null && "code" in refusal && refusal.code === "not-retryable";
}
