import type { Hex } from "../../../../src/domain/bytes/hex.ts";
import { networkFeeUp } from "../../../../src/domain/corridor.ts";
import { currencyOf, type Currency } from "../../../../src/domain/currency.ts";
import { money } from "../../../../src/domain/money.ts";
import { parsePartnerId, type PartnerId } from "../../../../src/domain/partner.ts";
import type { Quote } from "../../../../src/domain/quote.ts";
import { rateOfRatio } from "../../../../src/domain/rate.ts";
import type { ReasonCode } from "../../../../src/domain/reason.ts";
import { uetrFromRandom, type Uetr } from "../../../../src/domain/uetr.ts";
import { createRandom } from "../../../../src/kernel/random.ts";
import { corridorBetween } from "../../../../sandbox/network.ts";
import type { Order } from "../../../../sandbox/orders/order.ts";
import { prepareBatch } from "../../../../sandbox/payload.ts";
import type { DailyRates } from "../../../../sandbox/provider/rates.ts";
import type { EndedBatch, Outcome, Reconciliation, SentDay } from "../../../../sandbox/day/reconciliation.ts";
import type { Measured } from "../../../../sandbox/day/summary.ts";
import { WALLETS } from "../../../../sandbox/wallet/wallets.ts";

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
  /** Where one has failed, all have, and the ledger has never heard of the batch. */
  readonly outcomes: readonly Outcome[];
  readonly gasUsed: bigint;
  readonly latencyMs?: number;
}

export interface FinishedDay {
  readonly day: SentDay;
  readonly measured: Measured;
  readonly reconciliation: Reconciliation;
}

const openPostings = () => ({
  debits: new Map<Uetr, bigint>(),
  refunds: new Map<Uetr, bigint>(),
  credits: new Map<Uetr, bigint>(),
});

/** A day that has ended as planned, with books that say so. */
export function finishedDay(plans: readonly BatchPlan[]): FinishedDay {
  const books = new Map(WALLETS.map(({ id }) => [id, openPostings()]));
  const outcomes = new Map<Uetr, Outcome>();
  const gasUsed = new Map<Hex, bigint>();
  const latenciesMs: number[] = [];
  const made = plans.map((plan, index) => {
    const { orders, batch } = finishBatch(plan, index);
    gasUsed.set(batch.batchId, plan.gasUsed);
    for (const [place, { uetr, sourceAmount }] of orders.entries()) {
      const outcome = plan.outcomes[place] ?? "settled";
      const charged = sourceAmount.minor + networkFeeUp(sourceAmount.minor, FEE_BPS);
      outcomes.set(uetr, outcome);
      books.get(plan.source)?.debits.set(uetr, charged);
      if (outcome === "settled") {
        books.get(plan.target)?.credits.set(uetr, batch.transfers[place]?.targetAmount ?? 0n);
        if (plan.latencyMs !== undefined) latenciesMs.push(plan.latencyMs);
      } else {
        books.get(plan.source)?.refunds.set(uetr, charged);
      }
    }
    return { orders, batch, isOnLedger: !plan.outcomes.includes("failed") };
  });
  const orders = made.flatMap((one) => one.orders);
  const batches = made.filter(({ isOnLedger }) => isOnLedger).map(({ batch }) => batch);
  return {
    day: { orders, batches, books },
    measured: {
      replays: orders.length,
      latenciesMs,
      aloneMs: latenciesMs.slice(-1),
      failures: countFailures(outcomes),
      gasUsed,
    },
    reconciliation: { currencies: [], balanceDifferences: [], batches, outcomes, unaccounted: [] },
  };
}

function countFailures(outcomes: ReadonlyMap<Uetr, Outcome>): Record<string, number> {
  const failed = [...outcomes.values()].filter((outcome) => outcome === "failed").length;
  return failed === 0 ? {} : { AM04: failed };
}

function finishBatch(
  { source, target, amounts, rate, outcomes }: BatchPlan,
  index: number,
): { readonly orders: readonly Order[]; readonly batch: EndedBatch } {
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
  const { batch, payload } = prepareBatch(orders, corridor, terms, (length) => random.bytes(length));
  const reason: ReasonCode = "AC03";
  return {
    orders,
    batch: {
      batchId: `0x${String(index).padStart(64, "0")}`,
      header: batch.header,
      transfers: payload,
      rejections: payload.flatMap((transfer, place) => (outcomes[place] === "rejected" ? [{ transfer, reason }] : [])),
      ending: outcomes.includes("expired") ? "expired" : "settled",
      transactions: [],
    },
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
