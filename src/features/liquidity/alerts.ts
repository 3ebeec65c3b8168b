import { rule } from "../../kernel/telemetry/alert.ts";

export const liquidityAlerts = [
  rule("LiquidityLow", "warning", "feiqian_low_water == 1", "1m", {
    summary: "{{ $labels.member }} has little {{ $labels.currency }} on the ledger",
    description: "Once it has none, its transfers wait and then fail with AM04.",
    runbook: "alerts.md#liquiditylow",
  }),
];
