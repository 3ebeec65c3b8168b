import { dayOf, formatDay } from "../../domain/day.ts";
import { formatInstant } from "../../domain/instant.ts";
import { orderFigures, type OrderCount, type OrderFigures } from "../../domain/order-success.ts";
import type { PartnerId } from "../../domain/partner.ts";
import { isFixed, successRate, type OutcomeCount } from "../../domain/success.ts";
import type { ProblemTable } from "../../schema/problems.ts";
import type { OrdersJson } from "../../schema/statistics.ts";
import type { CountedSuccess, DayRange } from "./success-json.ts";

/** @param counted of the own customers' transfers alone */
export function ordersJson(
  orders: readonly OrderCount[],
  { block, timeSeconds, counts }: CountedSuccess,
  { from, to }: DayRange,
  problems: ProblemTable,
): OrdersJson {
  const ledgerDay = dayOf(timeSeconds);
  const reasons = new Map<string, string | undefined>(
    Object.entries(problems).map(([code, { reason }]) => [code, reason]),
  );
  const figuresOf = (some: readonly OrderCount[], onLedger: readonly OutcomeCount[]) =>
    figuresJson(orderFigures(some, onLedger, (code) => reasons.get(code)));
  return {
    block,
    at: formatInstant(timeSeconds * 1_000),
    from: formatDay(from),
    to: formatDay(to),
    days: placesOf(orders, counts).map(({ day, target }) => ({
      day: formatDay(day),
      ...(target === undefined ? {} : { target }),
      isProvisional: !isFixed(day, ledgerDay),
      ...figuresOf(
        orders.filter((count) => count.day === day && count.target === target),
        counts.filter((count) => count.day === day && count.target === target),
      ),
    })),
    total: figuresOf(orders, counts),
  };
}

interface Place {
  readonly day: number;
  readonly target: PartnerId | undefined;
}

/** Days and targets that there is something of, in their order; what was refused comes last on its day. */
function placesOf(orders: readonly OrderCount[], onLedger: readonly OutcomeCount[]): readonly Place[] {
  const places = new Map<string, Place>();
  for (const { day, target } of [...orders, ...onLedger]) places.set(`${day} ${target ?? ""}`, { day, target });
  const rank = (target: PartnerId | undefined) => target ?? Number.POSITIVE_INFINITY;
  return [...places.values()].sort(
    (left, right) => left.day - right.day || (rank(left.target) < rank(right.target) ? -1 : 1),
  );
}

function figuresJson({ unpaid, ...figures }: OrderFigures): OrdersJson["total"] {
  const { orders, credited, recovered } = figures;
  const [rate, firstTryRate] = [successRate(credited, orders), successRate(credited - recovered, orders)];
  return {
    ...figures,
    ...(rate === undefined ? {} : { rate }),
    ...(firstTryRate === undefined ? {} : { firstTryRate }),
    unpaid: unpaid.map(({ reason, reasonClass, transfers }) => ({ reason, class: reasonClass, transfers })),
  };
}
