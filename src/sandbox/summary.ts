import { currencyOf, parseCurrency, type CurrencyCode } from "../domain/currency.ts";
import type { PartnerId } from "../domain/partner.ts";
import { convertDown, divideUp } from "../domain/rate.ts";
import type { ReasonCode } from "../domain/reason.ts";
import { percentile } from "../platform/percentile.ts";
import { corridorBetween } from "./network.ts";
import type { SurveyedPrice } from "./prices.ts";
import { worldBankPrice } from "./prices.ts";
import type { DailyRates } from "./rates.ts";
import type { Reconciliation } from "./reconciliation.ts";
import type { BatchRecord, Simulation } from "./simulation.ts";

/** A corridor's day. Amounts are in source minor units, of the transfers that settled unless said otherwise. */
export interface CorridorSummary {
  readonly source: PartnerId;
  readonly target: PartnerId;
  readonly currency: CurrencyCode;
  readonly transfers: number;
  /** Of all transfers. */
  readonly volume: bigint;
  readonly settled: number;
  readonly rejected: number;
  readonly expired: number;
  readonly settledVolume: bigint;
  /** Fees, and what the beneficiaries would have had more at the mid-market rate. */
  readonly paid: bigint;
  readonly worldBank: SurveyedPrice | undefined;
  /** What the same transfers would have cost at the World Bank's price. */
  readonly worldBankCost: bigint | undefined;
}

export interface Summary {
  readonly transfers: number;
  readonly settled: number;
  readonly rejected: number;
  readonly expired: number;
  readonly unaccounted: number;
  readonly batches: number;
  /** Of all transactions, by transfers. */
  readonly gasPerTransfer: number;
  /** The same, of the batches that had one transfer only; null where there was none. */
  readonly gasPerTransferInBatchesOfOne: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly refusedRepeats: number;
  readonly rejections: Readonly<Partial<Record<ReasonCode, number>>>;
  readonly corridors: readonly CorridorSummary[];
  /** In US cents: what was paid, and would have been, in the corridors that have a World Bank price. */
  readonly paidUsdCents: bigint;
  readonly worldBankUsdCents: bigint;
  readonly settledUsdCents: bigint;
}

const USD = parseCurrency("USD");

/** What a day came to. */
export function summarize(simulation: Simulation, reconciliation: Reconciliation, rates: DailyRates): Summary {
  const { batches } = simulation;
  const corridors = [...Map.groupBy(batches, ({ header }) => `${header.source} ${header.target}`).values()]
    .map((group) => summarizeCorridor(group, simulation, reconciliation, rates))
    .sort((left, right) => right.transfers - left.transfers);
  const count = (part: (corridor: CorridorSummary) => number) =>
    corridors.reduce((sum, corridor) => sum + part(corridor), 0);
  const latencies = batches.flatMap(({ latencyMs, orders, rejections }) =>
    latencyMs === undefined ? [] : Array.from({ length: orders.length - rejections.length }, () => latencyMs),
  );
  const inCents = (part: (corridor: CorridorSummary) => bigint | undefined) =>
    corridors.reduce((sum, corridor) => sum + usdCents(part(corridor) ?? 0n, corridor.currency, rates), 0n);
  const compared = (corridor: CorridorSummary) => corridor.worldBankCost !== undefined;
  return {
    transfers: count(({ transfers }) => transfers),
    settled: count(({ settled }) => settled),
    rejected: count(({ rejected }) => rejected),
    expired: count(({ expired }) => expired),
    unaccounted: reconciliation.unaccounted.length,
    batches: batches.length,
    gasPerTransfer: gasPerTransfer(batches) ?? 0,
    gasPerTransferInBatchesOfOne: gasPerTransfer(batches.filter(({ header }) => header.count === 1)),
    p50Ms: rounded(percentile(latencies, 50)),
    p99Ms: rounded(percentile(latencies, 99)),
    refusedRepeats: simulation.refusedRepeats,
    rejections: countReasons(batches),
    corridors,
    paidUsdCents: inCents((corridor) => (compared(corridor) ? corridor.paid : undefined)),
    worldBankUsdCents: inCents(({ worldBankCost }) => worldBankCost),
    settledUsdCents: inCents(({ settledVolume }) => settledVolume),
  };
}

function summarizeCorridor(
  batches: readonly BatchRecord[],
  { books }: Pick<Simulation, "books">,
  { outcomes }: Reconciliation,
  rates: DailyRates,
): CorridorSummary {
  const [first] = batches;
  if (first === undefined) throw new RangeError("a corridor without a batch");
  const { source, target } = first.header;
  const corridor = corridorBetween(source, target);
  const mid = rates.rate(currencyOf(corridor.sourceCurrency), currencyOf(corridor.targetCurrency));
  const transfers = batches.flatMap(({ prepared }) => prepared.payload);
  const debits = books.get(source)?.debits;
  const ended = Map.groupBy(transfers, ({ uetr }) => outcomes.get(uetr));
  const settled = ended.get("settled") ?? [];
  const settledVolume = settled.reduce((sum, { sourceAmount }) => sum + sourceAmount, 0n);
  // What the beneficiary has is worth less than what was sent: by the provider's margin and the rounding.
  const paid = settled.reduce((sum, { uetr, targetAmount }) => {
    const worth = (targetAmount * mid.denominator) / mid.numerator;
    return sum + (debits?.get(uetr) ?? 0n) - worth;
  }, 0n);
  const worldBank = worldBankPrice(source, target);
  return {
    source,
    target,
    currency: corridor.sourceCurrency,
    transfers: transfers.length,
    volume: transfers.reduce((sum, { sourceAmount }) => sum + sourceAmount, 0n),
    settled: settled.length,
    rejected: ended.get("rejected")?.length ?? 0,
    expired: ended.get("expired")?.length ?? 0,
    settledVolume,
    paid,
    worldBank,
    worldBankCost: worldBank === undefined ? undefined : divideUp(settledVolume * worldBank.costBps, 10_000n),
  };
}

function usdCents(minor: bigint, currency: CurrencyCode, rates: DailyRates): bigint {
  return convertDown(minor, rates.rate(currencyOf(currency), USD));
}

function gasPerTransfer(batches: readonly BatchRecord[]): number | null {
  const transfers = batches.reduce((sum, { orders }) => sum + orders.length, 0);
  if (transfers === 0) return null;
  const gas = batches.reduce((sum, { gasUsed }) => sum + gasUsed, 0n);
  return Number.parseInt((gas / BigInt(transfers)).toString(), 10);
}

function countReasons(batches: readonly BatchRecord[]): Partial<Record<ReasonCode, number>> {
  const counts: Partial<Record<ReasonCode, number>> = {};
  for (const { reason } of batches.flatMap(({ rejections }) => rejections)) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

function rounded(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : Math.round(milliseconds * 10) / 10;
}
