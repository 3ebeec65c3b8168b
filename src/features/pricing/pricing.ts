import { isSameCurrency, type Corridor } from "../../domain/corridor.ts";
import { quoteCoverage } from "./store/provider-quotes.ts";
import { providersPassedOver } from "./store/providers.ts";
import type { RelayContext, Step } from "../context.ts";
import { openCorridorsFrom } from "../partners/corridors.ts";
import { isPast } from "../../kernel/clock/clock.ts";
import { workEach } from "../../kernel/steps/faults.ts";
import { corridorPrices, pairName } from "./availability.ts";
import { readProviderFunds } from "./book.ts";
import { askProviders } from "./quotes.ts";

/** A standing quote is replaced when its validity left is less than this many times the least that is priced on… */
const RENEW_AT_TIMES_LEAST = 3;
/** …or less than this share of it is left, in percent. */
const RENEW_AT_PERCENT_LEFT = 30;
/** Who was asked and offered nothing is not asked again for so long. */
const ASK_AGAIN_AFTER_MS = 5_000;
const DAY_MS = 86_400_000;

/**
 * Keeps a standing quote of the providers for every exchange that this partner's open corridors need, and what they have
 * on the ledger for it, so that transfers are priced without waiting for anybody.
 */
export const pricingStep: Step = async (context) => {
  const { registry, partner, db, clock, settings } = context;
  const view = await registry.read();
  const nowMs = clock.nowMs();
  const coverage = await quoteCoverage(db, nowMs - DAY_MS, nowMs);
  const pairs = new Map<string, Corridor>();
  for (const { corridor } of openCorridorsFrom(view, partner)) {
    if (!isSameCurrency(corridor)) pairs.set(pairName(corridor), corridor);
  }

  const neededUntil = Math.floor(nowMs / 1_000) + RENEW_AT_TIMES_LEAST * settings.quote.leastValiditySeconds;
  const due = [...pairs.values()].flatMap((corridor) => {
    const standing = coverage.find(
      ({ sourceCurrency, targetCurrency }) =>
        sourceCurrency === corridor.sourceCurrency && targetCurrency === corridor.targetCurrency,
    );
    if (standing === undefined) return [{ corridor, reserved: 0n }];
    const isGood = standing.validUntil > neededUntil && standing.leftPercent >= RENEW_AT_PERCENT_LEFT;
    const wasAsked = !isPast(clock, standing.receivedAt, ASK_AGAIN_AFTER_MS);
    return isGood || wasAsked ? [] : [{ corridor, reserved: standing.reserved }];
  });
  // What was drawn on the last ones is what the next should be good for.
  await workEach(context, {
    step: "pricing",
    items: due,
    keyOf: ({ corridor }) => pairName(corridor),
    atATime: Math.max(1, due.length),
    async work({ corridor, reserved }) {
      await askProviders(context, corridor, { source: 0n, target: reserved });
    },
  });
  await readProviderFunds(context);
  await tellPassedOver(context, nowMs);
  await tellPrices(context);
  context.checkpoint("pricing.asked");
  return false;
};

async function tellPassedOver({ db, metrics }: Pick<RelayContext, "db" | "metrics">, nowMs: number): Promise<void> {
  metrics.providersPassedOver.reset();
  for (const { provider, reason, ...pair } of await providersPassedOver(db, nowMs)) {
    metrics.providersPassedOver.set({ provider: String(provider), pair: pairName(pair), reason }, 1);
  }
}

async function tellPrices(context: RelayContext): Promise<void> {
  const prices = await corridorPrices(context);
  const { corridorPriced } = context.metrics;
  corridorPriced.reset();
  for (const { corridor, isPriced } of prices) {
    corridorPriced.set({ target: String(corridor.target), pair: pairName(corridor) }, isPriced ? 1 : 0);
  }
}
