import { rule } from "../../kernel/telemetry/alert.ts";

export const reconciliationAlerts = [
  rule("ReconciliationDifference", "critical", "feiqian_reconciliation_differences > 0", "0s", {
    summary: "The books of {{ $labels.member }}'s relay and the ledger differ in {{ $value }} places",
    description: "feiqian reconcile names them.",
    runbook: "alerts.md#reconciliationdifference",
  }),
];
