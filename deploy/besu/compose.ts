import { memberFolder, NODE_ROLES, type NodeRole } from "./layout.ts";
import type { Files, Member, NetworkPlan } from "./plan.ts";
import {
  CONTAINER_USER,
  grafanaService,
  NETWORKS,
  nodeSecrets,
  nodeServices,
  PRODUCTION_SIZE,
  prometheusService,
  secretName,
  signerService,
  TRY_OUT_SIZE,
  type Service,
  type Setting,
} from "./services.ts";
import { addressesOf, isAddress } from "./try-out-network.ts";
import { signerMetricsPort, signerSecrets, tryOutSigner, VAULT_HOST, web3signerFiles } from "./web3signer.ts";
import { yamlFile } from "./yaml-file.ts";

// Docker Compose for what each operator runs (members/<name>/compose.yaml), and for all members on one machine
// (compose.yaml). Two things are not in there. Secrets are files that the operator puts where the plan says, or into the
// folder SECRETS under the names that compose.yaml has. Addresses that the plan gives by name are variables. Both are
// kept outside the generated folder, which is generated again at every change.

/** Of the first member's RPC node on the machine of a try-out; the next member's is one more. */
const FIRST_TRY_OUT_PORT = 18_545;
const ENVIRONMENT_FILE = "env.example";

export function composeFiles(plan: NetworkPlan): Files {
  return new Map([
    ["compose.yaml", tryOut(plan)],
    ...plan.members.flatMap((member): [string, string][] => [
      [`${memberFolder(member)}/compose.yaml`, operated(plan, member)],
      [`${memberFolder(member)}/${ENVIRONMENT_FILE}`, environmentFile(member)],
    ]),
    ...web3signerFiles(plan),
  ]);
}

interface Variable {
  readonly name: string;
  readonly what: string;
}

const SECRETS: Variable = { name: "SECRETS", what: "the folder of this member's secrets" };
const ALERTMANAGER: Variable = {
  name: "ALERTMANAGER_ADDRESS",
  what: "the IP address of the Alertmanager that wakes somebody",
};

const TRY_OUT_SECRETS = required({ name: "SECRETS", what: "the folder with a folder of secrets for each member" });

const OPERATED: Setting = {
  prefix: "",
  root: "../..",
  own: ".",
  secrets: required(SECRETS),
  size: PRODUCTION_SIZE,
  hasProfiles: true,
};

/** In the try-out, which has the services of all members. */
function tryOutSetting(member: Member): Setting {
  return {
    prefix: `${member.name}-`,
    root: ".",
    own: `./${memberFolder(member)}`,
    secrets: `${TRY_OUT_SECRETS}/${member.name}`,
    size: TRY_OUT_SIZE,
    hasProfiles: false,
  };
}

/** What one operator runs. */
function operated(plan: NetworkPlan, member: Member): string {
  const { validator, rpc, signer } = member;
  const addresses = addressVariables(member);
  const publish = (what: keyof typeof addresses, ports: readonly number[]): readonly string[] =>
    ports.map((port) => `${addresses[what].value}:${port}:${port}`);
  const published: Readonly<Record<NodeRole, readonly string[]>> = {
    validator: publish("validator", [validator.p2pPort, validator.metricsPort]),
    rpc: publish("rpc", [rpc.p2pPort, rpc.metricsPort, rpc.rpcPort]),
  };
  const content = {
    name: `${plan.name}-${member.name}`,
    services: {
      ...allOf(
        NODE_ROLES.map((role) =>
          nodeServices(plan, member, role, OPERATED, { networks: nodeNetworks(role), ports: published[role] }),
        ),
      ),
      web3signer: signerService(plan, member, OPERATED, publish("signer", [signer.port, signerMetricsPort(member)])),
      prometheus: prometheusService(plan, OPERATED, {
        folder: "./monitoring",
        rules: "../../monitoring/alerts.yml",
        networks: [NETWORKS.metrics],
        extraHosts: [`alertmanager:${required(ALERTMANAGER)}`],
      }),
      grafana: grafanaService(plan, OPERATED),
    },
    networks: allNetworks(),
    volumes: volumesOf([OPERATED]),
    secrets: allOf([memberSecrets(member, OPERATED), grafanaSecret(OPERATED)]),
  };
  return yamlFile(content, [
    `What ${member.displayName} runs for the ledger ${plan.name}. Its parts are on hosts of their own, so each has a profile:`,
    ...(
      [
        ["validator", validator.host],
        ["rpc", rpc.host],
        ["signer", signer.host],
        ["monitoring", "the host that watches them"],
      ] as const
    ).map(([profile, host]) => `  docker compose --env-file <file> --profile ${profile} up -d    on ${host}`),
    `<file> is a copy of ${ENVIRONMENT_FILE} outside this folder, filled in. Ports are published on a host's address in the`,
    "private network of the plan: connections between nodes are allowed by list, but metrics and the signer ask for no",
    "password, and their ports have to be closed by a firewall for all but who uses them.",
    `Secrets have to be readable for the containers' users: Besu and Web3Signer run as ${CONTAINER_USER}, Grafana as 472.`,
  ]);
}

