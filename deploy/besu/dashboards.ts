import type { NetworkPlan } from "./plan.ts";
import { stalledSeconds } from "./alerts.ts";

// Grafana dashboards: one of the ledger, one of the relays. What a panel says is given; where it stands is computed, so
// that panels never overlap.

export const DATASOURCE_UID = "feiqian-prometheus";
/** Grafana's grid is so wide. */
const GRID_WIDTH = 24;

export interface Panel {
  readonly id: number;
  readonly type: "stat" | "timeseries";
  readonly title: string;
  readonly description: string;
  readonly datasource: typeof DATASOURCE;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly Target[];
  readonly fieldConfig: object;
  readonly options: object;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: typeof DATASOURCE;
}

/** A panel as it is told here. */
interface View {
  readonly kind: "stat" | "timeseries";
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  /** Legend and expression. */
  readonly lines: readonly (readonly [legend: string, expr: string])[];
  /** Of a stat: from this value on it is red, below it green; the other way round where it is too little that is bad. */
  readonly bad?: { readonly from: number } | { readonly below: number };
}

const DATASOURCE = { type: "prometheus", uid: DATASOURCE_UID } as const;
const SIZES = { stat: { w: 4, h: 4 }, timeseries: { w: 8, h: 8 } } as const;

export function ledgerDashboard(plan: NetworkPlan): Dashboard {
  return dashboard("feiqian-ledger", `${plan.name}: the ledger`, [...ledgerStats(plan), ...ledgerSeries()]);
}

export function relayDashboard(plan: NetworkPlan): Dashboard {
  return dashboard("feiqian-relays", `${plan.name}: the relays`, [...relayStats(), ...flowSeries(), ...relaySeries()]);
}

function ledgerStats(plan: NetworkPlan): readonly View[] {
  const validators = plan.members.length;
  return [
    stat("Height", "Highest block that any node has.", "none", "max(ethereum_blockchain_height)"),
    stat(
      "Age of the head",
      "Seconds since the last block's time. It grows while the ledger halts.",
      "s",
      "time() - max(besu_blockchain_chain_head_timestamp)",
      { from: stalledSeconds(plan) },
    ),
    stat(
      "Validators up",
      `Of ${validators}, as far as they are watched here.`,
      "none",
      'sum(up{job="besu",role="validator"})',
    ),
    stat("RPC nodes up", "As far as they are watched here.", "none", 'sum(up{job="besu",role="rpc"})'),
    stat(
      "Fewest peers of a validator",
      "The worst connected one.",
      "none",
      'min(ethereum_peer_count{role="validator"})',
      {
        below: validators - 1,
      },
    ),
    stat("Web3Signers up", "As far as they are watched here.", "none", 'sum(up{job="web3signer"})'),
  ];
}

function ledgerSeries(): readonly View[] {
  return [
    series("Blocks a minute", "By node. A line that falls is a node that is behind.", "none", [
      [BY_NODE, "delta(ethereum_blockchain_height[1m])"],
    ]),
    series("Blocks behind", "How far each node is behind the best one.", "none", [
      [BY_NODE, "scalar(max(ethereum_blockchain_height)) - ethereum_blockchain_height"],
    ]),
    series("Peers", "By node.", "none", [[BY_NODE, "ethereum_peer_count"]]),
    series("Transactions in the last block", "By RPC node.", "none", [
      ["{{member}}", 'besu_blockchain_chain_head_transaction_count{role="rpc"}'],
    ]),
    series("Gas used of the last block's limit", "At 1, more is sent than fits.", "percentunit", [
      ["{{member}}", "besu_blockchain_chain_head_gas_used / besu_blockchain_chain_head_gas_limit"],
    ]),
    series("Transactions that wait", "In the pool, by node.", "none", [
      [BY_NODE, "besu_transaction_pool_transactions"],
    ]),
    series("Peers lost", "A second, by node.", "none", [
      [BY_NODE, "sum by (member, role) (rate(besu_peers_disconnected_total[5m]))"],
    ]),
    series("Signatures of Web3Signer", "A second, by member.", "none", [
      ["{{member}}", "rate(signing_secp256k1_signing_duration_count[5m])"],
    ]),
    series("Disk left", "By file system.", "percentunit", [
      [
        "{{instance}} {{mountpoint}}",
        'node_filesystem_avail_bytes{job="host",fstype!~"tmpfs|overlay|squashfs"} / node_filesystem_size_bytes',
      ],
    ]),
    series("Processors in use", "By node.", "none", [[BY_NODE, 'rate(process_cpu_seconds_total{job="besu"}[5m])']]),
    series("Open files", "By node.", "none", [[BY_NODE, 'process_open_fds{job="besu"}']]),
    series("In sync", "1, or 0 while a node catches up.", "none", [[BY_NODE, "besu_synchronizer_in_sync"]]),
  ];
}

const BY_NODE = "{{member}} {{role}}";

