import type { RelayFeature } from "../context.ts";
import { addLiquidityCommands } from "./commands.ts";
import { liquidityAlerts } from "./alerts.ts";
import { liquidityMetrics } from "./metrics.ts";
import { liquiditySettings } from "./settings.ts";

declare module "../../kernel/steps/step.ts" {
  interface StepNames {
    liquidity: true;
  }
}

declare module "../../kernel/store/events.ts" {
  interface EventTypes extends Readonly<typeof liquidityEvents> {}
}

const liquidityEvents = {
  "liquidity.low": "A currency's money that is free to send fell below its alarm.",
  "liquidity.restored": "It is well above its alarm again.",
};

/** The partner's money on the ledger. */
export const liquidity: RelayFeature = {
  name: "liquidity",
  events: liquidityEvents,
  metrics: liquidityMetrics,
  alerts: () => liquidityAlerts,
  settings: liquiditySettings,
  commands: addLiquidityCommands,
  work: async () => (await import("./work.ts")).liquidityWork,
};
