import { isIP } from "node:net";
import { z } from "zod/v4";
import type { RelayFeature } from "../features/context.ts";
import { DAY_MS, integer, isNetwork, text } from "../kernel/config/fields.ts";
import type { Settings, SettingsOf } from "../kernel/config/settings.ts";
import { requireDistinct, settingSectionsOf } from "./composition.ts";

// The configuration of a relay, key by key: what every relay needs to run, and the sections of its features. The
// descriptions are its reference: docs/configuration.md is made of them.

const MAX_PORT = 65_535;
const PROXIES = "addresses or networks, with commas, as 10.0.0.7,10.1.0.0/16";
/** What other relays take for an honest clock: MAX_SKEW_SECONDS of their signatures, which a test holds it to. */
export const MAX_PEER_SKEW_SECONDS = 30;

const file = text("the path of a file");

function url(protocol: RegExp, rule: string): z.ZodURL {
  return z.url({ protocol, error: rule });
}
const httpUrl = url(/^https?$/, "an http or https URL");

/** A place and nothing besides, which paths are put after. */
function placeUrl(why: string): z.ZodURL {
  const rule = `an http or https URL without user, password, query or fragment: ${why}`;
  return url(/^https?$/, rule).refine((text) => !URL.canParse(text) || isPlain(new URL(text)), rule);
}
/** What the registry has. */
const publicUrl = placeUrl("everybody is told it");

