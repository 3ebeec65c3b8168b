import { posix } from "node:path";
import { alertGroups } from "./alerts.ts";
import { NODE_PATHS } from "./container-paths.ts";
import { GENESIS_FILE, NODE_ROLES, nodeFolder, type NodeRole } from "./layout.ts";
import { watchedTargets } from "./monitoring.ts";
import { nodesOf } from "./permissions.ts";
import type { Files, Member, NetworkPlan } from "./plan.ts";
import { nodeSecrets, PRODUCTION_SIZE } from "./services.ts";
import { isAddress } from "./try-out-network.ts";
import { yamlDocuments, yamlFile } from "./yaml-file.ts";

// For Kubernetes: values in the shape of the chart besu-node of Consensys/quorum-kubernetes, and beside them what a chart
// has no values for. docs/runbooks/kubernetes.md says what that chart has to be changed in, and why.

const STORAGE = "500Gi";
const NAMESPACE = "feiqian";
/** Labels by which a member's own relay and Prometheus are known to network policies. */
const RELAY_LABEL = { "app.kubernetes.io/name": "feiqian-relay" } as const;
const PROMETHEUS_LABEL = { "app.kubernetes.io/name": "prometheus" } as const;

export function helmFiles(plan: NetworkPlan): Files {
  return new Map([
    ...plan.members.flatMap((member): [string, string][] => [
      [`helm/${member.name}/values.yaml`, commonValues(plan, member)],
      ...NODE_ROLES.map((role): [string, string] => [`helm/${member.name}/${role}.yaml`, nodeValues(member, role)]),
      [`helm/${member.name}/policies.yaml`, policies(plan, member)],
      [`helm/${member.name}/scrape.yaml`, scrapeConfigs(member)],
    ]),
    ["helm/alerts.yaml", prometheusRule(plan)],
  ]);
}

/** What holds for both of a member's nodes. */
function commonValues(plan: NetworkPlan, member: Member): string {
  const [repository, tag] = splitImage(plan.images.besu);
  const values = {
    quorumFlags: { privacy: false, removeKeysOnDelete: false, isBootnode: false, usesBootnodes: false },
    cluster: { provider: "local", cloudNativeServices: false, reclaimPolicy: "Retain" },
    storage: { sizeLimit: STORAGE, pvcSizeLimit: STORAGE, reclaimPolicy: "Retain" },
    volumePermissionsFix: [],
    image: { besu: { repository, tag, pullPolicy: "IfNotPresent" } },
    podSecurityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containerSecurityContext: {
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    },
  };
  return yamlFile(values, [
    `Of both nodes of ${member.displayName}. With a chart in the shape of besu-node of Consensys/quorum-kubernetes:`,
    ...NODE_ROLES.map(
      (role) =>
        `  helm upgrade --install ${member.name}-${role} <chart> -n ${NAMESPACE} -f values.yaml -f ${role}.yaml`,
    ),
    "docs/runbooks/kubernetes.md says what has to be changed in that chart.",
  ]);
}

function nodeValues(member: Member, role: NodeRole): string {
  const node = member[role];
  const name = releaseName(member, role);
  const { nodeCpus, nodeMemory, nodeHeap } = PRODUCTION_SIZE;
  const memory = nodeMemory.replace(/g$/, "Gi");
  const besu = {
    envBesuOpts: `-Xmx${nodeHeap}`,
    resources: { cpuLimit: nodeCpus, cpuRequest: "2", memLimit: memory, memRequest: memory },
    dataPath: NODE_PATHS.data,
    keysPath: NODE_PATHS.secrets,
    privateKeyPath: NODE_PATHS.nodeKey,
    genesisFilePath: NODE_PATHS.genesis,
    configMap: name,
    configPath: NODE_PATHS.config,
    secretName: name,
    customLabels: nodeLabels(member, role),
    p2p: {
      enabled: true,
      port: node.p2pPort,
      discovery: false,
      staticNodes: NODE_PATHS.staticNodes,
      service: { type: "LoadBalancer", externalTrafficPolicy: "Local", hostname: node.host },
    },
    rpc: role === "rpc" ? { enabled: true, port: member.rpc.rpcPort, authenticationEnabled: true } : { enabled: false },
    ws: { enabled: false },
    graphql: { enabled: false },
    metrics: { enabled: true, port: node.metricsPort, serviceMonitorEnabled: false },
    metricsPush: { enabled: false },
    permissions: { enabled: false },
  };
  const values = { fullnameOverride: name, nameOverride: name, node: { besu } };
  const secrets = nodeSecrets(member, role).map((secret) => `--from-file=${secret.name}=<file>`);
  return yamlFile(values, [
    `The ${role === "rpc" ? "RPC node" : "validator"} of ${member.displayName}. Its configuration and its secrets are put there first:`,
    `  kubectl -n ${NAMESPACE} create configmap besu-genesis --from-file=${GENESIS_FILE}`,
    `  kubectl -n ${NAMESPACE} create configmap ${name} --from-file=${nodeFolder(member, role)}`,
    `  kubectl -n ${NAMESPACE} create secret generic ${name} ${secrets.join(" ")}`,
    "The chart's own permissions, ServiceMonitor and RPC settings stay off: config.toml has them, and its allow-list of",
    "host names refuses a scrape of a pod's address (see scrape.yaml).",
    `The config map is mounted at ${posix.dirname(NODE_PATHS.config)}, the secret at ${NODE_PATHS.secrets}.`,
  ]);
}

