import type { RelayWork } from "../context.ts";
import { corridorPrices, priceAlarms } from "./availability.ts";
import { createProviderMoney } from "./book.ts";
import { pricingStep } from "./pricing.ts";

export const pricingWork: RelayWork = {
  steps: [{ name: "pricing", run: pricingStep, pollIntervalMs: 1_000 }],
  alarms(context) {
    const money = createProviderMoney(context);
    return async () => priceAlarms(await corridorPrices(context, money));
  },
};
