import { rule, type AlertRule, type Watched } from "../../kernel/telemetry/alert.ts";

const MIN_STANDSTILL_SECONDS = 120;

export function remittanceAlerts({ idleSeconds }: Watched): readonly AlertRule[] {
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
    rule("RelayBehind", "warning", "feiqian_ledger_lag_blocks > 20 and on (instance) feiqian_leader == 1", "2m", {
      summary: "The relay of {{ $labels.member }} is {{ $value }} blocks behind",
      description: "It reads more slowly than blocks are made: its database or its endpoint is slow.",
      runbook: "alerts.md#relaybehind",
    }),
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
    rule("BatchesVoided", "warning", "sum by (member) (increase(feiqian_batches_voided_total[15m])) > 0", "0s", {
      summary: "The ledger can never take a batch that {{ $labels.member }}'s relay signed",
      description: "Its transfers failed and their senders are refunded by the wallet.",
      runbook: "alerts.md#batchesvoided",
    }),
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
  ];
}
