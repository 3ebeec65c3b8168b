import { gauge, type MetricsOf } from "../../kernel/telemetry/metric.ts";

declare module "../../kernel/telemetry/metrics.ts" {
  interface FeatureMetrics extends MetricsOf<typeof liquidityMetrics> {}
}

export const liquidityMetrics = {
  availableMinor: gauge("available_minor", "Money on the ledger that is free to send, in minor units", ["currency"]),
  heldMinor: gauge("held_minor", "Money on the ledger that open batches hold, in minor units", ["currency"]),
  elsewhereMinor: gauge(
    "elsewhere_minor",
    "Money in treasuries where new batches do not open, in minor units: it is not free to send, and can be moved",
    ["currency"],
  ),
  lowWater: gauge("low_water", "1 while a currency's available money is below its alarm", ["currency"]),
};