/** All members on one machine, to try the network. */
function tryOut(plan: NetworkPlan): string {
  const { subnet, addresses } = addressesOf(plan);
  const hosts = [...addresses].filter(([host]) => !isAddress(host)).map(([host, address]) => `${host}:${address}`);
  const services = plan.members.flatMap((member, index) => {
    const setting = tryOutSetting(member);
    const nodes = NODE_ROLES.map((role) =>
      nodeServices(plan, member, role, setting, {
        networks: { ...nodeNetworks(role), [NETWORKS.p2p]: placeOf(member[role].host, addresses) },
        hosts,
        ports: role === "rpc" ? [`127.0.0.1:${FIRST_TRY_OUT_PORT + index}:${member.rpc.rpcPort}`] : [],
      }),
    );
    return [...nodes, { [tryOutSigner(member)]: signerService(plan, member, setting, []) }];
  });
  const settings = plan.members.map(tryOutSetting);
  const shared: Setting = { ...OPERATED, root: ".", secrets: TRY_OUT_SECRETS, hasProfiles: false };
  const content = {
    name: plan.name,
    services: {
      ...allOf(services),
      prometheus: prometheusService(plan, shared, {
        folder: "./monitoring/try-out",
        rules: "./monitoring/alerts.yml",
        // It asks nodes by their hosts of the plan, which they have here in their own network.
        networks: [NETWORKS.metrics, NETWORKS.p2p],
        extraHosts: relayHosts(plan),
      }),
      grafana: grafanaService(plan, shared),
    },
    networks: {
      ...allNetworks(),
      // Nothing outside takes part.
      [NETWORKS.p2p]: { internal: true, ...(subnet === undefined ? {} : { ipam: { config: [subnet] } }) },
    },
    volumes: volumesOf(settings),
    secrets: allOf([
      ...plan.members.map((member) => memberSecrets(member, tryOutSetting(member))),
      grafanaSecret(shared),
    ]),
  };
  return yamlFile(content, [
    `All members of ${plan.name} on one machine, to try the network: SECRETS=<folder> docker compose up -d. It needs about`,
    `${plan.members.length * 4} GB of memory. Operators run members/<name>/compose.yaml. Every host of the plan is a name or`,
    "address of a container here; relays run outside, on the machine itself.",
    ...(addresses.size === 0
      ? ["The hosts' addresses are too far apart for one network of Docker: the nodes will not find each other."]
      : []),
  ]);
}

function placeOf(host: string, addresses: ReadonlyMap<string, string>): Service {
  const address = addresses.get(host);
  if (address === undefined) return {};
  return { ipv4_address: address, ...(isAddress(host) ? {} : { aliases: [host] }) };
}

