import { rule } from "../../kernel/telemetry/alert.ts";

const LED = "and on (instance) feiqian_leader == 1";
const LEDGER_KEYS = 'feiqian_key_ends_seconds{key=~"send|accept"}';
const DAY_SECONDS = 86_400;

export const operatorsAlerts = [
  rule("LedgerKeyEnded", "critical", `${LEDGER_KEYS} <= time() ${LED}`, "1m", {
    summary: "The key of {{ $labels.member }}'s relay may not {{ $labels.key }} for the partner",
    description:
      "It has ended, was revoked or never registered: the ledger refuses what it signs. Nothing is sent, or nothing is paid out.",
    runbook: "alerts.md#ledgerkeyended",
  }),
  rule("LedgerKeyEndsSoon", "warning", `${LEDGER_KEYS} - time() < ${30 * DAY_SECONDS} > 0 ${LED}`, "1m", {
    summary: "The key of {{ $labels.member }}'s relay may {{ $labels.key }} for less than 30 days",
    description: "feiqian relay register renews it, with the key of the partner's admin.",
    runbook: "alerts.md#ledgerkeyendssoon",
  }),
  rule("ApiKeyEndsSoon", "warning", `feiqian_key_ends_seconds{key="api"} - time() < ${7 * DAY_SECONDS} ${LED}`, "1m", {
    summary: "An API key of {{ $labels.member }}'s relay ends within 7 days, and has no successor",
    description: "feiqian keys list says which. Whoever uses it is refused from then on.",
    runbook: "alerts.md#apikeyendssoon",
  }),
  rule("SealBroken", "warning", `sum by (member, table) (feiqian_seal_broken ${LED}) > 0`, "1m", {
    summary: "{{ $value }} rows of {{ $labels.member }}'s {{ $labels.table }} open under no key that its relay has",
    description:
      "They cannot be encrypted again under the current data key, nor read. An old key is missing, or damaged.",
    runbook: "alerts.md#sealbroken",
  }),
];
