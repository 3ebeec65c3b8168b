import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { SCOPES } from "../../src/schema/operator.ts";
import { toHex } from "../../src/domain/bytes/hex.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import { encryptPeerKeys, generatePeerKeys, publicPeerKeys } from "../../src/features/peers/keys.ts";
import { issueApiKey } from "../../src/kernel/access/api-keys.ts";
import { systemClock } from "../../src/kernel/clock/clock.ts";
import { drawSecurely } from "../../src/kernel/secure-random.ts";
import { migrate } from "../../src/kernel/store/migrate.ts";
import { openPostgres } from "../../src/kernel/store/postgres.ts";
import { formatAddresses } from "../../src/ledger/deployment/config-file.ts";
import { createKeystore } from "../../src/ledger/keys/keystore.ts";
import { registerEndpoint, type Sandbox } from "../../sandbox/sandbox.ts";

// A relay of the sandbox as an operator runs it: a process of its own, from a folder with its configuration and its keys.

const CONFIG = "relay.yaml";
const PASSWORD = "only of this sandbox";
/** Next to nothing: the keys are worth nothing. */
const SCRYPT_N = 2 ** 10;
const RATE_LIMIT = 10_000_000;

/**
 * Everything in its folder.
 * @internal For the tests that move a relay to another machine.
 */
export const RELAY_FILES = [
  CONFIG,
  "operator.json",
  "transactions.json",
  "password",
  "peer.jwe",
  "database-url",
  "data-key",
  "wallet-secret",
  "addresses.json",
];

export interface RelayHome {
  readonly sandbox: Sandbox;
  readonly partner: PartnerId;
  /** Made where it is missing. */
  readonly folder: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly wallet: { readonly url: string; readonly secret: string };
  /** Sections of its configuration; see docs/configuration.md. `ledger` has the endpoints of nodes. */
  readonly settings: Readonly<Record<string, object>> & { readonly ledger: object };
}

/**
 * Writes the files of a relay, and has the registry name it.
 * @returns what it is started with: `feiqian relay start --config`
 */
export async function writeRelayFiles(home: RelayHome): Promise<string> {
  const { sandbox, partner, folder, port, databaseUrl, wallet, settings } = home;
  const url = `http://127.0.0.1:${port}`;
  const peerKeys = generatePeerKeys();
  await registerEndpoint(sandbox, partner, { url, ...publicPeerKeys(peerKeys) });
  const key = (name: string) => ({ keystore: `${name}.json`, passwordFile: "password" });
  const config = {
    ...settings,
    partner,
    api: { port, publicUrl: url },
    ledger: { ...settings.ledger, addresses: "addresses.json" },
    keys: { send: key("operator"), accept: key("operator"), transactions: key("transactions") },
    peer: { keys: "peer.jwe", passwordFile: "password" },
    database: { urlFile: "database-url" },
    dataKey: { file: "data-key" },
    wallet: { ...settings["wallet"], url: wallet.url, secretFile: "wallet-secret" },
  };
  const files = {
    // JSON is YAML.
    [CONFIG]: JSON.stringify(config),
    password: PASSWORD,
    "peer.jwe": await encryptPeerKeys(peerKeys, PASSWORD),
    "database-url": databaseUrl,
    "data-key": toHex(drawSecurely(32)).slice(2),
    "wallet-secret": wallet.secret,
    "addresses.json": formatAddresses(sandbox.ledger.addresses),
  };
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content, { mode: 0o600 });
  for (const [name, kind] of [["operator", "operator"] as const, ["transactions", "relay"] as const]) {
    const { privateKey } = sandbox.keys.walletOf({ kind, partner });
    await createKeystore(join(folder, `${name}.json`), PASSWORD, drawSecurely, { scryptN: SCRYPT_N, privateKey });
  }
  return relayConfigIn(folder);
}

/** Where the configuration is, in a folder of `writeRelayFiles`. */
export function relayConfigIn(folder: string): string {
  return join(folder, CONFIG);
}

/** @returns its URL */
export async function createDatabase(server: string, name: string): Promise<string> {
  await onServer(server, `CREATE DATABASE ${name}`);
  return urlOf(server, name);
}

/** A statement outside of any of its databases. */
export async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(url, "postgres") });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

/** An API key for everything, made as the command line makes the first one: in the database. */
export async function issueFirstKey(databaseUrl: string): Promise<string> {
  const db = await openPostgres(databaseUrl);
  try {
    await migrate(db);
    const maker = { db, drawBytes: drawSecurely, clock: systemClock };
    return (await issueApiKey(maker, { label: "first", scopes: SCOPES, rateLimit: RATE_LIMIT })).text;
  } finally {
    await db.close();
  }
}
