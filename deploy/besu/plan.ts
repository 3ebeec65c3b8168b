import { computeAddress } from "ethers";
import type { Hex } from "../../src/domain/bytes/hex.ts";
import { normalizeHex } from "../../src/domain/bytes/hex.ts";
import { ConfigError, type ConfigProblem } from "../../src/kernel/config-error.ts";
import { contradictions, writtenSecrets } from "./plan-rules.ts";
import { planSchema, type PlanFile } from "./plan-schema.ts";

/** A consortium's ledger, as network.json describes it, checked. */
export interface NetworkPlan {
  /** Lower-case letters, digits and hyphens. */
  readonly name: string;
  readonly chain: ChainParameters;
  readonly genesis: GenesisParameters;
  readonly images: Images;
  /** At least four. Their partners, names, hosts, ports and node keys are unique. */
  readonly members: readonly Member[];
  /** Accounts that may send although they are nobody's relay: the deployer, the council's. */
  readonly accounts: readonly NamedAccount[];
}

export interface ChainParameters {
  readonly chainId: number;
  readonly blockPeriodSeconds: number;
  /** Of the first round of a block; each further round has twice the time. */
  readonly requestTimeoutSeconds: number;
  /** Blocks after which votes on validators are forgotten. */
  readonly epochLength: number;
  /** Of a block. */
  readonly gasLimit: number;
  /** Between blocks while there is nothing to put into one; as any other block where undefined. */
  readonly emptyBlockPeriodSeconds: number | undefined;
  /** Activation, UTC seconds. Cancun and all before it hold from the genesis block. */
  readonly forks: { readonly prague: number | undefined; readonly osaka: number | undefined };
  /** Other validators from a block on, which the council has decided on, the earliest first. */
  readonly transitions: readonly { readonly block: number; readonly validators: readonly Hex[] }[];
}

/**
 * What the genesis block says. Until a ledger has begun these are its members and its gas limit; from then on network.json
 * has them by themselves, as members come and go and the limit moves.
 */
export interface GenesisParameters {
  readonly validators: readonly Hex[];
  readonly gasLimit: number;
}

/** Container images: "repository:version", with "@sha256:…" where pinned. */
export interface Images {
  readonly besu: string;
  readonly web3signer: string;
  readonly prometheus: string;
  readonly grafana: string;
}

export interface NamedAccount {
  readonly name: string;
  readonly address: Hex;
}

/** One operator: a validator and an RPC node on hosts of their own, a Web3Signer for its transaction keys, its relay. */
export interface Member {
  /** Number in the network's registry. */
  readonly partner: number;
  /** For file names and labels: lower-case letters, digits and hyphens. */
  readonly name: string;
  readonly displayName: string;
  readonly validator: NodePlan;
  readonly rpc: NodePlan & { readonly rpcPort: number };
  readonly relay: { readonly metricsHost: string; readonly metricsPort: number };
  /** That its relay and its admin send transactions from. */
  readonly accounts: readonly NamedAccount[];
  readonly signer: { readonly host: string; readonly port: number; readonly keys: readonly KeyReference[] };
}

export interface NodePlan {
  /** An IPv4 address or a domain name that the other members' hosts resolve. */
  readonly host: string;
  readonly p2pPort: number;
  readonly metricsPort: number;
  /** Of secp256k1, 64 bytes: the node's identity in its enode URL. */
  readonly publicKey: Hex;
  readonly key: KeyReference;
  /** Derived from the public key; a validator's is its identity in the consensus. */
  readonly address: Hex;
}

/** Where a private key is; never the key. */
export type KeyReference =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "vault"; readonly path: string; readonly field: string }
  | { readonly kind: "aws-kms"; readonly keyId: string; readonly region: string }
  | { readonly kind: "azure-key-vault"; readonly vault: string; readonly name: string };

/** Files of a plan, by their paths below the output folder. */
export type Files = ReadonlyMap<string, string>;

/**
 * Reads a network.json.
 * @throws ConfigError naming every field that is wrong with the rule it breaks; it quotes no value
 */
export function parsePlan(json: string): NetworkPlan {
  const given = parseJson(json);
  const secrets = writtenSecrets(given);
  const checked = planSchema.safeParse(given);
  const shape = checked.success ? [] : checked.error.issues.flatMap(problemsOf);
  const problems = firstOfEach([...secrets, ...shape, ...contradictions(given)]);
  if (problems.length > 0 || !checked.success) throw new ConfigError(problems);
  return toPlan(checked.data);
}

/** A field's first problem: what comes after it is the same in other words. */
function firstOfEach(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return problems.filter(({ key }, index) => problems.findIndex((other) => other.key === key) === index);
}

function parseJson(json: string): unknown {
  try {
    // Whatever it is, the schema looks at it next.
    return JSON.parse(json) as unknown;
  } catch {
    // The parser's own message quotes the text, which may hold what should not be there.
    throw new ConfigError([{ key: "network.json", rule: "JSON" }]);
  }
}

type Issue = Parameters<typeof issueRule>[0];

function problemsOf(issue: Issue): readonly ConfigProblem[] {
  const at = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return (issue.keys ?? []).map((name) => ({ key: [...at, name].join("."), rule: "no field of a network plan" }));
  }
  return [{ key: at.join(".") || "network.json", rule: issueRule(issue) }];
}

function issueRule(issue: {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly expected?: string;
  readonly keys?: readonly string[];
}): string {
  if (issue.code !== "invalid_type" || (issue.expected !== "object" && issue.expected !== "array")) {
    return issue.message;
  }
  return issue.expected === "object" ? "an object with its fields" : "a list";
}

function toPlan({ members: given, accounts, chain, genesis, ...rest }: PlanFile): NetworkPlan {
  const members = given.map((member) => ({
    ...member,
    validator: toNode(member.validator),
    rpc: toNode(member.rpc),
    accounts: member.accounts.map(toAccount),
  }));
  return {
    ...rest,
    genesis: {
      validators:
        genesis?.validators.map((address) => normalizeHex(address)) ??
        members.map(({ validator }) => validator.address),
      gasLimit: genesis?.gasLimit ?? chain.gasLimit,
    },
    chain: {
      ...chain,
      requestTimeoutSeconds: chain.requestTimeoutSeconds ?? 2 * chain.blockPeriodSeconds,
      emptyBlockPeriodSeconds: chain.emptyBlockPeriodSeconds,
      forks: { prague: chain.forks.prague, osaka: chain.forks.osaka },
      transitions: chain.transitions.map(({ block, validators }) => ({
        block,
        validators: validators.map((address) => normalizeHex(address)),
      })),
    },
    accounts: accounts.map(toAccount),
    members,
  };
}

function toAccount({ name, address }: PlanFile["accounts"][number]): NamedAccount {
  return { name, address: normalizeHex(address) };
}

function toNode<Node extends PlanFile["members"][number]["validator"]>(node: Node): Node & NodePlan {
  const publicKey = normalizeHex(node.publicKey);
  return { ...node, publicKey, address: addressOf(publicKey) };
}

/** Address of a secp256k1 public key of 64 bytes. */
function addressOf(publicKey: Hex): Hex {
  return normalizeHex(computeAddress(`0x04${publicKey.slice(2)}`));
}
