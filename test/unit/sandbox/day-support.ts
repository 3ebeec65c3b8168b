import { currencyOf, type Currency } from "../../../src/domain/currency.ts";
import { money } from "../../../src/domain/money.ts";
import { parsePartnerId, type PartnerId } from "../../../src/domain/partner.ts";
import type { Quote } from "../../../src/domain/quote.ts";
import { rateOfRatio } from "../../../src/domain/rate.ts";
import type { ReasonCode } from "../../../src/domain/reason.ts";
import { uetrFromRandom } from "../../../src/domain/uetr.ts";
import { createRandom } from "../../../src/platform/random.ts";
import { openBooks } from "../../../src/sandbox/accounts.ts";
import { corridorBetween } from "../../../src/sandbox/network.ts";
import type { Order } from "../../../src/sandbox/order.ts";
import { customerFee, prepareBatch } from "../../../src/sandbox/payload.ts";
import type { DailyRates } from "../../../src/sandbox/rates.ts";
import type { Outcome, Reconciliation } from "../../../src/sandbox/reconciliation.ts";
import type { BatchRecord, Simulation } from "../../../src/sandbox/simulation.ts";
import { WALLETS } from "../../../src/sandbox/wallets.ts";

export const [GCASH, DANA, ALIPAY_HK, TOUCH_N_GO] = [4, 6, 7, 8].map((id) => parsePartnerId(id)) as [
  PartnerId,
  PartnerId,
  PartnerId,
  PartnerId, // as many as there are ids
];
const FEE_BPS = 5n;

/** A dollar is 8 Hong Kong dollars, 58 pesos, 4 ringgit and 16,000 rupiah. */
const PER_USD = new Map([
  ["USD", 1n],
  ["HKD", 8n],
  ["PHP", 58n],
  ["MYR", 4n],
  ["IDR", 16_000n],
]);
const perUsd = ({ code }: Currency) => PER_USD.get(code) ?? 1n;

/** Round mid-market rates; all of the currencies have two minor digits. */
export const RATES: DailyRates = {
  date: "2030-01-02",
  rate: (source, target) => rateOfRatio(perUsd(target), perUsd(source)),
};

export interface BatchPlan {
  readonly source: PartnerId;
  readonly target: PartnerId;
  readonly amounts: readonly bigint[];
  /** Target minor units for 1,000 source minor units. */
  readonly rate: bigint;
  readonly outcomes: readonly Outcome[];
  readonly gasUsed: bigint;
  readonly latencyMs?: number;
}

export interface FinishedDay {
  readonly simulation: Simulation;
  readonly reconciliation: Reconciliation;
}

/** A day that has ended as planned, with books that say so. */
export function finishedDay(plans: readonly BatchPlan[]): FinishedDay {
  const books = new Map(WALLETS.map(({ id }) => [id, openBooks(id)]));
  const outcomes = new Map<Order["uetr"], Outcome>();
  const batches = plans.map((plan, index) => {
    const record = finishBatch(plan, index);
    for (const [place, order] of record.orders.entries()) {
      const outcome = plan.outcomes[place] ?? "settled";
      outcomes.set(order.uetr, outcome);
      books.get(plan.source)?.debit(order.uetr, order.sourceAmount.minor + customerFee(order, FEE_BPS));
      const { targetAmount = 0n } = record.prepared.payload[place] ?? {};
      if (outcome === "settled") books.get(plan.target)?.credit(order.uetr, targetAmount);
      else books.get(plan.source)?.refund(order.uetr);
    }
    return record;
  });
  const orders = batches.flatMap((batch) => batch.orders);
  return {
    simulation: { orders, batches, books, refusedRepeats: 2 * batches.length },
    reconciliation: { currencies: [], balanceDifferences: [], outcomes, unaccounted: [] },
  };
}

function finishBatch(
  { source, target, amounts, rate, outcomes, gasUsed, latencyMs }: BatchPlan,
  index: number,
): BatchRecord {
  const random = createRandom(`batch ${index}`);
  const corridor = corridorBetween(source, target);
  const orders = amounts.map((minor): Order => {
    const party = { name: "Chan Tai Man", nameLocal: "陳大文", phone: "+85251234567" };
    return {
      uetr: uetrFromRandom(random.bytes(16)),
      source,
      target,
      sourceAmount: money(minor, corridor.sourceCurrency),
      debtor: party,
      creditor: party,
      purpose: "DEPD",
      remittance: "",
      atSecond: 0,
    };
  });
  const terms = { quote: quoteAt(rate, corridor), feeBps: FEE_BPS, expiresAt: 2_000_000_000 };
  const prepared = prepareBatch(orders, corridor, terms, (length) => random.bytes(length));
  const reason: ReasonCode = "AC03";
  return {
    batchId: `0x${String(index).padStart(64, "0")}`,
    orders,
    header: prepared.batch.header,
    prepared,
    rejections: prepared.payload.flatMap((transfer, place) =>
      outcomes[place] === "rejected" ? [{ transfer, reason }] : [],
    ),
    ending: outcomes.includes("expired") ? "expired" : "settled",
    gasUsed,
    latencyMs,
  };
}

function quoteAt(rate: bigint, corridor: ReturnType<typeof corridorBetween>): Quote {
  return {
    provider: parsePartnerId(11),
    taker: 0,
    sourceCurrency: currencyOf(corridor.sourceCurrency).numeric,
    targetCurrency: currencyOf(corridor.targetCurrency).numeric,
    rateNumerator: rate,
    rateDenominator: 1_000n,
    capacity: 10n ** 20n,
    validUntil: 2_000_000_000,
    maxHold: 900,
    nonce: 0n,
  };
}
