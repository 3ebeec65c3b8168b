import { rule } from "./alert.ts";

/**
 * What somebody is told of a relay's process and of the endpoints that it asks, whatever its features. A relay that is not
 * there is no series, which absent() is for: no answer would be no alert.
 */
export const KERNEL_ALERTS = [
  rule("RelayDown", "critical", 'up{job="relay"} == 0 or absent(up{job="relay"})', "1m", {
    summary: "The relay of {{ $labels.member }} does not answer",
    description:
      "It accepts nothing, and nothing is credited to its customers. Others' transfers to it are refunded in time.",
    runbook: "moving-a-relay.md",
  }),
  rule("RelayForkDetected", "critical", "feiqian_fork_detected == 1", "0s", {
    summary: "The relay of {{ $labels.member }} reads another history than before",
    description: "All its steps have stopped. An endpoint of the ledger lies, or its database is not of this ledger.",
    runbook: "alerts.md#relayforkdetected",
  }),
  rule("RelayClockWrong", "critical", "feiqian_clock_beyond_limit == 1", "10s", {
    summary: "The clock of {{ $labels.member }}'s relay is wrong",
    description: "It takes no transfers until the clock is right; it goes on settling, crediting and refunding.",
    runbook: "alerts.md#relayclockwrong",
  }),
  rule("RelayWithoutLeader", "critical", "sum by (member) (feiqian_leader) != 1", "1m", {
    summary: "{{ $value }} processes of {{ $labels.member }}'s relay run its steps, and it has to be one",
    description: "With none, nothing is sent, settled or credited.",
    runbook: "alerts.md#relaywithoutleader",
  }),
  rule("RelayStepErrors", "warning", "sum by (member, step) (rate(feiqian_step_errors_total[5m])) > 0.1", "10m", {
    summary: "The step {{ $labels.step }} of {{ $labels.member }}'s relay keeps failing",
    description: "It is tried again and again. The relay's log says why.",
    runbook: "alerts.md#relaysteperrors",
  }),
  rule("EndpointLies", "critical", 'feiqian_ledger_endpoints{state="dropped"} > 0', "0s", {
    summary: "The relay of {{ $labels.member }} has dropped {{ $value }} endpoints of the ledger for a lie",
    description: "They told a final block otherwise than most others did. They are not asked again until a restart.",
    runbook: "alerts.md#endpointlies",
  }),
  rule(
    "EndpointsDisagree",
    "critical",
    'sum by (member) (increase(feiqian_ledger_disputes_total{outcome="unresolved"}[15m])) > 0',
    "0s",
    {
      summary: "Endpoints of {{ $labels.member }}'s relay contradict each other, and no majority says who is right",
      description: "The relay believes none of them, and waits.",
      runbook: "alerts.md#endpointsdisagree",
    },
  ),
  rule("LedgerTokenEndsSoon", "warning", `feiqian_ledger_token_ends_seconds - time() < ${7 * 86_400}`, "1m", {
    summary: "The token of {{ $labels.member }}'s relay for {{ $labels.endpoint }} ends within 7 days, or has ended",
    description: "The node answers nothing without one. The relay reads its tokens when it starts.",
    runbook: "alerts.md#ledgertokenendssoon",
  }),
  rule("FewEndpoints", "info", 'feiqian_ledger_endpoints{state="used"} < 3', "10m", {
    summary: "The relay of {{ $labels.member }} has {{ $value }} endpoints of the ledger",
    description: "With one it cannot go on when that fails; with two, one that lies cannot be outvoted.",
    runbook: "alerts.md#fewendpoints",
  }),
  rule(
    "SubmissionsFail",
    "warning",
    'sum by (member) (rate(feiqian_ledger_submissions_total{outcome="failed"}[5m])) > 0.1',
    "5m",
    {
      summary: "Transactions of {{ $labels.member }}'s relay do not get onto the ledger",
      description: "No endpoint takes them, or they get no receipt in time.",
      runbook: "alerts.md#submissionsfail",
    },
  ),
];
