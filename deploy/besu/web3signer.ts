import { memberFolder } from "./layout.ts";
import type { Files, KeyReference, Member, NetworkPlan } from "./plan.ts";
import { yamlFile } from "./yaml-file.ts";

// Web3Signer signs for a member's relay and admin, in eth1 mode. Its options and the formats of its key configuration
// files are those of docs.web3signer.consensys.io (reference/cli, reference/key-config-file-params); `authMethod` of a
// key in Vault came with Web3Signer 26.7.0.

/** Where things are in its container. */
export const SIGNER_PATHS = {
  folder: "/etc/web3signer",
  config: "/etc/web3signer/config.yaml",
  keys: "/etc/web3signer/keys",
  secrets: "/run/secrets",
} as const;

/** The member's own Vault. Where it is, a variable of compose.yaml says. */
export const VAULT_HOST = "vault";
const VAULT_PORT = 8200;
const VAULT_TIMEOUT_MS = 10_000;
const FIRST_METRICS_PORT = 9001;

/** A file that the operator provides, never generated: what it is called among the container's secrets. */
export interface SecretFile {
  /** Name in compose.yaml, of the service that it is for. */
  readonly name: string;
  /** Path on the host where the plan says it; a file of that name in the folder of secrets where it does not. */
  readonly path?: string;
}

function signerFolder(member: Pick<Member, "name">): string {
  return `${memberFolder(member)}/web3signer`;
}

/** Where it tells its metrics: the plan has no port for them, so one that nothing else on its host has. */
export function signerMetricsPort({ signer, relay }: Member): number {
  const taken = new Set([signer.port, ...(relay.metricsHost === signer.host ? [relay.metricsPort] : [])]);
  let port = FIRST_METRICS_PORT;
  while (taken.has(port)) port += 1;
  return port;
}

/** Its name in the try-out, where Prometheus asks for it by that. */
export function tryOutSigner({ name }: Pick<Member, "name">): string {
  return `${name}-web3signer`;
}

/** Its configuration, and a file for each key. */
export function web3signerFiles(plan: NetworkPlan): Files {
  return new Map(
    plan.members.flatMap((member) => [
      [`${signerFolder(member)}/config.yaml`, signerConfig(plan, member)],
      ...member.signer.keys.map((key, index): [string, string] => [
        `${signerFolder(member)}/keys/${keyName(index)}.yaml`,
        keyConfig(member, key, index),
      ]),
    ]),
  );
}

/** What the operator provides for it. */
export function signerSecrets({ signer }: Member): readonly SecretFile[] {
  const usesVault = signer.keys.some(({ kind }) => kind === "vault");
  return [
    { name: "signer-tls.p12" },
    { name: "signer-tls-password" },
    ...signer.keys.flatMap((key, index) =>
      key.kind === "file"
        ? [
            { name: `${keyName(index)}.json`, path: key.path },
            { name: `${keyName(index)}.password`, path: `${key.path}.password` },
          ]
        : [],
    ),
    ...(usesVault ? [{ name: "vault-known-servers" }, { name: "vault-identity" }] : []),
  ];
}

function keyName(index: number): string {
  return `key-${index + 1}`;
}

function signerConfig({ chain }: NetworkPlan, member: Member): string {
  const { host, port } = member.signer;
  const hosts = [host, "web3signer", "localhost", "127.0.0.1"];
  const config = {
    "data-path": "/tmp",
    "key-config-path": SIGNER_PATHS.keys,
    "http-listen-host": "0.0.0.0",
    "http-listen-port": port,
    "http-host-allowlist": hosts,
    "tls-keystore-file": `${SIGNER_PATHS.secrets}/signer-tls.p12`,
    "tls-keystore-password-file": `${SIGNER_PATHS.secrets}/signer-tls-password`,
    "tls-allow-any-client": true,
    "metrics-enabled": true,
    "metrics-host": "0.0.0.0",
    "metrics-port": signerMetricsPort(member),
    "metrics-host-allowlist": [...hosts, tryOutSigner(member)],
    "metrics-category": ["HTTP", "SIGNING", "JVM", "PROCESS"],
    logging: "INFO",
    "eth1.chain-id": chain.chainId,
    "eth1.downstream-http-host": "127.0.0.1",
    "eth1.downstream-http-port": 8545,
  };
  return yamlFile(config, [
    `Web3Signer of ${member.displayName}, to be started as: web3signer --config-file=${SIGNER_PATHS.config} eth1`,
    "A relay shows no certificate, so any client may connect: who can reach the port can have anything signed. It has to",
    "be reachable for the member's relay and nobody else.",
    "Nothing listens downstream: this signer signs, and passes no request on to a node.",
  ]);
}

function keyConfig(member: Member, key: KeyReference, index: number): string {
  return yamlFile(keyContent(member, key, keyName(index)), [`Where a key of ${member.displayName} is.`]);
}

function keyContent(member: Member, key: KeyReference, name: string): Readonly<Record<string, unknown>> {
  switch (key.kind) {
    case "file":
      return {
        type: "file-keystore",
        keyType: "SECP256K1",
        keystoreFile: `${SIGNER_PATHS.secrets}/${name}.json`,
        keystorePasswordFile: `${SIGNER_PATHS.secrets}/${name}.password`,
      };
    case "vault":
      // A token would have to be written here. The login with a short-lived identity needs none; Vault's JWT method takes
      // the same login as its Kubernetes method, which is the one that Web3Signer names.
      return {
        type: "hashicorp",
        keyType: "SECP256K1",
        serverHost: VAULT_HOST,
        serverPort: VAULT_PORT,
        timeout: VAULT_TIMEOUT_MS,
        tlsEnabled: true,
        tlsKnownServersPath: `${SIGNER_PATHS.secrets}/vault-known-servers`,
        keyPath: `/v1/${key.path}`,
        keyName: key.field,
        authMethod: "KUBERNETES",
        kubernetesAuthPath: "jwt",
        kubernetesRole: `feiqian-${member.name}`,
        kubernetesServiceAccountTokenPath: `${SIGNER_PATHS.secrets}/vault-identity`,
      };
    case "aws-kms":
      // The credentials are those of the machine or container (AWS's default chain). The key never leaves KMS.
      return { type: "aws-kms", authenticationMode: "ENVIRONMENT", kmsKeyId: key.keyId, region: key.region };
    case "azure-key-vault":
      // `azure-key`, which signs inside the vault, takes nothing but a client secret written into this file. The managed
      // identity of the machine needs none, and works with `azure-secret`: the key is fetched at the start.
      return {
        type: "azure-secret",
        keyType: "SECP256K1",
        authenticationMode: "SYSTEM_ASSIGNED_MANAGED_IDENTITY",
        vaultName: key.vault,
        secretName: key.name,
      };
  }
}
