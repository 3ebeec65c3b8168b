import { posix } from "node:path";
import { NODE_PATHS } from "./container-paths.ts";
import { GENESIS_FILE, type NodeRole } from "./layout.ts";
import type { KeyReference, Member, NetworkPlan } from "./plan.ts";
import { SIGNER_PATHS, signerSecrets, VAULT_HOST, type SecretFile } from "./web3signer.ts";

// The services of a compose.yaml, each as far as it is the same on an operator's machines and in the try-out of all
// members on one. What differs (names, networks, published ports, where files are) is said by a Setting.

export type Service = Readonly<Record<string, unknown>>;

/** How the services of a member are laid out. */
export interface Setting {
  /** In front of the names of services, volumes and secrets. */
  readonly prefix: string;
  /** Of the output folder and of the member's, seen from compose.yaml. */
  readonly root: string;
  readonly own: string;
  /** The folder of the files that the operator provides. */
  readonly secrets: string;
  readonly size: Size;
  /** Whether a service is started only with its profile, since it may be on a host of its own. */
  readonly hasProfiles: boolean;
}

export interface Size {
  readonly nodeCpus: string;
  readonly nodeMemory: string;
  readonly nodeHeap: string;
}

/** What Besu's documentation asks of a machine for a private network, with room for the ledger's state. */
export const PRODUCTION_SIZE: Size = { nodeCpus: "4", nodeMemory: "8g", nodeHeap: "4g" };
export const TRY_OUT_SIZE: Size = { nodeCpus: "1", nodeMemory: "1536m", nodeHeap: "768m" };

export const NETWORKS = {
  p2p: "p2p",
  rpc: "rpc",
  signing: "signing",
  metrics: "metrics",
  operators: "operators",
} as const;
export const PROMETHEUS_RULES = "/etc/prometheus-rules/alerts.yml";
export const GRAFANA_DASHBOARDS = "/etc/grafana/dashboards";
const GRAFANA_PORT = 3000;

/** Of Besu and Web3Signer: Besu's image has made it for this. What they read has to be readable for it. */
export const CONTAINER_USER = "1000:1000";

/** Nothing may be written but volumes and tmpfs, and nothing gained. */
const HARDENED = { read_only: true, security_opt: ["no-new-privileges:true"], cap_drop: ["ALL"] } as const;
const LASTING = {
  ...HARDENED,
  restart: "unless-stopped",
  logging: { driver: "json-file", options: { "max-size": "50m", "max-file": "5" } },
} as const;
/** Executable: Java unpacks its native libraries there. */
const JAVA_TMP = "/tmp:exec,mode=1777,size=512m";

export interface NodeOptions {
  /** Network by network, with what it says of the node there. */
  readonly networks: Service;
  readonly ports: readonly string[];
  /** Names of other hosts with their addresses, where nothing else tells them. */
  readonly hosts?: readonly string[];
}

/** A Besu node, and what makes its volume its own. */
export function nodeServices(
  plan: NetworkPlan,
  member: Member,
  role: NodeRole,
  setting: Setting,
  { networks, ports, hosts = [] }: NodeOptions,
): Readonly<Record<string, Service>> {
  const name = `${setting.prefix}${role}`;
  const volume = `${name}-data`;
  const { size } = setting;
  const node: Service = {
    image: plan.images.besu,
    ...profile(setting, role),
    // Past the image's entry script: that starts as root to change the owners of files, and has no need to here.
    entrypoint: ["/opt/besu/bin/besu"],
    command: [`--config-file=${NODE_PATHS.config}`],
    user: CONTAINER_USER,
    ...LASTING,
    environment: nodeEnvironment(role, size),
    tmpfs: [JAVA_TMP],
    volumes: [
      `${setting.root}/${posix.dirname(GENESIS_FILE)}:${NODE_PATHS.genesisFolder}:ro`,
      `${setting.own}/${role}:${NODE_PATHS.folder}:ro`,
      `${volume}:${NODE_PATHS.data}`,
    ],
    secrets: nodeSecrets(member, role).map(({ name: secret }) => ({
      source: `${setting.prefix}${secretName(role, secret)}`,
      target: secret,
    })),
    networks,
    ...(ports.length === 0 ? {} : { ports }),
    ...(hosts.length === 0 ? {} : { extra_hosts: hosts }),
    depends_on: { [`${name}-volume`]: { condition: "service_completed_successfully" } },
    healthcheck: {
      test: ["CMD", ...nodeHealth(member[role].metricsPort)],
      interval: "15s",
      timeout: "5s",
      retries: 4,
      start_period: "2m",
    },
    ulimits: { nofile: { soft: 65_536, hard: 65_536 } },
    // RocksDB is closed in order within seconds; killed, it would be repaired at the next start.
    stop_grace_period: "1m",
    deploy: limits(size.nodeCpus, size.nodeMemory),
  };
  return { [`${name}-volume`]: volumeService(plan, role, setting, volume), [name]: node };
}

