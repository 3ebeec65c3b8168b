import type { BatchHeader } from "./batch.ts";
import { groupBy } from "./group-by.ts";
import type { Hex } from "./bytes/hex.ts";
import { currencyByNumeric, type CurrencyCode } from "./currency.ts";
import { TIMED_OUT, type Ending, type FinalStatus } from "./lifecycle.ts";
import type { PartnerId } from "./partner.ts";
import { classOf, type ReasonClass } from "./reason-class.ts";
import { reasonFromBytes4 } from "./reason.ts";

// Of the transfers that came onto the ledger, how many were paid, and why not the others. Whoever reads the ledger counts
// the same: a day is one of block time, a transfer belongs to the day on which its batch was opened.

/** What ends later than so many days after the day on which it was opened is not counted: the day's figures are fixed. */
export const DAYS_TO_END = 2;
/** Of fewer transfers that have ended a rate says nothing, and is not told. */
export const LEAST_ENDED = 30;

/** A direction of payments on one day. */
export interface CorridorDay {
  readonly day: number;
  readonly source: PartnerId;
  readonly target: PartnerId;
  readonly sourceCurrency: CurrencyCode;
  readonly targetCurrency: CurrencyCode;
}

/** What became of transfers: that their batch was opened, or how they ended; of a rejection, the code that was published. */
export type LedgerOutcome = "opened" | FinalStatus | Hex;

/** So many transfers. */
export interface OutcomeCount extends CorridorDay {
  readonly outcome: LedgerOutcome;
  readonly transfers: number;
}

/** What a batch adds to its day when it is opened. */
export function openedCount(day: number, header: BatchHeader): OutcomeCount {
  const { source, target, sourceCurrency, targetCurrency, count } = header;
  return {
    day,
    source,
    target,
    sourceCurrency: currencyByNumeric(sourceCurrency).code,
    targetCurrency: currencyByNumeric(targetCurrency).code,
    outcome: "opened",
    transfers: count,
  };
}

/**
 * What it adds when it ends: each rejection by its code, and the rest by how the batch ended.
 * @param endDay the day of the block in which it ended
 */
export function endedCounts(
  opened: OutcomeCount,
  { status, rejected }: Ending,
  endDay: number,
): readonly OutcomeCount[] {
  if (endDay > opened.day + DAYS_TO_END) return [];
  const rest = { ...opened, outcome: status, transfers: opened.transfers - rejected.length };
  const each = rejected.map(({ code }) => ({ ...opened, outcome: code, transfers: 1 }));
  return rest.transfers > 0 ? [rest, ...each] : each;
}

/** Transfers that were not paid, for one reason. */
export interface Unpaid {
  /** As the network has it; the code as it was published where that is none of the network's, `none` where there is no code. */
  readonly reason: string;
  readonly reasonClass: ReasonClass;
  readonly transfers: number;
}

export interface SuccessFigures {
  readonly opened: number;
  readonly settled: number;
  readonly rejected: number;
  readonly expired: number;
  /** Not ended, or too late: in no rate. */
  readonly open: number;
  /** Those rejected and expired, the most frequent reason first. */
  readonly unpaid: readonly Unpaid[];
}

/** Adds counts up, whatever they are of. */
export function successFigures(counts: readonly Pick<OutcomeCount, "outcome" | "transfers">[]): SuccessFigures {
  const sums = new Map<LedgerOutcome, number>();
  for (const { outcome, transfers } of counts) sums.set(outcome, (sums.get(outcome) ?? 0) + transfers);
  const sumOf = (outcome: LedgerOutcome) => sums.get(outcome) ?? 0;
  const [opened, settled, expired] = [sumOf("opened"), sumOf("settled"), sumOf("expired")];
  const unpaid = [...sums].flatMap(([outcome, transfers]) => {
    const reason = reasonOf(outcome);
    return reason === undefined ? [] : [{ ...reason, transfers }];
  });
  const rejected = unpaid.reduce((sum, { transfers }) => sum + transfers, 0) - expired;
  const open = opened - settled - rejected - expired;
  return { opened, settled, rejected, expired, open, unpaid: byReason(unpaid) };
}

/** Those of one reason together, the most frequent first. */
export function byReason(unpaid: readonly Unpaid[]): readonly Unpaid[] {
  return [...groupBy(unpaid, ({ reason }) => reason).values()].map(together).sort(byFrequency);
}

/** By corridor and day, in their order. */
export function successByCorridor(
  counts: readonly OutcomeCount[],
): readonly (CorridorDay & { readonly figures: SuccessFigures })[] {
  return [...groupBy(counts, keyOf)]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([, list]) => {
      const [first] = list;
      if (first === undefined) return [];
      const { day, source, target, sourceCurrency, targetCurrency } = first;
      return [{ day, source, target, sourceCurrency, targetCurrency, figures: successFigures(list) }];
    });
}

/** Whether nothing can change any more of a day's figures, on a ledger whose latest block is of another day. */
export function isFixed(day: number, ledgerDay: number): boolean {
  return ledgerDay > day + DAYS_TO_END;
}

/** In percent with two decimals, rounded down, so that 100.00 is all of them; undefined where it is of too few. */
export function successRate(paid: number, of: number): string | undefined {
  if (of < LEAST_ENDED) return undefined;
  const basisPoints = String((BigInt(paid) * 10_000n) / BigInt(of)).padStart(3, "0");
  return `${basisPoints.slice(0, -2)}.${basisPoints.slice(-2)}`;
}

/** Why what ended so was not paid; undefined where it was, or has not ended. */
function reasonOf(outcome: LedgerOutcome): Pick<Unpaid, "reason" | "reasonClass"> | undefined {
  switch (outcome) {
    case "opened":
    case "settled":
      return undefined;
    case "expired":
      return { reason: TIMED_OUT, reasonClass: classOf(TIMED_OUT) };
    case "rejected":
      return { reason: "none", reasonClass: classOf(undefined) };
    default: {
      const reason = reasonFromBytes4(outcome);
      return { reason: reason ?? outcome, reasonClass: classOf(reason) };
    }
  }
}

function together(alike: readonly Unpaid[]): Unpaid {
  const [first = { reason: "none", reasonClass: "untold" as const }] = alike;
  return { ...first, transfers: alike.reduce((sum, { transfers }) => sum + transfers, 0) };
}

function byFrequency(left: Unpaid, right: Unpaid): number {
  return right.transfers - left.transfers || (left.reason < right.reason ? -1 : 1);
}

const WIDTH = 6;

/** Sorts as its parts do. */
function keyOf({ day, source, target, sourceCurrency, targetCurrency }: CorridorDay): string {
  const numbers = [day, source, target].map((part) => String(part).padStart(WIDTH, "0"));
  return [...numbers, sourceCurrency, targetCurrency].join(" ");
}
