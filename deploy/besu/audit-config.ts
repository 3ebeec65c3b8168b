import { parse } from "smol-toml";
import { parseAllDocuments } from "yaml";
import { ALLOWED_OPTIONS } from "./besu-options.ts";
import { refusalOf, texts, type OptionValue, type Refusal } from "./option-rules.ts";

/** Something that is wrong with a file, and what to do. */
export interface Fault {
  readonly kind: Refusal["kind"] | "unknown" | "unreadable";
  /** The option or field; the file as a whole where undefined. */
  readonly subject: string | undefined;
  readonly reason: string;
  readonly instead: string;
}

type Options = ReadonlyMap<string, OptionValue>;

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|localhost|::1)$/;
/** Votes on validators, and the allow-lists. */
const OPERATOR_APIS = /^(?:QBFT|PERM)$/i;

/** Options that a node may not be without, as Besu's default is another. */
const REQUIRED: Readonly<Record<string, string>> = {
  "genesis-file": "Besu's default is the genesis of Ethereum's mainnet",
  "discovery-enabled": "Besu's default is to search for strangers",
  "permissions-nodes-config-file-enabled": "Besu's default is to let any node connect",
  "permissions-accounts-config-file-enabled": "Besu's default is to let any account send",
  "min-gas-price": "Besu's default is above zero, and would keep every transaction out",
  "tx-pool": "Besu's default is the layered pool, which sorts by fees",
  "host-allowlist": "it has to say by which names this node is reached",
  "data-storage-format": "it cannot be changed later, so it is said",
};

/** What is wrong with a node's config.toml. */
export function auditConfig(text: string): readonly Fault[] {
  const options = parseOptions(text);
  if (options === undefined) return [unreadable("TOML")];
  const single = [...options].flatMap(([option, value]) => {
    const refusal = refusalOf(option, value);
    if (refusal !== undefined) return [{ subject: option, ...refusal }];
    return Object.hasOwn(ALLOWED_OPTIONS, option) ? [] : [unknownOption(option)];
  });
  const missing = Object.entries(REQUIRED)
    .filter(([option]) => !options.has(option))
    .map(([option, reason]): Fault => ({ kind: "dangerous", subject: option, reason, instead: "as it was generated" }));
  return [...single, ...missing, ...auditService(options, "http"), ...auditService(options, "ws")];
}

/** What is wrong with the allow-lists. */
export function auditPermissions(text: string): readonly Fault[] {
  const lists = parseOptions(text);
  if (lists === undefined) return [unreadable("TOML")];
  return ["nodes-allowlist", "accounts-allowlist"].flatMap((list) => {
    const items = lists.get(list);
    if (typeof items === "object" && items.length > 0) return [];
    const reason = "an empty list admits nobody, and a missing one stops the node from starting";
    return [{ kind: "dangerous", subject: list, reason, instead: "the list that network.json gives" }];
  });
}

/** What is wrong with the options of Besu in a file for other programs: on a command line, or as variables. */
export function auditCommands(text: string): readonly Fault[] {
  const lines = text.split("\n").filter((line) => !line.trimStart().startsWith("#"));
  return lines.flatMap((line) => {
    const flags = [...line.matchAll(/(?:^|[\s"'[,])--([A-Za-z][A-Za-z0-9-]*)(?:[= ]["']?([^\s"'\]]+))?/g)];
    const variables = [...line.matchAll(/\bBESU_([A-Z0-9_]+)["']?\s*[:=]\s*["']?([^"']*)/g)];
    return [
      ...flags.map(([, option = "", value = "true"]) => ({ option, value })),
      ...variables.map(([, name = "", value = ""]) => ({ option: name.toLowerCase().replaceAll("_", "-"), value })),
    ].flatMap(({ option, value }) => {
      const refusal = refusalOf(option, value);
      return refusal === undefined ? [] : [{ subject: option, ...refusal }];
    });
  });
}

