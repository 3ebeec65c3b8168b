import { rule, type AlertGroup, type AlertRule } from "./alert-rule.ts";

// What somebody is told of a relay: in a network of the plan, and where one partner's relay is watched by itself
// (deploy/relay). A relay that is not there is no series, which absent() is for: no answer would be no alert.

const MIN_STANDSTILL_SECONDS = 120;

/** @param idleSeconds between the ledger's blocks when there is nothing to put into one */
export function relayAlertGroup(idleSeconds: number): AlertGroup {
  return { name: "relays", rules: [...processRules(), ...ledgerRules(idleSeconds), ...moneyRules(), ...walletRules()] };
}

function processRules(): readonly AlertRule[] {
  return [
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
  ];
}

/** What it reads, and from whom. */
function ledgerRules(idleSeconds: number): readonly AlertRule[] {
  const standstill = Math.max(MIN_STANDSTILL_SECONDS, 3 * idleSeconds);
  return [
    rule(
      "RelayReadsNothing",
      "critical",
      `changes(feiqian_ledger_block[${standstill}s]) == 0 and on (instance) feiqian_leader == 1`,
      "30s",
      {
        summary: "The relay of {{ $labels.member }} has read no block",
        description: `For ${standstill} seconds. Where LedgerHeadStalled fires too, there are none; otherwise no endpoint of the ledger answers it.`,
        runbook: "alerts.md#relayreadsnothing",
      },
    ),
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
    rule("FewEndpoints", "info", 'feiqian_ledger_endpoints{state="used"} < 3', "10m", {
      summary: "The relay of {{ $labels.member }} has {{ $value }} endpoints of the ledger",
      description: "With one it cannot go on when that fails; with two, one that lies cannot be outvoted.",
      runbook: "alerts.md#fewendpoints",
    }),
    rule("RelayBehind", "warning", "feiqian_ledger_lag_blocks > 20 and on (instance) feiqian_leader == 1", "2m", {
      summary: "The relay of {{ $labels.member }} is {{ $value }} blocks behind",
      description: "It reads more slowly than blocks are made: its database or its endpoint is slow.",
      runbook: "alerts.md#relaybehind",
    }),
    rule("ReconciliationDifference", "critical", "feiqian_reconciliation_differences > 0", "0s", {
      summary: "The books of {{ $labels.member }}'s relay and the ledger differ in {{ $value }} places",
      description: "feiqian reconcile names them.",
      runbook: "alerts.md#reconciliationdifference",
    }),
  ];
}

function moneyRules(): readonly AlertRule[] {
  return [
    rule(
      "UnknownSignature",
      "critical",
      "sum by (member) (max by (member, call) (feiqian_unknown_signatures)) > 0",
      "0s",
      {
        summary: "{{ $value }} batches were opened or settled with keys of {{ $labels.member }}, and not by its relay",
        description:
          "A key is stolen, or the relay's database was set back, or two relays run with one key. Revoke first, then ask.",
        runbook: "alerts.md#unknownsignature",
      },
    ),
    rule("CreditsStuck", "critical", "feiqian_stuck_credits > 0", "5m", {
      summary: "{{ $labels.member }} has {{ $value }} credits of settled batches that are not posted",
      description: "Money is owed to customers: the wallet refuses them, or the relay fails on them. It tries forever.",
      runbook: "alerts.md#creditsstuck",
    }),
    rule(
      "TransfersSlow",
      "warning",
      "histogram_quantile(0.99, sum by (member, le) (rate(feiqian_accepted_to_credited_seconds_bucket[10m]))) > 10",
      "10m",
      {
        summary: "One in a hundred transfers of {{ $labels.member }} takes more than {{ $value }} s to be credited",
        description:
          "Look which of the ledger, the other relay and the wallet is slow: the dashboard of relays has each.",
        runbook: "alerts.md#transfersslow",
      },
    ),
    rule("LiquidityLow", "warning", "feiqian_low_water == 1", "1m", {
      summary: "{{ $labels.member }} has little {{ $labels.currency }} on the ledger",
      description: "Once it has none, its transfers wait and then fail with AM04.",
      runbook: "alerts.md#liquiditylow",
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
    rule("BatchesVoided", "warning", "sum by (member) (increase(feiqian_batches_voided_total[15m])) > 0", "0s", {
      summary: "The ledger can never take a batch that {{ $labels.member }}'s relay signed",
      description: "Its transfers failed and their senders are refunded by the wallet.",
      runbook: "alerts.md#batchesvoided",
    }),
  ];
}

function walletRules(): readonly AlertRule[] {
  return [
    rule(
      "WalletFails",
      "warning",
      'sum by (member, call) (rate(feiqian_wallet_calls_total{outcome="failed"}[5m])) > 0.1',
      "5m",
      {
        summary: "The wallet of {{ $labels.member }} does not answer ({{ $labels.call }})",
        description: "Transfers to its customers wait.",
        runbook: "alerts.md#walletfails",
      },
    ),
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
}