function relayStats(): readonly View[] {
  return [
    stat("Relays up", "Processes, as far as they are watched here.", "none", 'sum(up{job="relay"})'),
    stat("Accepted a second", "Transfers, of all relays.", "none", "sum(rate(feiqian_transfers_accepted_total[1m]))"),
    stat("p99 to the credit", "From acceptance to credit.", "s", p99("feiqian_accepted_to_credited_seconds", ""), {
      from: 10,
    }),
    stat(
      "Credits stuck",
      "Settled, and not posted: refused by the wallet, or failed.",
      "none",
      "sum(feiqian_stuck_credits)",
      { from: 1 },
    ),
    stat("Differences", "That the last reconciliations found.", "none", "sum(feiqian_reconciliation_differences)", {
      from: 1,
    }),
    stat(
      "Unknown signatures",
      "Batches of the last day that were opened or settled with a partner's key and not by its relay.",
      "none",
      "sum(max by (member, call) (feiqian_unknown_signatures))",
      { from: 1 },
    ),
    stat("Forks", "Relays that have stopped for one.", "none", "sum(feiqian_fork_detected)", { from: 1 }),
  ];
}

function flowSeries(): readonly View[] {
  return [
    series("Transfers accepted", "A second, by the member that sends.", "none", [
      [MEMBER, rate("feiqian_transfers_accepted_total", "member")],
    ]),
    series("Transfers refused", "A second, by the problem's code.", "none", [
      ["{{code}}", rate("feiqian_transfers_refused_total", "code")],
    ]),
    series("Transfers ended", "A second, by status.", "none", [
      ["{{status}}", rate("feiqian_transfers_ended_total", "status")],
    ]),
    series(
      "Accepted to credited",
      "Half of the transfers are faster than p50; all but one in a hundred than p99.",
      "s",
      [
        ["p50", quantile("0.5", "feiqian_accepted_to_credited_seconds", "")],
        ["p99", p99("feiqian_accepted_to_credited_seconds", "")],
      ],
    ),
    series("Transfers that wait for a batch", "By member.", "none", [[MEMBER, "feiqian_waiting_transfers"]]),
    series("Open batches", "By member, as source or target.", "none", [[MEMBER, "feiqian_open_batches"]]),
    series("Batches signed and voided", "A second.", "none", [
      ["{{member}} signed", rate("feiqian_batches_signed_total", "member")],
      ["{{member}} voided", rate("feiqian_batches_voided_total", "member")],
    ]),
    series("Transactions submitted", "A second, by call and outcome.", "none", [
      ["{{call}} {{outcome}}", rate("feiqian_ledger_submissions_total", "call, outcome")],
    ]),
    series("Quotes of providers", "A second, by outcome.", "none", [
      ["{{outcome}}", rate("feiqian_provider_quotes_total", "outcome")],
    ]),
    series("Corridors with a price", "1 while a price can be given in an open corridor.", "none", [
      ["{{member}} {{pair}} to {{target}}", "feiqian_corridor_priced"],
    ]),
    series("Providers that do not deliver", "A second, by provider; and 1 while one is passed over.", "none", [
      ["{{provider}} {{reason}}", rate("feiqian_provider_failures_total", "provider, reason")],
      ["{{member}} passes {{provider}} over in {{pair}}", "feiqian_provider_passed_over"],
    ]),
    series("Decisions as target", "Transfers a second, by outcome.", "none", [
      ["{{outcome}}", rate("feiqian_decisions_total", "outcome")],
    ]),
    series("Credits", "A second, by outcome.", "none", [["{{outcome}}", rate("feiqian_credits_total", "outcome")]]),
    series("Payees looked up", "A second, at others and by them, by outcome.", "none", [
      ["{{direction}} {{outcome}}", rate("feiqian_lookups_total", "direction, outcome")],
    ]),
    series("Sealed anew", "Rows a second, after the data key was changed; and rows that no key opens.", "none", [
      ["{{table}}", rate("feiqian_resealed_total", "table")],
      ["{{table}}, broken", "sum by (table) (feiqian_seal_broken)"],
    ]),
    series("Keys and tokens end in", "Of the ledger, below 0 once they have ended; of the API, the next one.", "s", [
      ["{{member}} {{key}}", "feiqian_key_ends_seconds - time()"],
      ["{{member}} {{endpoint}}", "feiqian_ledger_token_ends_seconds - time()"],
    ]),
    series("Calls of the wallet", "A second, by call and outcome.", "none", [
      ["{{call}} {{outcome}}", rate("feiqian_wallet_calls_total", "call, outcome")],
    ]),
  ];
}

const MEMBER = "{{member}}";

