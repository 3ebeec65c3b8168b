import { MAX_POOL_TRANSACTIONS } from "./node-config.ts";
import type { NetworkPlan } from "./plan.ts";

// What somebody is told of. Thresholds follow from the plan. What to do is in docs/runbooks/, which every alert names.

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** How long it has to be so. */
  readonly for: string;
  readonly labels: { readonly severity: Severity };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string };
}

/** Wake somebody; look at it today; know it. */
export type Severity = "critical" | "warning" | "info";

export interface AlertGroup {
  readonly name: string;
  readonly rules: readonly AlertRule[];
}

/** How many of n validators have to sign: at least two thirds. */
export function quorumOf(validators: number): number {
  return Math.ceil((2 * validators) / 3);
}

export function alertGroups(plan: NetworkPlan): readonly AlertGroup[] {
  return [
    { name: "ledger", rules: [...ledgerRules(plan), ...nodeRules(plan)] },
    { name: "signers", rules: signerRules(plan) },
    { name: "relays", rules: [...relayRules(plan), ...moneyRules(), ...walletRules()] },
    { name: "machines", rules: machineRules() },
  ];
}

const MIN_STALLED_SECONDS = 30;
const MIN_STANDSTILL_SECONDS = 120;
const OBSERVED_SECONDS = 600;
const HEAD_AGE = "time() - max(besu_blockchain_chain_head_timestamp)";

/** Seconds between blocks when there is nothing to put into one. */
function idleSeconds({ chain }: NetworkPlan): number {
  return chain.emptyBlockPeriodSeconds ?? chain.blockPeriodSeconds;
}

/** After three rounds in a row that failed: their time-outs are 1, 2 and 4 times the first. */
export function stalledSeconds(plan: NetworkPlan): number {
  return Math.max(MIN_STALLED_SECONDS, idleSeconds(plan) + 7 * plan.chain.requestTimeoutSeconds);
}

/** Blocks in ten minutes, when half of one validator's turns end in a round change. */
function fewestBlocks(plan: NetworkPlan): number {
  const lost = plan.chain.requestTimeoutSeconds / (2 * plan.members.length);
  return Math.floor(OBSERVED_SECONDS / (idleSeconds(plan) + lost));
}

function ledgerRules(plan: NetworkPlan): readonly AlertRule[] {
  const { members, chain } = plan;
  const quorum = quorumOf(members.length);
  const roundSeconds = idleSeconds(plan) + chain.requestTimeoutSeconds;
  return [
    rule("LedgerHeadStalled", "critical", `${HEAD_AGE} > ${stalledSeconds(plan)}`, "15s", {
      summary: "The ledger makes no blocks",
      description: `No node that is watched here has had a block for more than ${stalledSeconds(plan)} seconds. Nothing is credited; nothing is lost.`,
      runbook: "more-than-a-third-lost.md",
    }),
    rule("QuorumNotSeen", "critical", `max(ethereum_peer_count{role="rpc"}) < ${quorum}`, "1m", {
      summary: "Fewer validators are connected than have to sign a block",
      description: `RPC nodes are connected to validators, and to no others; the best connected one has {{ $value }} of the ${quorum} that a block needs.`,
      runbook: "more-than-a-third-lost.md",
    }),
    rule(
      "NoFurtherValidatorMayFail",
      "critical",
      `sum(up{job="besu",role="validator"}) <= ${quorum} and count(up{job="besu",role="validator"}) == ${members.length}`,
      "1m",
      {
        summary: "One more validator lost, and the ledger halts",
        description: `{{ $value }} of ${members.length} validators are up, and ${quorum} have to be.`,
        runbook: "more-than-a-third-lost.md",
      },
    ),
    rule("RoundChanges", "warning", `count_over_time((${HEAD_AGE} > ${roundSeconds})[15m:15s]) > 3`, "0s", {
      summary: "Blocks need more than one round of consensus",
      description: `The head was older than a block and a time-out (${roundSeconds} s) several times within 15 minutes.`,
      runbook: "alerts.md#roundchanges",
    }),
    rule(
      "ValidatorMissesBlocks",
      "warning",
      `max(delta(ethereum_blockchain_height[10m])) < ${fewestBlocks(plan)}`,
      "10m",
      {
        summary: "A validator proposes no blocks when it is its turn",
        description: `There were {{ $value }} blocks in ten minutes, of ${Math.floor(OBSERVED_SECONDS / idleSeconds(plan))}. qbft_getSignerMetrics tells who proposed none.`,
        runbook: "alerts.md#validatormissesblocks",
      },
    ),
    rule(
      "TransactionPoolFull",
      "warning",
      `max by (member, role) (besu_transaction_pool_transactions) > ${MAX_POOL_TRANSACTIONS / 2}`,
      "5m",
      {
        summary: "Transactions wait in the pool of {{ $labels.member }}'s {{ $labels.role }}",
        description: `{{ $value }} of ${MAX_POOL_TRANSACTIONS}: more are sent than fit into blocks, or one sender left a nonce out.`,
        runbook: "alerts.md#transactionpoolfull",
      },
    ),
  ];
}

