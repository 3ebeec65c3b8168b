import { isIP } from "node:net";
import { z } from "zod/v4";

// The configuration of a relay, key by key. The descriptions are its reference: docs/configuration.md is made of them.

const MAX_PORT = 65_535;
/** As many as the payload of a batch takes: MAX_PAYLOAD_TRANSFERS, which a test holds it to. */
export const MAX_BATCH_TRANSFERS = 10_000;
/** Providers' quotes hold for minutes: asked to hold for longer, none would ever be drawn on. */
const MAX_LEAST_VALIDITY_SECONDS = 600;
const PROXIES = "addresses or networks, with commas, as 10.0.0.7,10.1.0.0/16";
/** Whole seconds that the ledger holds a batch's money at most: MAX_HOLD_SECONDS, which a test holds it to. */
export const MAX_BATCH_HOLD_SECONDS = 86_400;
/** What other relays take for an honest clock: MAX_SKEW_SECONDS of their signatures, which a test holds it to. */
export const MAX_PEER_SKEW_SECONDS = 30;
const DAY_MS = 86_400_000;
const DAY_SECONDS = 86_400;

function integer(min: number, max: number): z.ZodNumber {
  const rule = `an integer from ${min} to ${max}`;
  return z.number({ error: rule }).int(rule).min(min, rule).max(max, rule);
}

const text = (rule: string): z.ZodString => z.string({ error: rule }).min(1, rule);
const file = text("the path of a file");

function url(protocol: RegExp, rule: string): z.ZodURL {
  return z.url({ protocol, error: rule });
}
const httpUrl = url(/^https?$/, "an http or https URL");

const publicUrlRule = "an http or https URL without user, password, query or fragment: everybody is told it";
/** What the registry has, and other relays put paths after. */
const publicUrl = url(/^https?$/, publicUrlRule).refine(
  (text) => !URL.canParse(text) || isPlain(new URL(text)),
  publicUrlRule,
);

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
const minorRule = "minor units, as an integer or decimal text";
const minor = z
  .union([z.number().int().min(0), z.string().regex(/^(?:0|[1-9]\d{0,38})$/, minorRule)], { error: minorRule })
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

function isNetwork(given: string): boolean {
  const [address = "", bits = "", ...rest] = given.split("/");
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest.length === 0 && /^[0-9]{1,3}$/.test(bits) && Number.parseInt(bits, 10) <= longest;
}

/** The file's schema. Every key but those without a default may be left out. */
const sections = z.strictObject({
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
        .meta({ description: "Where the contracts are: the file that `npm run deploy` writes, or its content." }),
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
  registry: z
    .strictObject({
      names: z
        .record(text("a partner's number").regex(/^[1-9][0-9]{0,4}$/, "a partner's number"), text("a name"))
        .default({})
        .meta({ description: "Your names for the partners, by number. The registry has no names." }),
      trustedNetworks: z
        .array(
          text("a network in CIDR notation, as 10.8.0.0/16").refine(
            isNetwork,
            "a network in CIDR notation, as 10.8.0.0/16",
          ),
        )
        .max(100, "at most 100")
        .default([])
        .meta({
          description:
            "Private networks in which relays and providers of others may be, also over plain HTTP: for example `10.8.0.0/16` between members, or `127.0.0.0/8` on a developer's machine. All others are reached over HTTPS at public addresses only.",
        }),
    })
    .prefault({}),
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
    url: httpUrl.meta({ description: "The wallet's connector (docs/wallet-connector.md)." }),
    secretFile: file.optional().meta({ description: "File with the secret that signs calls to it (`whsec_…`)." }),
    timeoutMs: integer(100, 600_000).default(5_000).meta({ description: "For one call." }),
  }),
  batch: z
    .strictObject({
      maxTransfers: integer(1, MAX_BATCH_TRANSFERS)
        .default(1_000)
        .meta({ description: "The most transfers in a batch." }),
      maxDelayMs: integer(0, 3_600_000).default(20).meta({
        description: "The longest that a transfer waits for others to share its batch.",
      }),
      holdSeconds: integer(10, MAX_BATCH_HOLD_SECONDS).default(300).meta({
        description:
          "Ledger time after which a batch that nobody has settled is refunded. A quote with a shorter `maxHold` is not used.",
      }),
    })
    .prefault({}),
  quote: z
    .strictObject({
      validitySeconds: integer(1, DAY_SECONDS).default(60).meta({ description: "How long a customer's quote holds." }),
      leastValiditySeconds: integer(1, MAX_LEAST_VALIDITY_SECONDS).default(15).meta({
        description:
          "A provider's quote with less time left is no longer used. Half of this must be left when the batch is signed; `batch.maxDelayMs` fits into the other half.",
      }),
      providerTimeoutMs: integer(100, 60_000).default(2_000).meta({ description: "For one request to one provider." }),
    })
    .prefault({}),
  transfers: z
    .strictObject({
      validitySeconds: integer(1, 30 * DAY_SECONDS)
        .default(300)
        .meta({
          description: "How long an accepted transfer waits for money or the ledger before it fails.",
        }),
    })
    .prefault({}),
  sweep: z
    .strictObject({
      othersAfterSeconds: integer(0, 30 * DAY_SECONDS)
        .default(60)
        .meta({
          description: "How long after its expiry this relay also expires a batch of other partners.",
        }),
    })
    .prefault({}),
  clock: z
    .strictObject({
      maxSkewSeconds: integer(0, MAX_PEER_SKEW_SECONDS).default(15).meta({
        description:
          "How far this machine's clock may be from the ledger's block time, or its peers', before it stops taking transfers. At most quote.leastValiditySeconds, and the 30 seconds that other relays allow. 0 turns the check off.",
      }),
    })
    .prefault({}),
  webhooks: z
    .strictObject({
      maxAttempts: integer(1, 10_000)
        .default(1_000)
        .meta({ description: "After this many attempts, a delivery is given up." }),
      timeoutMs: integer(100, 600_000).default(10_000).meta({ description: "For one attempt." }),
      allowUnsafeUrls: z
        .boolean({ error: "true or false" })
        .default(false)
        .meta({ description: "Plain HTTP to other machines, and link-local addresses: for development networks." }),
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
  liquidity: z
    .strictObject({
      lowWater: z
        .record(z.string().regex(/^[A-Z]{3}$/, "an ISO 4217 alphabetic code"), minor, {
          error: "amounts in minor units by currency, as { HKD: 500000 }",
        })
        .prefault({})
        .meta({ description: "By currency: the available money, in minor units, below which there is an alarm." }),
    })
    .prefault({}),
  lookups: z
    .strictObject({
      perMinute: integer(1, 1_000_000).default(120).meta({
        description: "Payees that one partner may look up here in a minute, and one API key anywhere.",
      }),
      perDay: integer(1, 100_000_000).default(10_000).meta({ description: "The same, in a UTC day." }),
    })
    .prefault({})
    .refine(({ perMinute, perDay }) => perMinute <= perDay, {
      path: ["perMinute"],
      message: "not above lookups.perDay: so many are never reached",
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
});

/** The sections, and what holds between them. */
export const relayConfigSchema = sections
  .refine(({ batch, transfers }) => batch.maxDelayMs < transfers.validitySeconds * 1_000, {
    path: ["batch", "maxDelayMs"],
    message: "less than transfers.validitySeconds: transfers would fail before they are sent",
  })
  .refine(({ batch, quote }) => batch.maxDelayMs < quote.leastValiditySeconds * 500, {
    path: ["quote", "leastValiditySeconds"],
    message: "more than twice batch.maxDelayMs: quotes would end while their transfers wait to be sent",
  });

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