/** A new volume is root's. This gives it to the node, and ends. */
function volumeService(plan: NetworkPlan, role: NodeRole, setting: Setting, volume: string): Service {
  return {
    image: plan.images.besu,
    ...profile(setting, role),
    entrypoint: ["chown", CONTAINER_USER, NODE_PATHS.data],
    user: "0:0",
    ...HARDENED,
    cap_add: ["CHOWN"],
    restart: "no",
    network_mode: "none",
    volumes: [`${volume}:${NODE_PATHS.data}`],
    deploy: limits("0.5", "64m"),
  };
}

/**
 * Besu's image sets the hosts of its services to all interfaces, and a variable outranks config.toml: so they are set here
 * to what config.toml says.
 */
export function nodeEnvironment(role: NodeRole, { nodeHeap }: Size): Readonly<Record<string, string>> {
  return {
    BESU_OPTS: `-Xmx${nodeHeap}`,
    BESU_RPC_HTTP_HOST: role === "rpc" ? "0.0.0.0" : "127.0.0.1",
    BESU_RPC_WS_HOST: "127.0.0.1",
  };
}

/** The command that succeeds when it tells a height. Besu's image has bash, and neither curl nor wget. */
export function nodeHealth(metricsPort: number): readonly string[] {
  const ask = `exec 3<>/dev/tcp/127.0.0.1/${metricsPort} && printf 'GET /metrics HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3`;
  return ["bash", "-c", `${ask} && grep -q '^ethereum_blockchain_height' <&3`];
}

/** What the operator provides for a node, by the name in its container. */
export function nodeSecrets(member: Member, role: NodeRole): readonly SecretFile[] {
  const nodeKey: SecretFile = { name: "node-key", ...pathOf(member[role].key) };
  if (role === "validator") return [nodeKey];
  return [nodeKey, { name: "rpc-tls.p12" }, { name: "rpc-tls-password" }, { name: "rpc-jwt.pem" }];
}

/** Both of a member's nodes have a node key; the other names say already what they are of. */
export function secretName(role: NodeRole, secret: string): string {
  return secret === "node-key" ? `${role}-node-key` : secret;
}

function pathOf(key: KeyReference): { readonly path?: string } {
  return key.kind === "file" ? { path: key.path } : {};
}

