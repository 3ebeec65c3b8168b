import type { Hex } from "../../src/domain/bytes/hex.ts";
import { currencyOf, parseCurrency, type CurrencyCode } from "../../src/domain/currency.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import { convertDown, divideUp } from "../../src/domain/rate.ts";
import type { ReasonCode } from "../../src/domain/reason.ts";
import type { Uetr } from "../../src/domain/uetr.ts";
import { percentile } from "../../src/kernel/percentile.ts";
import { corridorBetween } from "../network.ts";
import type { Order } from "../orders/order.ts";
import type { SurveyedPrice } from "../provider/prices.ts";
import { worldBankPrice } from "../provider/prices.ts";
import type { DailyRates } from "../provider/rates.ts";
import type { EndedBatch, Reconciliation, SentDay } from "./reconciliation.ts";

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
  /** Never on the ledger. */
  readonly failed: number;
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
  readonly failed: number;
  readonly unaccounted: number;
  readonly batches: number;
  /** Of all transactions, by transfers. */
  readonly gasPerTransfer: number;
  /** The same, of the batches that had one transfer only; null where there was none. */
  readonly gasPerTransferInBatchesOfOne: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Of transfers that stood in no queue. */
  readonly aloneP50Ms: number | null;
  /** Submissions that were repeated, and got the answer that the first had got. */
  readonly replays: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly rejections: Readonly<Partial<Record<ReasonCode, number>>>;
  readonly corridors: readonly CorridorSummary[];
  /** In US cents: what was paid, and would have been, in the corridors that have a World Bank price. */
  readonly paidUsdCents: bigint;
  readonly worldBankUsdCents: bigint;
  readonly settledUsdCents: bigint;
}

const USD = parseCurrency("USD");

/** What was measured of a day while it was sent. */
export interface Measured {
  readonly replays: number;
  /** Of each credited transfer: from being accepted to being credited. */
  readonly latenciesMs: readonly number[];
  /** Of those among them that were sent alone. */
  readonly aloneMs: readonly number[];
  /** Why transfers never got onto the ledger, by what their wallets were told. */
  readonly failures: Readonly<Record<string, number>>;
  /** Of a batch's share in all its transactions. */
  readonly gasUsed: ReadonlyMap<Hex, bigint>;
}

/** What a day came to. */
export function summarize(
  day: SentDay,
  { replays, latenciesMs, aloneMs, failures, gasUsed }: Measured,
  reconciliation: Reconciliation,
  rates: DailyRates,
): Summary {
  const { batches } = reconciliation;
  const targetAmounts = new Map(
    batches.flatMap(({ transfers }) => transfers.map(({ uetr, targetAmount }) => [uetr, targetAmount] as const)),
  );
  const corridors = [...Map.groupBy(day.orders, ({ source, target }) => `${source} ${target}`).values()]
    .map((orders) => summarizeCorridor(orders, targetAmounts, day, reconciliation, rates))
    .sort((left, right) => right.transfers - left.transfers);
  const count = (part: (corridor: CorridorSummary) => number) =>
    corridors.reduce((sum, corridor) => sum + part(corridor), 0);
  const inCents = (part: (corridor: CorridorSummary) => bigint | undefined) =>
    corridors.reduce((sum, corridor) => sum + usdCents(part(corridor) ?? 0n, corridor.currency, rates), 0n);
  const compared = (corridor: CorridorSummary) => corridor.worldBankCost !== undefined;
  const ofOne = batches.filter(({ header }) => header.count === 1);
  return {
    transfers: count(({ transfers }) => transfers),
    settled: count(({ settled }) => settled),
    rejected: count(({ rejected }) => rejected),
    expired: count(({ expired }) => expired),
    failed: count(({ failed }) => failed),
    unaccounted: reconciliation.unaccounted.length,
    batches: batches.length,
    gasPerTransfer: gasPerTransfer(batches, gasUsed) ?? 0,
    gasPerTransferInBatchesOfOne: gasPerTransfer(ofOne, gasUsed),
    p50Ms: rounded(percentile(latenciesMs, 50)),
    p99Ms: rounded(percentile(latenciesMs, 99)),
    aloneP50Ms: rounded(percentile(aloneMs, 50)),
    replays,
    failures,
    rejections: countReasons(batches),
    corridors,
    paidUsdCents: inCents((corridor) => (compared(corridor) ? corridor.paid : undefined)),
    worldBankUsdCents: inCents(({ worldBankCost }) => worldBankCost),
    settledUsdCents: inCents(({ settledVolume }) => settledVolume),
  };
}

/** @param orders of one corridor, at least one */
function summarizeCorridor(
  orders: readonly Order[],
  targetAmounts: ReadonlyMap<Uetr, bigint>,
  { books }: Pick<SentDay, "books">,
  { outcomes }: Reconciliation,
  rates: DailyRates,
): CorridorSummary {
  const [first] = orders;
  if (first === undefined) throw new RangeError("a corridor without an order");
  const { source, target } = first;
  const corridor = corridorBetween(source, target);
  const mid = rates.rate(currencyOf(corridor.sourceCurrency), currencyOf(corridor.targetCurrency));
  const debits = books.get(source)?.debits;
  const ended = Map.groupBy(orders, ({ uetr }) => outcomes.get(uetr));
  const settled = ended.get("settled") ?? [];
  const settledVolume = settled.reduce((sum, { sourceAmount }) => sum + sourceAmount.minor, 0n);
  // What the beneficiary has is worth less than what was sent: by the provider's margin and the rounding.
  const paid = settled.reduce((sum, { uetr }) => {
    const worth = ((targetAmounts.get(uetr) ?? 0n) * mid.denominator) / mid.numerator;
    return sum + (debits?.get(uetr) ?? 0n) - worth;
  }, 0n);
  const worldBank = worldBankPrice(source, target);
  return {
    source,
    target,
    currency: corridor.sourceCurrency,
    transfers: orders.length,
    volume: orders.reduce((sum, { sourceAmount }) => sum + sourceAmount.minor, 0n),
    settled: settled.length,
    rejected: ended.get("rejected")?.length ?? 0,
    expired: ended.get("expired")?.length ?? 0,
    failed: ended.get("failed")?.length ?? 0,
    settledVolume,
    paid,
    worldBank,
    worldBankCost: worldBank === undefined ? undefined : divideUp(settledVolume * worldBank.costBps, 10_000n),
  };
}

function usdCents(minor: bigint, currency: CurrencyCode, rates: DailyRates): bigint {
  return convertDown(minor, rates.rate(currencyOf(currency), USD));
}

function gasPerTransfer(batches: readonly EndedBatch[], gasUsed: ReadonlyMap<Hex, bigint>): number | null {
  const transfers = batches.reduce((sum, { header }) => sum + header.count, 0);
  if (transfers === 0) return null;
  const gas = batches.reduce((sum, { batchId }) => sum + (gasUsed.get(batchId) ?? 0n), 0n);
  return Number.parseInt((gas / BigInt(transfers)).toString(), 10);
}

function countReasons(batches: readonly EndedBatch[]): Partial<Record<ReasonCode, number>> {
  const counts: Partial<Record<ReasonCode, number>> = {};
  for (const { reason } of batches.flatMap(({ rejections }) => rejections)) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

function rounded(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : Math.round(milliseconds * 10) / 10;
}