/** Options that stop a Web3Signer of today from starting, in its config.yaml. */
export function auditSigner(text: string): readonly Fault[] {
  return text.split("\n").some((line) => /^\s*["']?swagger-ui-enabled\b/.test(line))
    ? [
        {
          kind: "removed",
          subject: "swagger-ui-enabled",
          reason: "it was removed in Web3Signer 25.12.0, which does not start with an option that it does not know",
          instead: "nothing: leave it out",
        },
      ]
    : [];
}

/** Besu's image opens the services of a node to all interfaces by these variables, which outrank its config.toml. */
const HOST_VARIABLES = ["BESU_RPC_HTTP_HOST", "BESU_RPC_WS_HOST"] as const;

/** What is wrong with the containers of Besu in a compose file or a manifest of Kubernetes. */
export function auditContainers(text: string): readonly Fault[] {
  let documents: readonly unknown[];
  try {
    documents = parseAllDocuments(text).map((document) => document.toJS() as unknown); // any
  } catch {
    // Not YAML: nothing starts containers by it.
    return [];
  }
  return documents.flatMap(containersOf).flatMap(({ name, environment }) =>
    HOST_VARIABLES.filter((variable) => !isAsConfigured(environment.get(variable), variable, name)).map(
      (variable): Fault => ({
        kind: "dangerous",
        subject: `${name}: ${variable}`,
        reason:
          "Besu's image sets it to 0.0.0.0, above config.toml: APIs without a token would listen on all interfaces",
        instead: variable === "BESU_RPC_HTTP_HOST" ? "127.0.0.1; 0.0.0.0 for an RPC node alone" : "127.0.0.1",
      }),
    ),
  );
}

function isAsConfigured(host: unknown, variable: (typeof HOST_VARIABLES)[number], container: string): boolean {
  if (typeof host !== "string") return false;
  return LOOPBACK.test(host) || (variable === "BESU_RPC_HTTP_HOST" && /(?:^|-)rpc$/.test(container));
}

interface Container {
  readonly name: string;
  readonly environment: ReadonlyMap<string, unknown>;
}

/** Containers that run Besu: services of Compose, and of a StatefulSet. */
function containersOf(document: unknown): readonly Container[] {
  const services = Object.entries(record(record(document)["services"])).map(([name, service]) => ({ name, service }));
  const template = record(record(record(record(document)["spec"])["template"])["spec"]);
  const ofPod = Array.isArray(template["containers"]) ? (template["containers"] as readonly unknown[]) : []; // any[]
  const pods = ofPod.map((service) => ({ name: String(record(record(document)["metadata"])["name"]), service }));
  return [...services, ...pods].flatMap(({ name, service }) => {
    const { entrypoint, command, args, environment, env } = record(service);
    const runs = /\/bin\/besu\b|--config-file=[^"]*besu/.test(JSON.stringify([entrypoint, command, args]));
    return runs ? [{ name, environment: environmentOf(environment ?? env) }] : [];
  });
}

/** A mapping, or a list of `NAME=value` or of names with values. */
function environmentOf(given: unknown): ReadonlyMap<string, unknown> {
  if (!Array.isArray(given)) return new Map(Object.entries(record(given)));
  const items = given as readonly unknown[]; // any[]
  return new Map(
    items.map((item): [string, unknown] => {
      if (typeof item !== "string") return [String(record(item)["name"]), record(item)["value"]];
      const [name = "", ...value] = item.split("=");
      return [name, value.join("=")];
    }),
  );
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

export function unreadable(language: string): Fault {
  const reason = `it is no ${language}: Besu would not start with it`;
  return { kind: "unreadable", subject: undefined, reason, instead: "the file as it was generated" };
}

function unknownOption(option: string): Fault {
  return {
    kind: "unknown",
    subject: option,
    reason: "it is none of the options that this network's nodes have, each looked up in Besu's documentation",
    instead: "leave it out; Besu does not start with an option that it does not know",
  };
}

/** What makes a service of a node one that others than its operator and its relays can use. */
function auditService(options: Options, service: "http" | "ws"): readonly Fault[] {
  const on = (option: string): boolean => options.get(`rpc-${service}-${option}`) === true;
  if (!on("enabled")) return [];
  const host = String(options.get(`rpc-${service}-host`) ?? "127.0.0.1");
  if (LOOPBACK.test(host)) return [];
  const tls = service === "http" ? "tls-enabled" : "ssl-enabled";
  const apis = [`rpc-${service}-api`, `rpc-${service}-apis`].flatMap((name) => texts(options.get(name) ?? []));
  const faults: (Fault | false)[] = [
    !on("authentication-enabled") && {
      kind: "dangerous",
      subject: `rpc-${service}-authentication-enabled`,
      reason: `anyone who reaches ${host} may use the node`,
      instead: `true, with a public key for tokens; or rpc-${service}-host="127.0.0.1"`,
    },
    !on(tls) && {
      kind: "dangerous",
      subject: `rpc-${service}-${tls}`,
      reason: "tokens would travel in the clear",
      instead: "true, with a key store",
    },
    apis.some((api) => OPERATOR_APIS.test(api)) && {
      kind: "dangerous",
      subject: `rpc-${service}-api`,
      reason: "QBFT votes validators in and out, PERM changes who may connect and send: for the node's operator alone",
      instead: "QBFT and PERM on a service of the loopback interface",
    },
  ];
  return faults.filter((fault) => fault !== false);
}

function parseOptions(text: string): Options | undefined {
  let parsed: Readonly<Record<string, unknown>>;
  try {
    parsed = parse(text);
  } catch {
    return undefined;
  }
  return new Map(Object.entries(parsed).map(([name, value]) => [name, optionValue(value)]));
}

function optionValue(value: unknown): OptionValue {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return Array.isArray(value) ? value.map(String) : JSON.stringify(value);
}
