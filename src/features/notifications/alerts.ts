import { rule } from "../../kernel/telemetry/alert.ts";

export const notificationsAlerts = [
  rule(
    "WebhooksGivenUp",
    "warning",
    'sum by (member) (increase(feiqian_webhooks_total{outcome="dead"}[1h])) > 0',
    "0s",
    {
      summary: "The relay of {{ $labels.member }} has given webhooks up",
      description: "feiqian replay lists them.",
      runbook: "alerts.md#webhooksgivenup",
    },
  ),
  rule(
    "WebhooksDue",
    "warning",
    'sum by (member) (rate(feiqian_webhooks_total{outcome="failed"}[10m])) > sum by (member) (rate(feiqian_webhooks_total{outcome="delivered"}[10m]))',
    "15m",
    {
      summary: "More webhooks of {{ $labels.member }}'s relay fail than arrive",
      description: "The receiver is down or refuses them. They are tried again for a long time.",
      runbook: "alerts.md#webhooksdue",
    },
  ),
];
