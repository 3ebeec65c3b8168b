import { alertGroups, type RelayAlerts } from "./alerts.ts";
import { DATASOURCE_UID, ledgerDashboard, relayDashboard } from "./dashboards.ts";
import { memberFolder, NODE_ROLES } from "./layout.ts";
import type { Files, Member, NetworkPlan } from "./plan.ts";
import { GRAFANA_DASHBOARDS, PROMETHEUS_RULES } from "./services.ts";
import { signerMetricsPort, tryOutSigner } from "./web3signer.ts";
import { yamlFile } from "./yaml-file.ts";

// Prometheus, its alerts, and Grafana. Each operator watches its own parts (members/<name>/monitoring/prometheus.yml);
// monitoring/prometheus.yml watches all of them, for whoever may reach all; the one of the try-out does so on one machine.

/** Of Prometheus' node_exporter, which tells of a host's disks. */
const HOST_EXPORTER_PORT = 9100;

export function monitoringFiles(plan: NetworkPlan, relays: RelayAlerts): Files {
  const grafana = "monitoring/grafana";
  return new Map([
    [
      "monitoring/prometheus.yml",
      prometheusConfig(plan.members, {
        about: `Watches every node, signer and relay of ${plan.name}.`,
        hasHosts: true,
      }),
    ],
    [
      "monitoring/try-out/prometheus.yml",
      prometheusConfig(plan.members, {
        about: `Watches all members of ${plan.name} on one machine, for compose.yaml.`,
        signerOf: tryOutSigner,
        hasAlertmanager: false,
      }),
    ],
    ...plan.members.map((member): [string, string] => [
      `${memberFolder(member)}/monitoring/prometheus.yml`,
      prometheusConfig([member], { about: `Watches what ${member.displayName} runs.`, hasHosts: true }),
    ]),
    ["monitoring/alerts.yml", alertsFile(plan, relays)],
    [`${grafana}/provisioning/datasources/prometheus.yaml`, datasourceFile()],
    [`${grafana}/provisioning/dashboards/feiqian.yaml`, providerFile()],
    [`${grafana}/dashboards/ledger.json`, json(ledgerDashboard(plan))],
    [`${grafana}/dashboards/relays.json`, json(relayDashboard(plan))],
  ]);
}

interface Watch {
  readonly about: string;
  /** By what name a signer is reached; by its host unless given. */
  readonly signerOf?: (member: Member) => string;
  /** Whether there is a machine of its own below each part. */
  readonly hasHosts?: boolean;
  readonly hasAlertmanager?: boolean;
}

interface Target {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

interface Job {
  readonly job: string;
  readonly targets: readonly Target[];
}

/** What Prometheus asks for its numbers, by job. */
export function watchedTargets(
  members: readonly Member[],
  { signerOf = ({ signer }: Member) => signer.host, hasHosts = false }: Omit<Watch, "about"> = {},
): readonly Job[] {
  const jobs: readonly Job[] = [
    { job: "besu", targets: members.flatMap(nodeTargets) },
    {
      job: "web3signer",
      targets: members.map((member) => target(`${signerOf(member)}:${signerMetricsPort(member)}`, member, "signer")),
    },
    {
      job: "relay",
      targets: members.map((member) =>
        target(`${member.relay.metricsHost}:${member.relay.metricsPort}`, member, "relay"),
      ),
    },
  ];
  return hasHosts ? [...jobs, { job: "host", targets: members.flatMap(hostTargets) }] : jobs;
}

function prometheusConfig(members: readonly Member[], watch: Watch): string {
  const { about, hasHosts = false, hasAlertmanager = true } = watch;
  const config = {
    global: { scrape_interval: "15s", scrape_timeout: "10s", evaluation_interval: "15s" },
    rule_files: [PROMETHEUS_RULES],
    ...(hasAlertmanager
      ? { alerting: { alertmanagers: [{ static_configs: [{ targets: ["alertmanager:9093"] }] }] } }
      : {}),
    scrape_configs: [
      { job_name: "prometheus", static_configs: [{ targets: ["localhost:9090"] }] },
      ...watchedTargets(members, watch).map(({ job, targets }) => ({
        job_name: job,
        metrics_path: "/metrics",
        static_configs: targets,
      })),
    ],
  };
  return yamlFile(config, [
    about,
    "Nodes answer only under the host names that their host-allowlist has, so targets are those.",
    ...(hasHosts ? ["Every host runs Prometheus' node_exporter, which tells how full its disks are."] : []),
  ]);
}

function nodeTargets(member: Member): readonly Target[] {
  return NODE_ROLES.map((role) => target(`${member[role].host}:${member[role].metricsPort}`, member, role));
}

/** One for each machine; a signer may share the one of its relay. */
function hostTargets(member: Member): readonly Target[] {
  const { validator, rpc, signer, relay } = member;
  const hosts = new Set([validator.host, rpc.host, signer.host, relay.metricsHost]);
  return [...hosts].map((host) => target(`${host}:${HOST_EXPORTER_PORT}`, member, "host"));
}

function target(address: string, { name }: Member, role: string): Target {
  return { targets: [address], labels: { member: name, role } };
}

function alertsFile(plan: NetworkPlan, relays: RelayAlerts): string {
  return yamlFile({ groups: alertGroups(plan, relays) }, [
    `What somebody is told of in ${plan.name}. critical: wake somebody; warning: look at it today; info: know it.`,
    "runbook names the file of Feiqian's documentation that says what to do.",
  ]);
}

function datasourceFile(): string {
  const datasource = {
    name: "Prometheus",
    type: "prometheus",
    uid: DATASOURCE_UID,
    access: "proxy",
    url: "http://prometheus:9090",
    isDefault: true,
    editable: false,
  };
  return yamlFile({ apiVersion: 1, datasources: [datasource] }, ["Grafana's source of numbers."]);
}

function providerFile(): string {
  const provider = {
    name: "feiqian",
    type: "file",
    folder: "Feiqian",
    disableDeletion: true,
    allowUiUpdates: false,
    options: { path: GRAFANA_DASHBOARDS },
  };
  return yamlFile({ apiVersion: 1, providers: [provider] }, ["Where Grafana finds its dashboards."]);
}

function json(content: object): string {
  return `${JSON.stringify(content, undefined, 2)}\n`;
}
