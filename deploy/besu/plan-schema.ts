import { SigningKey, ZeroAddress, isAddress } from "ethers";
import { z } from "zod/v4";
import { OPERATOR_PORTS } from "./layout.ts";

// network.json, field by field. What a field holds is checked here; what fields say together, in plan-rules.ts.

export const MIN_VALIDATORS = 4;
const MAX_MEMBERS = 100;
const MAX_PARTNER = 65_535;
const MAX_PORT = 65_535;
/** Twice it and 36, the v of a signature by EIP-155, is still an integer that JSON and JavaScript hold exactly. */
const MAX_BLOCK = 1_000_000_000_000;
const MAX_CHAIN_ID = 4_503_599_627_370_476;
/** Settling a batch of thousands of transfers takes up to 16.7 million gas, Osaka's limit for a transaction. */
const MIN_GAS_LIMIT = 30_000_000;
const MAX_GAS_LIMIT = 1_000_000_000;
const MAX_BLOCK_PERIOD = 30;
const MAX_REQUEST_TIMEOUT = 300;
const MAX_EMPTY_BLOCK_PERIOD = 60;
/** Besu's default is 30,000 blocks. */
const DEFAULT_EPOCH_LENGTH = 30_000;
const MIN_EPOCH_LENGTH = 1_000;
const MAX_EPOCH_LENGTH = 10_000_000;
/** 2024-01-01 to 2100-01-01: a time in milliseconds is beyond it. */
const MIN_FORK_TIME = 1_704_067_200;
const MAX_FORK_TIME = 4_102_444_800;

/** The first Besu with what the generated files rely on; see docs/ledger-operator.md. */
const MIN_BESU = [26, 9, 0] as const;

function integer(min: number, max: number, what = "an integer"): z.ZodNumber {
  const rule = `${what} from ${min} to ${max}`;
  return z.number({ error: rule }).int(rule).min(min, rule).max(max, rule);
}

function text(pattern: RegExp, rule: string): z.ZodString {
  return z.string({ error: rule }).regex(pattern, rule);
}

const slug = text(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, "1 to 32 lower-case letters, digits and inner hyphens");
const displayName = text(/^[^\p{C}]{1,64}$/u, "1 to 64 characters, none of them a control character");
const port = integer(1, MAX_PORT, "a port");
const absolutePath = text(/^\/[A-Za-z0-9._/-]{1,255}$/, "an absolute path of letters, digits and ._/-");

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const LOOPBACK = /^(?:localhost|0\.0\.0\.0|127\..*)$/;
const hostRule = "an IPv4 address or a lower-case domain name that the other members reach";
const host = z
  .string({ error: hostRule })
  .max(253, hostRule)
  .regex(new RegExp(`^(?:${LABEL}\\.)*${LABEL}$`), hostRule)
  .refine((given) => !LOOPBACK.test(given), hostRule)
  // What ends in digits is an address, and then a whole one.
  .refine((given) => !/(?:^|\.)\d+$/.test(given) || z.ipv4().safeParse(given).success, hostRule);

const publicKeyRule = "a public key of secp256k1: 0x and 128 hexadecimal digits, of a point on the curve";
const publicKey = text(/^0x[0-9a-fA-F]{128}$/, publicKeyRule).refine(isOnCurve, publicKeyRule);

const addressRule = "an address: 0x and 40 hexadecimal digits, with a right checksum where it has capitals; not zero";
const address = text(/^0x[0-9a-fA-F]{40}$/, addressRule).refine(
  (given) => isAddress(given) && given !== ZeroAddress,
  addressRule,
);

const file = z.strictObject({ kind: z.literal("file"), path: absolutePath });
const vault = z.strictObject({
  kind: z.literal("vault"),
  path: text(/^[A-Za-z0-9._/-]{1,255}$/, "the path of a secret in Vault, as secret/data/alipay/validator"),
  field: text(/^[A-Za-z0-9._-]{1,64}$/, "the name of a field of that secret"),
});
const awsKms = z.strictObject({
  kind: z.literal("aws-kms"),
  keyId: text(/^[A-Za-z0-9:/_-]{1,255}$/, "the id, ARN or alias of a key in AWS KMS"),
  region: text(/^[a-z]{2}(?:-[a-z]+)+-\d$/, "a region of AWS, as ap-southeast-1"),
});
const azureKeyVault = z.strictObject({
  kind: z.literal("azure-key-vault"),
  vault: text(/^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$/, "the name of an Azure key vault"),
  name: text(/^[A-Za-z0-9-]{1,127}$/, "the name of a secret in it"),
});
const kindRule = "where the key is, an object whose kind is file, vault, aws-kms or azure-key-vault";
const keyReference = z.discriminatedUnion("kind", [file, vault, awsKms, azureKeyVault], {
  error: kindRule,
});
const nodeKey = keyReference.refine(
  ({ kind }) => kind === "file" || kind === "vault",
  "file or vault: Besu reads its node key from a file, which Vault can write; a key in AWS KMS or Azure Key Vault would need a security-module plugin, which is not generated",
);

const account = z.strictObject({ name: slug, address });

/** Ports of a node, none of them the one that is its operator's. */
function nodePorts(taken: number): Readonly<Record<"p2pPort" | "metricsPort", z.ZodNumber>> {
  const free = port.refine((given) => given !== taken, `not ${taken}, where the node's operator reaches it`);
  return { p2pPort: free, metricsPort: free };
}
const node = z.strictObject({ host, publicKey, key: nodeKey });
const rpcPorts = nodePorts(OPERATOR_PORTS.rpc);

