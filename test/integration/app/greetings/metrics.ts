import { counter, type MetricsOf } from "../../../../src/kernel/telemetry/metric.ts";

declare module "../../../../src/kernel/telemetry/metrics.ts" {
  interface FeatureMetrics extends MetricsOf<typeof greetingMetrics> {}
}

export const greetingMetrics = { greetingsSent: counter("greetings_sent", "Greetings sent") };
