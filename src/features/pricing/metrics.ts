import { counter, gauge, type MetricsOf } from "../../kernel/telemetry/metric.ts";

declare module "../../kernel/telemetry/metrics.ts" {
  interface FeatureMetrics extends MetricsOf<typeof pricingMetrics> {}
}

export const pricingMetrics = {
  providerFailures: counter("provider_failures", "Quotes that were not delivered", ["provider", "reason"]),
  providersPassedOver: gauge("provider_passed_over", "1 while one is passed over", ["provider", "pair", "reason"]),
  corridorPriced: gauge("corridor_priced", "1 while a price can be given in an open corridor", ["target", "pair"]),
  providerQuotes: counter("provider_quotes", "Quotes asked of liquidity providers", ["outcome"]),
};