function nodeRules({ members }: NetworkPlan): readonly AlertRule[] {
  return [
    rule("ValidatorDown", "critical", 'up{job="besu",role="validator"} == 0', "1m", {
      summary: "The validator of {{ $labels.member }} does not answer",
      description: "The ledger goes on while at least two thirds do.",
      runbook: "replace-a-validator.md",
    }),
    rule("RpcNodeDown", "warning", 'up{job="besu",role="rpc"} == 0', "1m", {
      summary: "The RPC node of {{ $labels.member }} does not answer",
      description: "Its relay goes on by its next endpoint, where it has one.",
      runbook: "alerts.md#rpcnodedown",
    }),
    rule("NodeBehind", "warning", "scalar(max(ethereum_blockchain_height)) - ethereum_blockchain_height > 10", "2m", {
      summary: "The {{ $labels.role }} of {{ $labels.member }} is {{ $value }} blocks behind",
      description: "A validator that is behind signs nothing; a relay on an RPC node that is behind sees too little.",
      runbook: "alerts.md#nodebehind",
    }),
    rule("ValidatorPeersLow", "warning", `ethereum_peer_count{role="validator"} < ${2 * members.length - 1}`, "5m", {
      summary: "The validator of {{ $labels.member }} has {{ $value }} peers",
      description: `It has the ${members.length - 1} other validators, and all ${members.length} RPC nodes connect to it.`,
      runbook: "alerts.md#validatorpeerslow",
    }),
    rule("RpcPeersLow", "warning", `ethereum_peer_count{role="rpc"} < ${members.length}`, "15m", {
      summary: "The RPC node of {{ $labels.member }} has {{ $value }} peers",
      description: `It connects to all ${members.length} validators. One is down, or the allow-lists or firewalls of the two differ.`,
      runbook: "alerts.md#rpcpeerslow",
    }),
  ];
}

/** One rule for each number of keys that a member's signer has. */
function signerRules({ members }: NetworkPlan): readonly AlertRule[] {
  const byCount = Map.groupBy(members, ({ signer }) => signer.keys.length);
  return [
    rule("SignerDown", "critical", 'up{job="web3signer"} == 0', "1m", {
      summary: "The Web3Signer of {{ $labels.member }} does not answer",
      description: "Its relay can sign no batch, settlement or transaction; what it accepts waits.",
      runbook: "alerts.md#signerdown",
    }),
    ...[...byCount].map(([count, list]) =>
      rule(
        "SignerKeyMissing",
        "critical",
        `signing_signers_loaded_count{member=~"${list.map(({ name }) => name).join("|")}"} < ${count}`,
        "1m",
        {
          summary: "The Web3Signer of {{ $labels.member }} has loaded {{ $value }} keys",
          description: `The plan has ${count}. Its log says which one it could not read.`,
          runbook: "alerts.md#signerkeymissing",
        },
      ),
    ),
  ];
}

function relayRules(plan: NetworkPlan): readonly AlertRule[] {
  const standstill = Math.max(MIN_STANDSTILL_SECONDS, 3 * idleSeconds(plan));
  return [
    rule("RelayDown", "critical", 'up{job="relay"} == 0', "1m", {
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
    rule("RelayWithoutLeader", "critical", "sum by (member) (feiqian_leader) != 1", "1m", {
      summary: "{{ $value }} processes of {{ $labels.member }}'s relay run its steps, and it has to be one",
      description: "With none, nothing is sent, settled or credited.",
      runbook: "alerts.md#relaywithoutleader",
    }),
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
    rule("RelayStepErrors", "warning", "sum by (member, step) (rate(feiqian_step_errors_total[5m])) > 0.1", "10m", {
      summary: "The step {{ $labels.step }} of {{ $labels.member }}'s relay keeps failing",
      description: "It is tried again and again. The relay's log says why.",
      runbook: "alerts.md#relaysteperrors",
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
      description:
        "Money is owed to customers: the wallet refuses them, or the relay fails on them. It tries for ever.",
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

function machineRules(): readonly AlertRule[] {
  const free = 'node_filesystem_avail_bytes{job="host",fstype!~"tmpfs|overlay|squashfs"}';
  return [
    rule("DiskNearlyFull", "critical", `${free} / node_filesystem_size_bytes < 0.1`, "5m", {
      summary: "{{ $labels.instance }} has {{ $value | humanizePercentage }} of {{ $labels.mountpoint }} left",
      description: "A node whose disk is full stops, and its database may have to be restored.",
      runbook: "alerts.md#disknearlyfull",
    }),
    rule("DiskFillsUp", "warning", `predict_linear(${free}[6h], 4 * 86400) < 0`, "1h", {
      summary: "{{ $labels.mountpoint }} of {{ $labels.instance }} is full within four days",
      description: "At the rate of the last six hours.",
      runbook: "alerts.md#disknearlyfull",
    }),
    rule("RelayClockWrong", "critical", "feiqian_clock_beyond_limit == 1", "10s", {
      summary: "The clock of {{ $labels.member }}'s relay is wrong",
      description: "It takes no transfers until the clock is right; it goes on settling, crediting and refunding.",
      runbook: "alerts.md#relayclockwrong",
    }),
    rule("HostNotWatched", "info", 'up{job="host"} == 0', "15m", {
      summary: "{{ $labels.instance }} tells nothing of its disks",
      description: "Prometheus' node_exporter does not answer there, so a disk that fills up would go unnoticed.",
      runbook: "alerts.md#hostnotwatched",
    }),
  ];
}

function rule(
  alert: string,
  severity: Severity,
  expr: string,
  duration: string,
  { runbook, ...annotations }: AlertRule["annotations"],
): AlertRule {
  return {
    alert,
    expr,
    for: duration,
    labels: { severity },
    annotations: { ...annotations, runbook: `docs/runbooks/${runbook}` },
  };
}
