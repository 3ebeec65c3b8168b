import { rule, type AlertGroup, type AlertRule, type Watched } from "../../src/kernel/telemetry/alert.ts";
import { MAX_POOL_TRANSACTIONS } from "./node-config.ts";
import type { NetworkPlan } from "./plan.ts";

// What somebody is told of. Thresholds follow from the plan. Those of relays are declared by what counts them.

/** How many of n validators have to sign: at least two thirds. */
export function quorumOf(validators: number): number {
  return Math.ceil((2 * validators) / 3);
}

/** What somebody is told of relays. */
export type RelayAlerts = (watched: Watched) => AlertGroup;

export function alertGroups(plan: NetworkPlan, relays: RelayAlerts): readonly AlertGroup[] {
  return [
    { name: "ledger", rules: [...ledgerRules(plan), ...nodeRules(plan)] },
    { name: "signers", rules: signerRules(plan) },
    relays({ idleSeconds: idleSeconds(plan) }),
    { name: "machines", rules: machineRules() },
  ];
}

const MIN_STALLED_SECONDS = 30;
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
    rule("HostNotWatched", "info", 'up{job="host"} == 0', "15m", {
      summary: "{{ $labels.instance }} tells nothing of its disks",
      description: "Prometheus' node_exporter does not answer there, so a disk that fills up would go unnoticed.",
      runbook: "alerts.md#hostnotwatched",
    }),
  ];
}