export function signerService(plan: NetworkPlan, member: Member, setting: Setting, ports: readonly string[]): Service {
  const usesVault = member.signer.keys.some(({ kind }) => kind === "vault");
  return {
    image: plan.images.web3signer,
    ...profile(setting, "signer"),
    command: [`--config-file=${SIGNER_PATHS.config}`, "eth1"],
    user: CONTAINER_USER,
    ...LASTING,
    environment: { JAVA_OPTS: "-Xmx512m" },
    tmpfs: [JAVA_TMP],
    volumes: [`${setting.own}/web3signer:${SIGNER_PATHS.folder}:ro`],
    secrets: signerSecrets(member).map(({ name }) => ({ source: `${setting.prefix}${name}`, target: name })),
    networks: [NETWORKS.signing, NETWORKS.metrics],
    ...(ports.length === 0 ? {} : { ports }),
    ...(usesVault ? { extra_hosts: [`${VAULT_HOST}:\${VAULT_ADDRESS:?the IP address of the member's Vault}`] } : {}),
    healthcheck: {
      test: ["CMD", "curl", "-fsSk", `https://localhost:${member.signer.port}/upcheck`],
      interval: "15s",
      timeout: "5s",
      retries: 4,
      start_period: "1m",
    },
    ulimits: { nofile: { soft: 65_536, hard: 65_536 } },
    deploy: limits("1", "1g"),
  };
}

export interface PrometheusOptions {
  /** The folder of its prometheus.yml, and the rules that go with all of them. */
  readonly folder: string;
  readonly rules: string;
  readonly networks: readonly string[];
  readonly extraHosts: readonly string[];
}

export function prometheusService(plan: NetworkPlan, setting: Setting, options: PrometheusOptions): Service {
  return {
    image: plan.images.prometheus,
    ...profile(setting, "monitoring"),
    command: [
      "--config.file=/etc/prometheus/prometheus.yml",
      "--storage.tsdb.path=/prometheus",
      "--storage.tsdb.retention.time=90d",
      "--storage.tsdb.retention.size=40GB",
    ],
    ...LASTING,
    volumes: [
      `${options.folder}:/etc/prometheus:ro`,
      `${options.rules}:${PROMETHEUS_RULES}:ro`,
      "prometheus-data:/prometheus",
    ],
    networks: options.networks,
    ...(options.extraHosts.length === 0 ? {} : { extra_hosts: options.extraHosts }),
    healthcheck: webHealth("http://localhost:9090/-/healthy"),
    ulimits: { nofile: { soft: 65_536, hard: 65_536 } },
    deploy: limits("2", "2g"),
  };
}

/** For the operators' browsers, by a tunnel: it is published on the host itself only. */
export function grafanaService(plan: NetworkPlan, setting: Setting): Service {
  return {
    image: plan.images.grafana,
    ...profile(setting, "monitoring"),
    ...LASTING,
    environment: {
      // Without the file it does not start: there is no password that everybody knows.
      GF_SECURITY_ADMIN_PASSWORD__FILE: "/run/secrets/grafana-admin-password",
      GF_AUTH_ANONYMOUS_ENABLED: "false",
      GF_USERS_ALLOW_SIGN_UP: "false",
      GF_ANALYTICS_REPORTING_ENABLED: "false",
      GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
    },
    tmpfs: ["/tmp:mode=1777,size=64m"],
    volumes: [
      `${setting.root}/monitoring/grafana/provisioning:/etc/grafana/provisioning:ro`,
      `${setting.root}/monitoring/grafana/dashboards:${GRAFANA_DASHBOARDS}:ro`,
      "grafana-data:/var/lib/grafana",
    ],
    secrets: [{ source: "grafana-admin-password", target: "grafana-admin-password" }],
    networks: [NETWORKS.metrics, NETWORKS.operators],
    ports: [`127.0.0.1:${GRAFANA_PORT}:${GRAFANA_PORT}`],
    depends_on: { prometheus: { condition: "service_healthy" } },
    healthcheck: webHealth(`http://localhost:${GRAFANA_PORT}/api/health`),
    deploy: limits("1", "512m"),
  };
}

function webHealth(url: string): Service {
  return {
    test: ["CMD", "wget", "-q", "--spider", url],
    interval: "15s",
    timeout: "5s",
    retries: 4,
    start_period: "1m",
  };
}

function limits(cpus: string, memory: string): Service {
  return { resources: { limits: { cpus, memory, pids: 4_096 } } };
}

function profile({ hasProfiles }: Setting, name: string): Service {
  return hasProfiles ? { profiles: [name] } : {};
}
