import { counter, type MetricsOf } from "../../kernel/telemetry/metric.ts";

declare module "../../kernel/telemetry/metrics.ts" {
  interface FeatureMetrics extends MetricsOf<typeof notificationsMetrics> {}
}

export const notificationsMetrics = {
  webhooks: counter("webhooks", "Webhook deliveries", ["outcome"]),
};
