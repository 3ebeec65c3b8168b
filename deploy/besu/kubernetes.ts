import { posix } from "node:path";
import { alertGroups, type RelayAlerts } from "./alerts.ts";
import { NODE_PATHS } from "./container-paths.ts";
import { GENESIS_FILE, NODE_ROLES, nodeFolder, type NodeRole } from "./layout.ts";
import { watchedTargets } from "./monitoring.ts";
import { nodesOf } from "./permissions.ts";
import type { Files, Member, NetworkPlan } from "./plan.ts";
import { nodeEnvironment, nodeHealth, nodeSecrets, PRODUCTION_SIZE } from "./services.ts";
import { isAddress } from "./try-out-network.ts";
import { yamlDocuments, yamlFile } from "./yaml-file.ts";

// For Kubernetes: plain manifests for `kubectl apply`, with nothing in them to be filled in. The charts that there are for
// Besu were made for older versions of it, and start it with options of their own.

const STORAGE = "500Gi";
const NAMESPACE = "feiqian";
/** Besu's image has made it for this. */
const USER_ID = 1000;
const BASE_CPUS = "2";
/** Labels by which a member's own relay and Prometheus are known to network policies. */
const RELAY_LABEL = { "app.kubernetes.io/name": "feiqian-relay" } as const;
const PROMETHEUS_LABEL = { "app.kubernetes.io/name": "prometheus" } as const;

export function kubernetesFiles(plan: NetworkPlan, relays: RelayAlerts): Files {
  return new Map([
    ...plan.members.flatMap((member): [string, string][] => [
      ...NODE_ROLES.map((role): [string, string] => [
        `kubernetes/${member.name}/${role}.yaml`,
        nodeManifest(plan, member, role),
      ]),
      [`kubernetes/${member.name}/policies.yaml`, policies(plan, member)],
      [`kubernetes/${member.name}/scrape.yaml`, scrapeConfigs(member)],
    ]),
    ["kubernetes/alerts.yaml", prometheusRule(plan, relays)],
  ]);
}

/** A node: where it is reached, and what runs. */
function nodeManifest(plan: NetworkPlan, member: Member, role: NodeRole): string {
  const name = nodeName(member, role);
  const secrets = nodeSecrets(member, role).map((secret) => `--from-file=${secret.name}=<file>`);
  return yamlDocuments(
    [service(member, role), statefulSet(plan, member, role)],
    [
      `The ${role === "rpc" ? "RPC node" : "validator"} of ${member.displayName}. What it reads is put there first, and again when it has changed:`,
      `  kubectl -n ${NAMESPACE} create configmap besu-genesis --from-file=${GENESIS_FILE}`,
      `  kubectl -n ${NAMESPACE} create configmap ${name} --from-file=${nodeFolder(member, role)}`,
      `  kubectl -n ${NAMESPACE} create secret generic ${name} ${secrets.join(" ")}`,
      `The host ${member[role].host} of network.json is the address of its Service.`,
    ],
  );
}

/** Reached under the host of the plan, from outside and from inside; the policies say who may. */
function service(member: Member, role: NodeRole): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: nodeName(member, role), namespace: NAMESPACE, labels: nodeLabels(member, role) },
    spec: {
      type: "LoadBalancer",
      // Peers are known by their addresses.
      externalTrafficPolicy: "Local",
      selector: nodeLabels(member, role),
      ports: portsOf(member, role).map(({ name, port }) => ({ name, port, targetPort: name, protocol: "TCP" })),
    },
  };
}

function portsOf(member: Member, role: NodeRole): readonly { readonly name: string; readonly port: number }[] {
  const { p2pPort, metricsPort } = member[role];
  const both = [
    { name: "p2p", port: p2pPort },
    { name: "metrics", port: metricsPort },
  ];
  return role === "rpc" ? [...both, { name: "rpc", port: member.rpc.rpcPort }] : both;
}

function statefulSet(plan: NetworkPlan, member: Member, role: NodeRole): object {
  const name = nodeName(member, role);
  const labels = nodeLabels(member, role);
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name, namespace: NAMESPACE, labels },
    spec: {
      serviceName: name,
      // Two with one key would contradict each other.
      replicas: 1,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      selector: { matchLabels: labels },
      template: {
        // Network policies look for pods, by these.
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 60,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: USER_ID,
            runAsGroup: USER_ID,
            fsGroup: USER_ID,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [nodeContainer(plan, member, role)],
          volumes: [
            { name: "config", configMap: { name } },
            { name: "genesis", configMap: { name: "besu-genesis" } },
            { name: "secrets", secret: { secretName: name, defaultMode: 0o440 } },
            // Java unpacks its native libraries there.
            { name: "tmp", emptyDir: { sizeLimit: "512Mi" } },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: STORAGE } } },
        },
      ],
    },
  };
}

function nodeContainer(plan: NetworkPlan, member: Member, role: NodeRole): object {
  const { nodeCpus, nodeMemory } = PRODUCTION_SIZE;
  const memory = nodeMemory.replace(/g$/, "Gi");
  const probe = { exec: { command: nodeHealth(member[role].metricsPort) }, timeoutSeconds: 5, periodSeconds: 15 };
  return {
    name: "besu",
    image: plan.images.besu,
    command: ["/opt/besu/bin/besu"],
    args: [`--config-file=${NODE_PATHS.config}`],
    env: Object.entries(nodeEnvironment(role, PRODUCTION_SIZE)).map(([name, value]) => ({ name, value })),
    ports: portsOf(member, role).map(({ name, port }) => ({ name, containerPort: port, protocol: "TCP" })),
    resources: { requests: { cpu: BASE_CPUS, memory }, limits: { cpu: nodeCpus, memory } },
    securityContext: {
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    },
    startupProbe: { ...probe, failureThreshold: 40 },
    readinessProbe: probe,
    volumeMounts: [
      { name: "config", mountPath: posix.dirname(NODE_PATHS.config), readOnly: true },
      { name: "genesis", mountPath: NODE_PATHS.genesisFolder, readOnly: true },
      { name: "secrets", mountPath: NODE_PATHS.secrets, readOnly: true },
      { name: "data", mountPath: NODE_PATHS.data },
      { name: "tmp", mountPath: "/tmp" },
    ],
  };
}

function nodeName({ name }: Member, role: NodeRole): string {
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
    metadata: { name: nodeName(member, role), namespace: NAMESPACE },
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

function prometheusRule(plan: NetworkPlan, relays: RelayAlerts): string {
  const content = {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name: `feiqian-${plan.name}`, namespace: NAMESPACE, labels: { release: "monitoring" } },
    spec: { groups: alertGroups(plan, relays) },
  };
  return yamlFile(content, ["The alerts of monitoring/alerts.yml, for the Prometheus operator."]);
}
