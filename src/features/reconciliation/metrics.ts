import { gauge, type MetricsOf } from "../../kernel/telemetry/metric.ts";

declare module "../../kernel/telemetry/metrics.ts" {
  interface FeatureMetrics extends MetricsOf<typeof reconciliationMetrics> {}
}

export const reconciliationMetrics = {
  reconciliationDifferences: gauge("reconciliation_differences", "Differences that the last reconciliation found"),
};
