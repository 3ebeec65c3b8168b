import { counter, gauge, type MetricsOf } from "../../kernel/telemetry/metric.ts";

declare module "../../kernel/telemetry/metrics.ts" {
  interface FeatureMetrics extends MetricsOf<typeof operatorsMetrics> {}
}

export const operatorsMetrics = {
  resealed: counter("resealed", "Rows encrypted again under the current data key", ["table"]),
  keyEndsSeconds: gauge(
    "key_ends_seconds",
    "When a key ends, in seconds since 1970: 0 where it may not act; of API keys without a successor the next to end",
    ["key"],
  ),
  sealBroken: gauge("seal_broken", "Rows that should be encrypted again and cannot be decrypted", ["table"]),
};