const member = z.strictObject({
  partner: integer(1, MAX_PARTNER, "a partner id, an integer"),
  name: slug,
  displayName,
  validator: node.extend(nodePorts(OPERATOR_PORTS.validator)),
  rpc: node.extend({ ...rpcPorts, rpcPort: rpcPorts.p2pPort }),
  relay: z.strictObject({ metricsHost: host, metricsPort: port }),
  accounts: z.array(account).min(1, "at least the account that its relay sends transactions from"),
  signer: z.strictObject({
    host,
    port,
    keys: z.array(keyReference).min(1, "at least the key of its relay's transactions"),
  }),
});

const versionRule = (name: string): string =>
  `repository:version of ${name}, with @sha256:… where it is pinned; a version of digits, as a name like latest moves`;

function image(name: string): z.ZodString {
  return text(/^[a-z0-9][a-z0-9._/:-]*:v?\d+(?:\.\d+){1,2}(?:@sha256:[0-9a-f]{64})?$/, versionRule(name));
}

/** Other validators from a block on, without a vote: after a loss that votes cannot repair. */
const transition = z.strictObject({
  block: integer(1, MAX_BLOCK),
  validators: z.array(address).min(MIN_VALIDATORS, `the addresses of at least ${MIN_VALIDATORS} validators`),
});

const chain = z
  .strictObject({
    chainId: integer(1, MAX_CHAIN_ID),
    blockPeriodSeconds: integer(1, MAX_BLOCK_PERIOD).default(2),
    requestTimeoutSeconds: integer(1, MAX_REQUEST_TIMEOUT).optional(),
    epochLength: integer(MIN_EPOCH_LENGTH, MAX_EPOCH_LENGTH).default(DEFAULT_EPOCH_LENGTH),
    gasLimit: integer(MIN_GAS_LIMIT, MAX_GAS_LIMIT),
    emptyBlockPeriodSeconds: integer(1, MAX_EMPTY_BLOCK_PERIOD).optional(),
    forks: z
      .strictObject({
        prague: integer(MIN_FORK_TIME, MAX_FORK_TIME, "UTC seconds").optional(),
        osaka: integer(MIN_FORK_TIME, MAX_FORK_TIME, "UTC seconds").optional(),
      })
      .prefault({}),
    transitions: z.array(transition).default([]),
  })
  .check(({ value, issues }) => {
    const refuse = (path: readonly string[], message: string) =>
      issues.push({ code: "custom", path: [...path], message, input: undefined });
    const { blockPeriodSeconds: period, requestTimeoutSeconds: timeout, emptyBlockPeriodSeconds: empty } = value;
    if (timeout !== undefined && timeout < period) {
      refuse(["requestTimeoutSeconds"], "at least blockPeriodSeconds; twice that unless measured");
    }
    if (empty !== undefined && empty <= period) refuse(["emptyBlockPeriodSeconds"], "more than blockPeriodSeconds");
    const { prague, osaka } = value.forks;
    if (osaka !== undefined && (prague === undefined || prague > osaka)) {
      refuse(["forks", "osaka"], "not before prague, which it builds on");
    }
    for (const [index, { block }] of value.transitions.entries()) {
      const before = value.transitions[index - 1];
      if (before !== undefined && before.block >= block) {
        refuse(["transitions", String(index), "block"], "later than that of the transition before");
      }
    }
  });

/** What the ledger began with, once it has. */
const genesis = z.strictObject({
  validators: z
    .array(address)
    .min(MIN_VALIDATORS, `the addresses of at least ${MIN_VALIDATORS} validators`)
    .max(MAX_MEMBERS, `at most ${MAX_MEMBERS} validators`),
  gasLimit: integer(MIN_GAS_LIMIT, MAX_GAS_LIMIT),
});

export const planSchema = z.strictObject({
  name: slug,
  chain,
  genesis: genesis.optional(),
  images: z.strictObject({
    besu: image("Besu").refine(isRecentBesu, {
      error: `Besu ${MIN_BESU.join(".")} or later`,
    }),
    web3signer: image("Web3Signer"),
    prometheus: image("Prometheus"),
    grafana: image("Grafana"),
  }),
  members: z
    .array(member)
    .min(MIN_VALIDATORS, `at least ${MIN_VALIDATORS} members: QBFT bears one faulty validator from four on`)
    .max(MAX_MEMBERS, `at most ${MAX_MEMBERS} members`),
  accounts: z.array(account),
});
export type PlanFile = z.output<typeof planSchema>;

function isOnCurve(given: string): boolean {
  if (!/^0x[0-9a-fA-F]{128}$/.test(given)) return false;
  try {
    SigningKey.computePublicKey(`0x04${given.slice(2)}`, true);
    return true;
  } catch {
    return false;
  }
}

function isRecentBesu(given: string): boolean {
  const version = /:v?(\d+)\.(\d+)(?:\.(\d+))?(?:@|$)/.exec(given)?.slice(1) ?? [];
  for (const [index, least] of MIN_BESU.entries()) {
    const part = Number.parseInt(version[index] ?? "0", 10);
    if (part !== least) return part > least;
  }
  return true;
}
