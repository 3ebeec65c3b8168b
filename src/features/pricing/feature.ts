import type { RelayFeature } from "../context.ts";
import { addProviderCommands } from "./commands/provider.ts";
import { pricingAlerts } from "./alerts.ts";
import { pricingMetrics } from "./metrics.ts";
import { pricingProblems } from "./problems.ts";
import { pricingRules, pricingSettings } from "./settings.ts";

declare module "../../kernel/steps/step.ts" {
  interface StepNames {
    pricing: true;
  }
}

declare module "../../kernel/store/events.ts" {
  interface EventTypes extends Readonly<typeof pricingEvents> {}
}

declare module "../../kernel/telemetry/health.ts" {
  interface Alarms extends Readonly<typeof pricingAlarms> {}
}

const pricingEvents = {
  "provider.failed": "A liquidity provider did not deliver what it had offered, and is passed over for a while.",
};

const pricingAlarms = { prices: "No offer stands that can be delivered, for some or all open corridors." };

/** Providers' offers, and the prices made of them. */
export const pricing: RelayFeature = {
  name: "pricing",
  events: pricingEvents,
  alarms: pricingAlarms,
  problems: pricingProblems,
  metrics: pricingMetrics,
  alerts: () => pricingAlerts,
  settings: pricingSettings,
  settingRules: pricingRules,
  commands: addProviderCommands,
  work: async () => (await import("./work.ts")).pricingWork,
};
