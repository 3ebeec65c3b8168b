import { counter, type MetricsOf } from "../../kernel/telemetry/metric.ts";

declare module "../../kernel/telemetry/metrics.ts" {
  interface FeatureMetrics extends MetricsOf<typeof partnersMetrics> {}
}

export const partnersMetrics = {
  lookups: counter("lookups", "Payees looked up at other partners, and by them", ["direction", "outcome"]),
};
