import type { PartnerId } from "./partner.ts";
import { classOf, type ReasonClass } from "./reason-class.ts";
import { isReason } from "./reason.ts";
import { byReason, successFigures, type OutcomeCount, type Unpaid } from "./success.ts";

// Of what a partner's customers ordered, how much was paid: with what never came onto the ledger, which its relay alone knows.

/** So many orders, that were credited or never came onto the ledger. */
export interface OrderCount {
  readonly day: number;
  /** Undefined for what was refused. */
  readonly target: PartnerId | undefined;
  readonly outcome: "credited" | "failed" | "cancelled" | "refused";
  /** Of a failure the ISO 20022 reason, of a refusal the problem that was answered; empty where there is none. */
  readonly reason: string;
  readonly orders: number;
}

export interface OrderFigures {
  /** All that have ended. */
  readonly orders: number;
  readonly credited: number;
  /** Settled, and the target's relay has not told of a credit. */
  readonly uncredited: number;
  readonly rejected: number;
  readonly expired: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly refused: number;
  /** On the ledger and not ended: in no figure above. */
  readonly open: number;
  /** All but those credited or uncredited, the most frequent reason first. */
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
  const sum = (counts: readonly OrderCount[]) => counts.reduce((total, count) => total + count.orders, 0);
  const [credited, failed, cancelled, refused] = [
    sum(of("credited")),
    sum(of("failed")),
    sum(of("cancelled")),
    sum(of("refused")),
  ];
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
    orders: settled + rejected + expired + failed + cancelled + refused,
    credited,
    uncredited: settled - credited,
    rejected,
    expired,
    failed,
    cancelled,
    refused,
    open,
    unpaid: byReason([...unpaid, ...offLedger]),
  };
}

function because(reason: string, transfers: number): Unpaid {
  return { reason, reasonClass: classOf(isReason(reason) ? reason : undefined), transfers };
}
