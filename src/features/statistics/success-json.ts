import { dayOf, formatDay } from "../../domain/day.ts";
import { formatInstant } from "../../domain/instant.ts";
import {
  isFixed,
  successByCorridor,
  successFigures,
  successRate,
  type OutcomeCount,
  type SuccessFigures,
} from "../../domain/success.ts";
import type { SuccessJson } from "../../schema/statistics.ts";

/** What was counted, and as of which block. */
export interface CountedSuccess {
  readonly block: number;
  /** Its time, in UTC seconds. */
  readonly timeSeconds: number;
  readonly counts: readonly OutcomeCount[];
}

/** Days, both included. */
export interface DayRange {
  readonly from: number;
  readonly to: number;
}

/** The same for the same counts, whoever has counted: a relay from its store, or anyone from the ledger. */
export function successJson({ block, timeSeconds, counts }: CountedSuccess, { from, to }: DayRange): SuccessJson {
  const ledgerDay = dayOf(timeSeconds);
  return {
    block,
    at: formatInstant(timeSeconds * 1_000),
    from: formatDay(from),
    to: formatDay(to),
    corridors: successByCorridor(counts).map(({ day, figures, ...corridor }) => ({
      day: formatDay(day),
      ...corridor,
      isProvisional: !isFixed(day, ledgerDay),
      ...figuresJson(figures),
    })),
    total: figuresJson(successFigures(counts)),
  };
}

function figuresJson({ opened, settled, rejected, expired, open, unpaid }: SuccessFigures): SuccessJson["total"] {
  const rate = successRate(settled, settled + rejected + expired);
  return {
    opened,
    settled,
    rejected,
    expired,
    open,
    ...(rate === undefined ? {} : { rate }),
    unpaid: unpaid.map(({ reason, reasonClass, transfers }) => ({ reason, class: reasonClass, transfers })),
  };
}
