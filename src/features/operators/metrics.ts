import { counter, gauge, type MetricsOf } from "../../kernel/telemetry/metric.ts";

declare module "../../kernel/telemetry/metrics.ts" {
  interface FeatureMetrics extends MetricsOf<typeof operatorsMetrics> {}
}

export const operatorsMetrics = {
  resealed: counter("resealed", "Rows encrypted again under the current data key", ["table"]),
  sealBroken: gauge("seal_broken", "Rows that should be encrypted again and cannot be decrypted", ["table"]),
};