function isPlain({ username, password, href }: URL): boolean {
  return username === "" && password === "" && !/[?#]/.test(href);
}

const address = text("an address, 0x and 40 hexadecimal digits").regex(
  /^0x[0-9a-fA-F]{40}$/,
  "an address, 0x and 40 hexadecimal digits",
);
/** More than 10,000 gwei for each unit of gas empties the account that pays. */
const MAX_WEI = 9_999_999_999_999;
const weiRule = "wei below 10^13, as an integer or decimal text";
const wei = z
  .union([z.number().int().min(0).max(MAX_WEI), z.string().regex(/^\d{1,13}$/, weiRule)], { error: weiRule })
  .transform(BigInt);

function areProxies(list: string): boolean {
  return list.split(",").every((item) => isIP(item.trim()) !== 0 || isNetwork(item.trim()));
}

/** Where a key is: an encrypted file, or a Web3Signer that has it. */
const key = z
  .strictObject({
    keystore: file.optional().meta({ description: "Encrypted key file (Web3 Secret Storage, version 3)." }),
    passwordFile: file.optional().meta({ description: "File with the key file's password." }),
    web3signer: httpUrl.optional().meta({ description: "Web3Signer that has the key, instead of a file." }),
    address: address.optional().meta({ description: "Which of Web3Signer's keys." }),
  })
  .check(({ value: { keystore, web3signer, address: signer }, issues }) => {
    const refuse = (path: string, message: string) =>
      issues.push({ code: "custom", path: [path], message, input: undefined });
    if ((keystore === undefined) === (web3signer === undefined)) {
      refuse("keystore", "a key file, or else web3signer and address: exactly one of them");
    } else if (web3signer !== undefined && signer === undefined) {
      refuse("address", "the address of the key, which web3signer does not say by itself");
    }
  });

/** What every relay needs to run, whatever it can do. Every key but those without a default may be left out. */
const OWN_SECTIONS = {
  partner: integer(1, MAX_PORT).meta({ description: "The partner whose relay this is: its number in the registry." }),
  api: z
    .strictObject({
      host: text("a host name or IP address").default("127.0.0.1").meta({ description: "Where the API listens." }),
      port: integer(0, MAX_PORT).default(8480).meta({ description: "The port; 0 takes any free one." }),
      trustProxy: text(PROXIES).refine(areProxies, PROXIES).optional().meta({
        description: "Proxies whose `x-forwarded-for` is trusted: addresses or networks, separated by commas.",
      }),
      publicUrl: publicUrl.optional().meta({
        description:
          "Where other relays reach this one. The registry must have the same URL; a difference is a warning at the start.",
      }),
    })
    .prefault({}),
  ledger: z
    .strictObject({
      rpcUrls: z
        .array(httpUrl)
        .min(1, "at least one URL")
        .max(100, "at most 100")
        .refine(
          (urls) => new Set(urls.map((each) => (URL.canParse(each) ? new URL(each).href : each))).size === urls.length,
          {
            error: "each once: an endpoint cannot confirm what it has said itself",
          },
        )
        .meta({
          description: "JSON-RPC endpoints of one ledger, the preferred one first. Where one fails, the next is asked.",
        }),
      tokenFiles: z.record(z.string(), file).default({}).meta({
        description:
          "Files with bearer tokens (JWT), for endpoints that ask for one. The key is the endpoint as written in `ledger.rpcUrls`.",
      }),
      witnesses: integer(0, 100).optional().meta({
        description:
          "How many other endpoints must confirm an answer about a block. That many endpoints can lie without harm. Default: the most that the honest ones outvote, which is 0 of one or two endpoints, 1 of three or four, 2 of five.",
      }),
      addresses: z
        .union([file, z.record(z.string(), z.unknown())], { error: "a file, or the addresses themselves" })
        .meta({
          description:
            "Where the contracts are: the file that `npm run deploy` writes, or its content. Its `draining` and `announced` name further registries: docs/runbooks/new-registry.md.",
        }),
      chainId: integer(1, Number.MAX_SAFE_INTEGER)
        .optional()
        .meta({ description: "The chain id that the endpoints must have." }),
      confirmations: integer(0, 10_000).default(0).meta({
        description: "Blocks on top of one before it counts. 0 where blocks are final, as on a BFT ledger.",
      }),
      pollIntervalMs: integer(1, 60_000).default(100).meta({ description: "How often new blocks are looked for." }),
      fromBlock: integer(0, Number.MAX_SAFE_INTEGER).default(0).meta({
        description: "Where to begin on an empty store: the block of the deployment.",
      }),
      maxBlockRange: integer(1, 1_000_000).default(1_000).meta({ description: "The most blocks in one request." }),
      timeoutMs: integer(100, 600_000).default(5_000).meta({ description: "For one request to one endpoint." }),
      receiptTimeoutMs: integer(100, DAY_MS).default(15_000).meta({
        description: "How long a transaction may stay without a receipt before it is broadcast again.",
      }),
      maxBroadcasts: integer(1, 1_000)
        .default(4)
        .meta({ description: "The most times that one transaction is broadcast." }),
      priorityFeeWei: wei.prefault(0).meta({ description: "On top of the base fee, in wei per gas." }),
    })
    .refine(({ rpcUrls, witnesses = 0 }) => witnesses < rpcUrls.length, {
      path: ["witnesses"],
      message: "less than there are endpoints",
    })
    .refine(({ pollIntervalMs, receiptTimeoutMs }) => pollIntervalMs < receiptTimeoutMs, {
      path: ["pollIntervalMs"],
      message: "less than ledger.receiptTimeoutMs: a transaction would be sent again before its receipt is looked for",
    }),
  keys: z.strictObject({
    send: key.meta({ description: "Signs batches (SEND key in the registry)." }),
    accept: key.meta({ description: "Signs settlements (ACCEPT key in the registry)." }),
    transactions: key.meta({
      description: "Pays for transactions. Any account will do, as long as nothing else uses it.",
    }),
  }),
  peer: z.strictObject({
    keys: file.meta({
      description:
        "Encrypted file with the keys for messages between relays (`feiqian keys new peer`): Ed25519 signs them, X25519 opens them.",
    }),
    passwordFile: file.optional().meta({ description: "File with its password." }),
  }),
  database: z
    .strictObject({
      url: url(/^postgres(?:ql)?$/, "a postgres:// URL")
        .optional()
        .meta({
          description:
            "PostgreSQL. A URL with a password belongs in the environment or in `database.urlFile`; with one here, the configuration itself is a secret file.",
        }),
      urlFile: file.optional().meta({ description: "File with the URL." }),
      folder: text("the path of a folder")
        .default("feiqian-data")
        .meta({ description: "Where the embedded database is kept, when there is no URL." }),
    })
    .prefault({}),
  dataKey: z
    .strictObject({
      file: file.optional().meta({
        description: "File with the key that personal data is encrypted with: 32 bytes, as 64 hexadecimal digits.",
      }),
      previousFiles: z.array(file).max(16, "at most 16").default([]).meta({
        description: "Other keys that can still decrypt: earlier ones, and one that is about to replace it.",
      }),
    })
    .prefault({}),
  wallet: z.strictObject({
    url: placeUrl("calls to it are signed").meta({ description: "The wallet's connector (docs/wallet-connector.md)." }),
    secretFile: file.optional().meta({ description: "File with the secret that signs calls to it (`whsec_…`)." }),
    timeoutMs: integer(100, 600_000).default(5_000).meta({ description: "For one call." }),
  }),
  clock: z
    .strictObject({
      maxSkewSeconds: integer(0, MAX_PEER_SKEW_SECONDS).default(15).meta({
        description:
          "How far this machine's clock may be from the ledger's block time, or its peers', before it stops taking transfers. At most quote.leastValiditySeconds, less than half of quote.validitySeconds and transfers.validitySeconds, and at most the 30 seconds that other relays allow. 0 turns the check off.",
      }),
    })
    .prefault({}),
  retry: z
    .strictObject({
      firstDelayMs: integer(1, DAY_MS)
        .default(100)
        .meta({ description: "After the first failure; doubled after each." }),
      maxDelayMs: integer(1, DAY_MS).default(30_000).meta({ description: "The longest pause between two attempts." }),
    })
    .prefault({})
    .refine(({ firstDelayMs, maxDelayMs }) => firstDelayMs <= maxDelayMs, {
      path: ["maxDelayMs"],
      message: "not below retry.firstDelayMs",
    }),
  log: z
    .strictObject({
      level: z
        .enum(["debug", "info", "warn", "error", "fatal", "silent"], {
          error: "debug, info, warn, error, fatal or silent",
        })
        .default("info")
        .meta({ description: "The lowest level that is logged." }),
    })
    .prefault({}),
  telemetry: z
    .strictObject({
      otlpEndpoint: httpUrl.optional().meta({ description: "OTLP over HTTP; where given, traces are sent there." }),
    })
    .prefault({}),
  shutdown: z
    .strictObject({
      drainSeconds: integer(1, 3_600).default(30).meta({ description: "How long SIGTERM waits for work under way." }),
    })
    .prefault({}),
};

/** The file's values, with what was left out filled in. */
export type RelayConfigFile = SettingsOf<typeof OWN_SECTIONS> & Settings;
export type RelayConfigSchema = z.ZodType<RelayConfigFile>;

/**
 * The file's schema: the sections, and what holds between them.
 * @throws Error where two contribute a section of one name
 */
export function configSchemaOf(features: readonly RelayFeature[]): RelayConfigSchema {
  const sections = settingSectionsOf(features);
  requireDistinct("section of the configuration", [...Object.keys(OWN_SECTIONS), ...Object.keys(sections)]);
  const rules = features.flatMap(({ settingRules = [] }) => settingRules);
  const schema = z.strictObject({ ...OWN_SECTIONS, ...sections }).check(({ value, issues }) => {
    for (const { path, message, holds } of rules) {
      // Rules are asked of sections that have been read by the schemas that their types are made of.
      if (!holds(value as RelayConfigFile)) issues.push({ code: "custom", path: [...path], message, input: undefined });
    }
  });
  // Each section's type is made of the very schema that is here.
  return schema as unknown as RelayConfigSchema;
}

/** Secrets that come from the environment alone: variable, what is it, and the file that does the same. */
export const SECRET_VARIABLES = {
  FEIQIAN_KEYS_SEND_PASSWORD: { is: "Password of keys.send.keystore.", file: "keys.send.passwordFile" },
  FEIQIAN_KEYS_ACCEPT_PASSWORD: { is: "Password of keys.accept.keystore.", file: "keys.accept.passwordFile" },
  FEIQIAN_KEYS_TRANSACTIONS_PASSWORD: {
    is: "Password of keys.transactions.keystore.",
    file: "keys.transactions.passwordFile",
  },
  FEIQIAN_PEER_PASSWORD: { is: "Password of peer.keys.", file: "peer.passwordFile" },
  FEIQIAN_DATA_KEY: { is: "The key itself, 64 hexadecimal digits.", file: "dataKey.file" },
  FEIQIAN_WALLET_SECRET: { is: "The secret itself, `whsec_…`.", file: "wallet.secretFile" },
  DATABASE_URL: { is: "PostgreSQL's URL, with its password.", file: "database.urlFile" },
} as const;
export type SecretVariable = keyof typeof SECRET_VARIABLES;
