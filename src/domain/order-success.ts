import type { PartnerId } from "./partner.ts";
import { classOf, type ReasonClass } from "./reason-class.ts";
import { isReason } from "./reason.ts";
import { byReason, successFigures, type OutcomeCount, type Unpaid } from "./success.ts";

// Of what a partner's customers ordered, how much was paid: with what never came onto the ledger, which its relay alone
// knows. An order may have several attempts, each a transfer or a refusal; it is counted where its latest one is.

/** So many attempts, that were credited, never came onto the ledger, or were tried again. */
export interface OrderCount {
  readonly day: number;
  /** Undefined for what was refused. */
  readonly target: PartnerId | undefined;
  readonly outcome: "credited" | "recovered" | "failed" | "cancelled" | "refused" | "retried";
  /** Of a failure the ISO 20022 reason, of a refusal the problem that was answered; empty where there is none. */
  readonly reason: string;
  readonly orders: number;
}

export interface OrderFigures {
  /** All that have ended: each once, however many attempts it had. */
  readonly orders: number;
  readonly credited: number;
  /** Of those: not by their first attempt. */
  readonly recovered: number;
  /** Settled, and the target's relay has not told of a credit. */
  readonly uncredited: number;
  readonly rejected: number;
  readonly expired: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly refused: number;
  /** Attempts among those that were not paid, and had another one. */
  readonly retried: number;
  /** On the ledger and not ended: in no figure above. */
  readonly open: number;
  /** All attempts but those credited or uncredited, the most frequent reason first. */
  readonly unpaid: readonly Unpaid[];
}

/** Problems whose class is another than that of their ISO 20022 reason, or that have no reason. */
const CLASS_OF_PROBLEM: ReadonlyMap<string, ReasonClass> = new Map([
  ["no-quote", "liquidity"],
  ["quote-used-up", "liquidity"],
  ["quote-expired", "time"],
  ["quote-not-found", "technical"],
]);

/**
 * Adds orders up.
 * @param onLedger what the ledger says of the same
 * @param reasonOfProblem the ISO 20022 reason of a problem, where it has one
 */
export function orderFigures(
  orders: readonly OrderCount[],
  onLedger: readonly OutcomeCount[],
  reasonOfProblem: (code: string) => string | undefined,
): OrderFigures {
  const { settled, rejected, expired, open, unpaid } = successFigures(onLedger);
  const of = (outcome: OrderCount["outcome"]) => orders.filter((count) => count.outcome === outcome);
  const sum = (outcome: OrderCount["outcome"]) => of(outcome).reduce((total, count) => total + count.orders, 0);
  const [credited, recovered] = [sum("credited"), sum("recovered")];
  const [failed, cancelled, refused, retried] = [sum("failed"), sum("cancelled"), sum("refused"), sum("retried")];
  const offLedger: Unpaid[] = [
    ...of("failed").map((count) => because(count.reason === "" ? "none" : count.reason, count.orders)),
    ...of("cancelled").map((count) => ({
      reason: "cancelled",
      reasonClass: "payer" as const,
      transfers: count.orders,
    })),
    ...of("refused").map((count) => {
      const reasonClass = CLASS_OF_PROBLEM.get(count.reason);
      const told = because(reasonOfProblem(count.reason) ?? count.reason, count.orders);
      return reasonClass === undefined ? told : { ...told, reason: count.reason, reasonClass };
    }),
  ];
  return {
    orders: settled + rejected + expired + failed + cancelled + refused - retried,
    credited,
    recovered,
    uncredited: settled - credited,
    rejected,
    expired,
    failed,
    cancelled,
    refused,
    retried,
    open,
    unpaid: byReason([...unpaid, ...offLedger]),
  };
}

function because(reason: string, transfers: number): Unpaid {
  return { reason, reasonClass: classOf(isReason(reason) ? reason : undefined), transfers };
}
