import { rule } from "../../kernel/telemetry/alert.ts";

export const pricingAlerts = [
  rule("ProviderFails", "warning", "feiqian_provider_passed_over == 1", "0s", {
    summary: "Provider {{ $labels.provider }} did not deliver {{ $labels.pair }} to {{ $labels.member }}",
    description: "{{ $labels.reason }}. It is passed over for a while; others are priced on.",
    runbook: "alerts.md#providerfails",
  }),
  rule("CorridorUnpriced", "warning", "feiqian_corridor_priced == 0", "1m", {
    summary: "{{ $labels.member }} can give no price for {{ $labels.pair }} to partner {{ $labels.target }}",
    description:
      "No provider's offer stands that can be delivered. Transfers through that corridor are refused for now.",
    runbook: "alerts.md#corridorunpriced",
  }),
];
