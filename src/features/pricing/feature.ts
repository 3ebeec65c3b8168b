import type { RelayFeature } from "../context.ts";
import { corridorPrices, priceStanding } from "./availability.ts";
import { createProviderMoney } from "./book.ts";
import { pricingStep } from "./pricing.ts";

declare module "../../kernel/steps/step.ts" {
  interface StepNames {
    pricing: true;
  }
}

declare module "../../kernel/store/events.ts" {
  interface EventTypes {
    "provider.failed": true;
  }
}

/** Providers' offers, and the prices made of them. */
export const pricing: RelayFeature = {
  name: "pricing",
  steps: [{ name: "pricing", run: pricingStep, pollIntervalMs: 1_000 }],
  standing(context) {
    const money = createProviderMoney(context);
    return async () => priceStanding(await corridorPrices(context, money));
  },
  events: {
    "provider.failed": "A liquidity provider did not deliver what it had offered, and is passed over for a while.",
  },
};