/** The API's network is apart from that of the nodes. */
function nodeNetworks(role: NodeRole): Readonly<Record<string, object>> {
  return Object.fromEntries([NETWORKS.p2p, ...(role === "rpc" ? [NETWORKS.rpc] : [])].map((network) => [network, {}]));
}

function allNetworks(): Service {
  return Object.fromEntries(Object.values(NETWORKS).map((network) => [network, {}]));
}

interface Address extends Variable {
  /** The address itself, or the variable that holds it. */
  readonly value: string;
}

/** A host's address in the private network: known where the plan has it, a variable where the plan has a name. */
function addressVariables({
  validator,
  rpc,
  signer,
}: Member): Readonly<Record<"validator" | "rpc" | "signer", Address>> {
  const variable = (name: string, { host }: { readonly host: string }): Address => {
    const known = { name, what: `the IP address of ${host}` };
    return { ...known, value: isAddress(host) ? host : required(known) };
  };
  return {
    validator: variable("VALIDATOR_ADDRESS", validator),
    rpc: variable("RPC_ADDRESS", rpc),
    signer: variable("SIGNER_ADDRESS", signer),
  };
}

/** The variables of an operator's compose.yaml, to be filled in. */
function environmentFile(member: Member): string {
  const addresses = Object.values(addressVariables(member)).filter(({ value }) => value.startsWith("$"));
  const usesVault = member.signer.keys.some(({ kind }) => kind === "vault");
  const variables = [
    SECRETS,
    ...addresses,
    ALERTMANAGER,
    ...(usesVault ? [{ name: "VAULT_ADDRESS", what: `the IP address of the member's Vault (${VAULT_HOST})` }] : []),
  ];
  const own = OPERATED.secrets;
  const secrets = [...Object.values(memberFiles(member, OPERATED)), `${own}/grafana-admin-password`]
    .filter((file) => file.startsWith(own))
    .map((file) => file.slice(own.length + 1));
  return [
    `# Variables of compose.yaml of ${member.displayName}. Copy this file to outside the generated folder, and fill it in:`,
    "# every host needs all of them, as Docker Compose looks at the whole of compose.yaml.",
    ...variables.flatMap(({ name, what }) => [`# ${what}`, `${name}=`]),
    "# What has to be in the folder of secrets:",
    ...secrets.map((name) => `#   ${name}`),
    "",
  ].join("\n");
}

function required({ name, what }: Variable): string {
  return `\${${name}:?${what}}`;
}

/** Relays run on the machine itself. */
function relayHosts({ members }: NetworkPlan): readonly string[] {
  const names = members.map(({ relay }) => relay.metricsHost).filter((host) => !isAddress(host));
  return [...new Set(names)].map((host) => `${host}:host-gateway`);
}

function volumesOf(settings: readonly Setting[]): Service {
  const nodes = settings.flatMap(({ prefix }) => NODE_ROLES.map((role) => `${prefix}${role}-data`));
  return Object.fromEntries([...nodes, "prometheus-data", "grafana-data"].map((name) => [name, {}]));
}

function memberSecrets(member: Member, setting: Setting): Service {
  return Object.fromEntries(Object.entries(memberFiles(member, setting)).map(([name, file]) => [name, { file }]));
}

/** Paths on the host, by the names of the secrets in compose.yaml. */
function memberFiles(member: Member, { prefix, secrets }: Setting): Readonly<Record<string, string>> {
  const named = [
    ...NODE_ROLES.flatMap((role) =>
      nodeSecrets(member, role).map((secret) => ({ ...secret, name: secretName(role, secret.name) })),
    ),
    ...signerSecrets(member),
  ];
  return Object.fromEntries(named.map(({ name, path = `${secrets}/${name}` }) => [`${prefix}${name}`, path]));
}

function grafanaSecret({ secrets }: Setting): Service {
  return { "grafana-admin-password": { file: `${secrets}/grafana-admin-password` } };
}

function allOf(parts: readonly Service[]): Service {
  return Object.fromEntries(parts.flatMap((part) => Object.entries(part)));
}