function releaseName({ name }: Member, role: NodeRole): string {
  return `${name}-${role}`;
}

function nodeLabels({ name }: Member, role: NodeRole): Readonly<Record<string, string>> {
  return { "feiqian.network/member": name, "feiqian.network/role": role };
}

/** Who reaches the nodes, and whom they reach. */
function policies(plan: NetworkPlan, member: Member): string {
  return yamlDocuments(
    NODE_ROLES.map((role) => nodePolicy(plan, member, role)),
    [
      `Network policies of ${member.displayName}'s nodes. Peers come in by their port from the hosts of the plan; those with`,
      "a name instead of an address cannot be told apart here, and are by the allow-list of nodes alone.",
    ],
  );
}

function nodePolicy(plan: NetworkPlan, member: Member, role: NodeRole): object {
  const node = member[role];
  const others = nodesOf(plan).filter((other) => other !== node);
  const blocks = others.every(({ host }) => isAddress(host))
    ? others.map(({ host }) => ({ ipBlock: { cidr: `${host}/32` } }))
    : [{ ipBlock: { cidr: "0.0.0.0/0" } }];
  const peerPorts = [...new Set(others.map(({ p2pPort }) => p2pPort))].toSorted((left, right) => left - right);
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: releaseName(member, role), namespace: NAMESPACE },
    spec: {
      podSelector: { matchLabels: nodeLabels(member, role) },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { from: blocks, ports: [tcp(node.p2pPort)] },
        {
          from: [{ namespaceSelector: {}, podSelector: { matchLabels: PROMETHEUS_LABEL } }],
          ports: [tcp(node.metricsPort)],
        },
        ...(role === "rpc"
          ? [{ from: [{ podSelector: { matchLabels: RELAY_LABEL } }], ports: [tcp(member.rpc.rpcPort)] }]
          : []),
      ],
      egress: [{ to: blocks, ports: peerPorts.map(tcp) }, { ports: [tcp(53), { protocol: "UDP", port: 53 }] }],
    },
  };
}

function tcp(port: number): object {
  return { protocol: "TCP", port };
}

/** By host, as Besu refuses what asks for it by a pod's address; a ServiceMonitor would. */
function scrapeConfigs(member: Member): string {
  const jobs = watchedTargets([member]);
  return yamlDocuments(
    jobs.map(({ job, targets }) => ({
      apiVersion: "monitoring.coreos.com/v1alpha1",
      kind: "ScrapeConfig",
      metadata: { name: `${member.name}-${job}`, namespace: NAMESPACE, labels: { release: "monitoring" } },
      spec: {
        jobName: job,
        metricsPath: "/metrics",
        scrapeInterval: "15s",
        staticConfigs: targets,
      },
    })),
    [`What the Prometheus operator watches of ${member.displayName}.`],
  );
}

function prometheusRule(plan: NetworkPlan): string {
  const content = {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name: `feiqian-${plan.name}`, namespace: NAMESPACE, labels: { release: "monitoring" } },
    spec: { groups: alertGroups(plan) },
  };
  return yamlFile(content, ["The alerts of monitoring/alerts.yml, for the Prometheus operator."]);
}

/** Repository, and version with its digest. A registry's port has a colon, too. */
function splitImage(image: string): readonly [string, string] {
  const [name = "", digest] = image.split("@");
  const colon = name.lastIndexOf(":");
  const version = name.slice(colon + 1);
  return [name.slice(0, colon), digest === undefined ? version : `${version}@${digest}`];
}
