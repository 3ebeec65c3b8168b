import type { RelayWork } from "../context.ts";
import { corridorPrices, priceStanding } from "./availability.ts";
import { createProviderMoney } from "./book.ts";
import { pricingStep } from "./pricing.ts";

export const pricingWork: RelayWork = {
  steps: [{ name: "pricing", run: pricingStep, pollIntervalMs: 1_000 }],
  standing(context) {
    const money = createProviderMoney(context);
    return async () => priceStanding(await corridorPrices(context, money));
  },
};
