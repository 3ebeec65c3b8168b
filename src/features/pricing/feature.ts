import type { RelayFeature } from "../context.ts";
import { pricingMetrics } from "./metrics.ts";
import { pricingProblems } from "./problems.ts";

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
  events: {
    "provider.failed": "A liquidity provider did not deliver what it had offered, and is passed over for a while.",
  },
  problems: pricingProblems,
  metrics: pricingMetrics,
  work: async () => (await import("./work.ts")).pricingWork,
};