function relaySeries(): readonly View[] {
  return [
    series("Messages between relays", "A second, by direction and outcome.", "none", [
      ["proposal {{direction}} {{outcome}}", rate("feiqian_proposals_total", "direction, outcome")],
      ["payload {{direction}} {{outcome}}", rate("feiqian_payloads_total", "direction, outcome")],
      ["confirmation {{direction}} {{outcome}}", rate("feiqian_confirmations_total", "direction, outcome")],
    ]),
    series("Webhooks", "A second, by outcome.", "none", [["{{outcome}}", rate("feiqian_webhooks_total", "outcome")]]),
    series("Clock skew", "Seconds ahead at least, by who tells; 1 where no transfers are taken.", "none", [
      ["{{member}} by {{source}}", "feiqian_clock_skew_seconds"],
      ["{{member}} beyond the limit", "feiqian_clock_beyond_limit"],
    ]),
    series("Blocks not read yet", "By member.", "none", [[MEMBER, "feiqian_ledger_lag_blocks"]]),
    series("Steps that fail", "A second, by step.", "none", [["{{step}}", rate("feiqian_step_errors_total", "step")]]),
    series("Items that steps fail on", "A second, by step. Each is tried again.", "none", [
      ["{{step}}", rate("feiqian_item_faults_total", "step")],
    ]),
    series("p99 of a step", "By step.", "s", [["{{step}}", p99("feiqian_step_seconds", "step")]]),
    series("p99 of the API", "By route.", "s", [["{{route}}", p99("feiqian_http_request_seconds", "route")]]),
    series("Money free to send", "In minor units, by member and currency.", "none", [
      ["{{member}} {{currency}}", "feiqian_available_minor"],
    ]),
    series("Money in other treasuries", "Not free to send; in minor units, by member and currency.", "none", [
      ["{{member}} {{currency}}", "feiqian_elsewhere_minor"],
    ]),
    series("Money that open batches hold", "In minor units, by member and currency.", "none", [
      ["{{member}} {{currency}}", "feiqian_held_minor"],
    ]),
    series("Too little money", "1 while a currency is below its alarm.", "none", [
      ["{{member}} {{currency}}", "feiqian_low_water"],
    ]),
    series("Leaders", "Processes that run the steps; 1 for each member.", "none", [
      [MEMBER, "sum by (member) (feiqian_leader)"],
    ]),
    series("Endpoints of the ledger", "By member: used, and dropped for a lie.", "none", [
      ["{{member}} {{state}}", "feiqian_ledger_endpoints"],
    ]),
    series("Contradictions between endpoints", "An hour, by how they ended.", "none", [
      ["{{outcome}}", "sum by (outcome) (increase(feiqian_ledger_disputes_total[1h]))"],
    ]),
    series("Last block read", "By member.", "none", [[MEMBER, "feiqian_ledger_block"]]),
  ];
}

function rate(counter: string, labels: string): string {
  return `sum by (${labels}) (rate(${counter}[1m]))`;
}

function p99(histogram: string, labels: string): string {
  return quantile("0.99", histogram, labels);
}

function quantile(share: string, histogram: string, labels: string): string {
  const by = labels === "" ? "le" : `${labels}, le`;
  return `histogram_quantile(${share}, sum by (${by}) (rate(${histogram}_bucket[5m])))`;
}

function stat(title: string, description: string, unit: string, expr: string, bad?: View["bad"]): View {
  return { kind: "stat", title, description, unit, lines: [["", expr]], ...(bad === undefined ? {} : { bad }) };
}

function series(title: string, description: string, unit: string, lines: View["lines"]): View {
  return { kind: "timeseries", title, description, unit, lines };
}

function dashboard(uid: string, title: string, views: readonly View[]): Dashboard & Readonly<Record<string, unknown>> {
  return {
    uid,
    title,
    tags: ["feiqian"],
    schemaVersion: 39,
    version: 1,
    editable: false,
    timezone: "utc",
    refresh: "15s",
    time: { from: "now-1h", to: "now" },
    templating: { list: [] },
    annotations: { list: [] },
    panels: places(views).map(({ view, gridPos }, index) => panel(index + 1, view, gridPos)),
  };
}

/** In rows, as many as fit side by side; what is of another height begins a row. */
function places(views: readonly View[]): readonly { readonly view: View; readonly gridPos: Panel["gridPos"] }[] {
  let [x, y, rowHeight] = [0, 0, 0];
  return views.map((view) => {
    const { w, h } = SIZES[view.kind];
    if (x + w > GRID_WIDTH || (x > 0 && h !== rowHeight)) [x, y] = [0, y + rowHeight];
    const gridPos = { x, y, w, h };
    [x, rowHeight] = [x + w, h];
    return { view, gridPos };
  });
}

function panel(id: number, view: View, gridPos: Panel["gridPos"]): Panel {
  const { kind, title, description, unit, lines } = view;
  return {
    id,
    type: kind,
    title,
    description,
    datasource: DATASOURCE,
    gridPos,
    targets: lines.map(([legendFormat, expr], index) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + index),
      expr,
      legendFormat,
      datasource: DATASOURCE,
    })),
    fieldConfig: { defaults: { unit, ...thresholds(view.bad) }, overrides: [] },
    options:
      kind === "stat"
        ? {
            reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
            graphMode: "area",
            colorMode: "value",
          }
        : { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } },
  };
}

function thresholds(bad: View["bad"]): object {
  if (bad === undefined) return {};
  const [first, second, value] = "from" in bad ? ["green", "red", bad.from] : ["red", "green", bad.below];
  const steps = [
    { color: first, value: null },
    { color: second, value },
  ];
  return { thresholds: { mode: "absolute", steps } };
}
