import { randomBytes } from "node:crypto";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { deploySandbox, type SandboxPlace } from "../../scripts/lib/sandbox-ledger.ts";
import { toHex } from "../../src/domain/bytes/hex.ts";
import { parsePartnerId, type PartnerId } from "../../src/domain/partner.ts";
import { signQuote } from "../../src/ledger/signing.ts";
import { systemClock } from "../../src/kernel/clock/clock.ts";
import { createRandom, type Random } from "../../src/kernel/random.ts";
import { openBooks } from "../../sandbox/wallet/books.ts";
import { makeCustomers, type Customer } from "../../sandbox/wallet/customers.ts";
import { fund, type Movement } from "../../sandbox/funding.ts";
import { openJournal } from "../../sandbox/wallet/journal.ts";
import { createLiquidityProvider, type LiquidityProvider } from "../../sandbox/provider/liquidity-provider.ts";
import { PROVIDERS } from "../../sandbox/network.ts";
import { freePorts } from "../../deploy/bft/ports.ts";
import {
  createDatabase,
  issueFirstKey,
  onServer,
  RELAY_FILES,
  relayConfigIn,
  writeRelayFiles,
} from "../../scripts/lib/relay-files.ts";
import { startProviderServer } from "../../sandbox/provider/provider-server.ts";
import { loadRateBook } from "../../sandbox/provider/rates.ts";
import { openSandbox, registerEndpoint, type Sandbox } from "../../sandbox/sandbox.ts";
import { reachChain } from "../../sandbox/sandbox-chain.ts";
import { startWalletServer, type WalletServer } from "../../sandbox/wallet/wallet-server.ts";
import { walletOf } from "../../sandbox/wallet/wallets.ts";
import { createClient, type RelayClient } from "../../sdk/client.ts";
import type { PostgresServer } from "../integration/support/postgres.ts";
import { createRelayProcess, type RelayProcess } from "./relay-process.ts";
import { startRpcProxy, type RpcProxy } from "./rpc-proxy.ts";
import { startWebhookReceiver, type WebhookReceiver } from "./webhook-receiver.ts";

/** A partner of the crash tests: a relay of its own process and database, and a wallet in this process. */
export interface CrashPartner {
  readonly id: PartnerId;
  readonly relay: RelayProcess;
  readonly wallet: WalletServer;
  /** What the wallet has written of its customers' money. */
  readonly journalPath: string;
  /** Takes every event, and remembers which. */
  readonly receiver: WebhookReceiver;
  readonly databaseUrl: string;
  readonly apiKey: string;
  readonly client: RelayClient;
  readonly customers: readonly Customer[];
  /**
   * Sets its relay up on another machine, as a folder of its own and another database server, from its database and
   * its files; the old ones are gone. Its name and port go along. The relay is killed, and not started again.
   */
  moveTo(postgres: PostgresServer): Promise<void>;
}

export interface CrashWorld {
  readonly folder: string;
  readonly sandbox: Sandbox;
  readonly postgres: PostgresServer;
  /** In front of the ledger's nodes; the relays know all of them. */
  readonly proxies: readonly RpcProxy[];
  /** AlipayHK, which sends, and GCash, which is sent to. */
  readonly source: CrashPartner;
  readonly target: CrashPartner;
  /** What partners have deposited so far. */
  readonly movements: readonly Movement[];
  /** Has partners deposit more. */
  fund(deposits: readonly Movement[]): Promise<void>;
  /** @param keep leaves the folder with the relays' logs and the wallets' journals where it is */
  stop(keep: boolean): Promise<void>;
}

const SOURCE = parsePartnerId(7);
const TARGET = parsePartnerId(4);

const CUSTOMERS = 40;
/** Seconds between two blocks that nobody asked for, as on a ledger that makes them all the time. */
const BLOCK_INTERVAL_MS = 500;
/** Time on the ledger goes by these, so that the refund of what has expired is a matter of seconds. */
const LEDGER_CLOCK = { beatIntervalSeconds: 2, graceSeconds: 10 };
const QUOTE_VALIDITY_SECONDS = 45;
const SOURCE_FUNDS_MINOR = 10n ** 10n;
const PROVIDER_FUNDS_MINOR = 10n ** 12n;
/** No customer is ever short of money. */
const OPENING_MINOR = 10n ** 12n;
const NO_KEY = `0x${"0".repeat(64)}` as const;
const DUMP_LIMIT_BYTES = 1_024 ** 3;
const run = promisify(execFile);
export const START_TIMEOUT_MS = 480_000;

/** The relays' settings: short waits, so that many kills fit into minutes. */
const SETTINGS = {
  batch: { maxTransfers: 50, maxDelayMs: 150, holdSeconds: 60 },
  quote: { validitySeconds: 20, leastValiditySeconds: 5 },
  // All of it is one machine; but a clock that may be off for longer than a quote lasts is refused.
  clock: { maxSkewSeconds: 5 },
  transfers: { validitySeconds: 60 },
  // Never a dead letter: a wallet is told of everything, whatever happens.
  webhooks: { maxAttempts: 1_000, timeoutMs: 2_000 },
  retry: { firstDelayMs: 50, maxDelayMs: 1_000 },
  sweep: { othersAfterSeconds: 5 },
  registry: { trustedNetworks: ["127.0.0.0/8"] },
  wallet: { timeoutMs: 2_000 },
};
const LEDGER_SETTINGS = { pollIntervalMs: 100, timeoutMs: 1_000, receiptTimeoutMs: 3_000, maxBroadcasts: 100 };
/** Four validators share this machine with everything else: an answer may take longer. */
const VALIDATORS_SETTINGS = { ...LEDGER_SETTINGS, timeoutMs: 3_000, receiptTimeoutMs: 10_000 };

/**
 * Starts everything: ledger, money, providers, wallets and the two relays.
 * @param place what the ledger is deployed on; a chain in this process where it is left out
 */
export async function startWorld(
  postgres: PostgresServer,
  seed: string,
  place: SandboxPlace = {},
): Promise<CrashWorld> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    return await openWorld(postgres, createRandom(seed), place, stops, stop);
  } catch (failure) {
    await stop();
    throw failure;
  }
}

async function openWorld(
  postgres: PostgresServer,
  random: Random,
  place: SandboxPlace,
  stops: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<CrashWorld> {
  const folder = await mkdtemp(join(tmpdir(), "feiqian-crash-"));
  const { sandbox, rpcUrls } = await startLedger(place, stops);
  const movements: Movement[] = [
    { partner: SOURCE, currency: walletOf(SOURCE).currency.code, amountMinor: SOURCE_FUNDS_MINOR },
    ...PROVIDERS.map(({ id }) => ({
      partner: id,
      currency: walletOf(TARGET).currency.code,
      amountMinor: PROVIDER_FUNDS_MINOR,
    })),
  ];
  await fund(sandbox, movements);
  await startProviders(sandbox, random.fork("providers"), stops);
  const proxies = await Promise.all(rpcUrls.map((url, index) => startRpcProxy(url, random.fork(`proxy ${index}`))));
  for (const proxy of proxies) stops.push(() => proxy.stop());

  const [sourcePort = 0, targetPort = 0] = await freePorts(2);
  const ledger = place.network === undefined ? LEDGER_SETTINGS : VALIDATORS_SETTINGS;
  const common = { sandbox, postgres, proxies, ledger, folder, random, stops };
  const source = await preparePartner({ ...common, id: SOURCE, port: sourcePort });
  const target = await preparePartner({ ...common, id: TARGET, port: targetPort });
  for (const partner of [source, target]) {
    stops.push(() => partner.relay.kill());
    partner.relay.start();
  }
  for (const partner of [source, target]) {
    await partner.relay.ready(START_TIMEOUT_MS);
    partner.receiver.trust((await partner.client.createWebhook({ url: partner.receiver.url })).secret);
    // As the wallet's engineers would: what gives customers their money back.
    const types = ["transfer.rejected", "transfer.expired", "transfer.failed", "transfer.cancelled"];
    partner.wallet.trustWebhooks(
      (await partner.client.createWebhook({ url: `${partner.wallet.url}/webhooks`, types })).secret,
    );
  }
  return {
    ...{ folder, sandbox, postgres, proxies, source, target, movements },
    async fund(deposits) {
      await fund(sandbox, deposits);
      movements.push(...deposits);
    },
    async stop(keep) {
      await stop();
      if (!keep) await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startLedger(
  place: SandboxPlace,
  stops: (() => Promise<unknown>)[],
): Promise<{ readonly sandbox: Sandbox; readonly rpcUrls: readonly string[] }> {
  const { chain, provider, addresses, config } = await deploySandbox({ ...place, clock: LEDGER_CLOCK });
  const reached = await reachChain(chain);
  stops.push(() => reached.stop());
  const { rpcUrls } = reached;
  const sandbox = await openSandbox(provider, addresses, config);
  if (chain.kind === "nodes") return { sandbox, rpcUrls };
  const mineEvery = (ms: number) => chain.chain.request({ method: "evm_setIntervalMining", params: [ms] });
  await mineEvery(BLOCK_INTERVAL_MS);
  stops.push(() => mineEvery(0));
  // Two ways to the one node, so that relays have another endpoint to turn to.
  return { sandbox, rpcUrls: [...rpcUrls, ...rpcUrls] };
}

async function startProviders(sandbox: Sandbox, random: Random, stops: (() => Promise<unknown>)[]): Promise<void> {
  const rates = (await loadRateBook()).on();
  for (const { id } of PROVIDERS) {
    const signer = sandbox.keys.walletOf({ kind: "operator", partner: id });
    const { ledger } = sandbox;
    const drawNonce = (): bigint => BigInt(toHex(randomBytes(8)));
    const desk = createLiquidityProvider({ id, signer, ledger, rates, random: random.fork(`${id}`), drawNonce });
    // Shorter than the sandbox's: quotes end under transfers that wait for a relay to come back.
    const provider: LiquidityProvider = {
      id,
      async offer(exchange, sourceTotal, nowSeconds, leastCapacity) {
        const made = await desk.offer(exchange, sourceTotal, nowSeconds, leastCapacity);
        const quote = { ...made.quote, validUntil: nowSeconds + QUOTE_VALIDITY_SECONDS };
        return { quote, authorization: await signQuote(signer, ledger.chain, quote) };
      },
    };
    const blockTime = async (): Promise<number> => (await ledger.provider.getBlock("latest"))?.timestamp ?? 0;
    const server = await startProviderServer({ provider, blockTime });
    stops.push(() => server.stop());
    await registerEndpoint(sandbox, id, { url: server.url, signingKey: NO_KEY, encryptionKey: NO_KEY });
  }
}

interface PartnerParts {
  readonly id: PartnerId;
  readonly port: number;
  readonly sandbox: Sandbox;
  readonly postgres: PostgresServer;
  readonly proxies: readonly RpcProxy[];
  readonly ledger: typeof LEDGER_SETTINGS;
  readonly folder: string;
  readonly random: Random;
  readonly stops: (() => Promise<unknown>)[];
}

/** Everything of a partner but the running relay. */
async function preparePartner(parts: PartnerParts): Promise<CrashPartner> {
  const { id, port, sandbox, postgres, random, stops } = parts;
  const wallet = walletOf(id);
  const folder = join(parts.folder, `partner-${id}`);
  await mkdir(folder);
  const customers = makeCustomers(wallet, CUSTOMERS, random.fork(`customers ${id}`));
  const journalPath = join(folder, "wallet.ndjson");
  const walletSecret = `whsec_${randomBytes(32).toString("base64")}`;
  const server = await startWalletServer({
    wallet,
    books: openBooks({
      wallet: id,
      currency: wallet.currency.code,
      holders: customers.map((customer) => ({ ...customer, openingMinor: OPENING_MINOR })),
      clock: systemClock,
      journal: await openJournal(journalPath),
    }),
    secret: walletSecret,
    clock: systemClock,
  });
  stops.push(() => server.stop());
  const receiver = await startWebhookReceiver(random.fork(`receiver ${id}`));
  stops.push(() => receiver.stop());

  const databaseUrl = await createDatabase(postgres.url, `relay_${id}`);
  const apiKey = await issueFirstKey(databaseUrl);
  const url = `http://127.0.0.1:${port}`;
  const rpcUrls = parts.proxies.map((proxy) => proxy.url);
  await writeRelayFiles({
    ...{ sandbox, folder, port, databaseUrl, partner: id },
    wallet: { url: server.url, secret: walletSecret },
    settings: { ...SETTINGS, ledger: { ...parts.ledger, rpcUrls } },
  });
  const processIn = (home: string) =>
    createRelayProcess({
      name: wallet.name,
      url,
      configPath: relayConfigIn(home),
      logPath: join(home, "relay.log"),
      cacheFolder: join(parts.folder, "compiled"),
    });
  let machine = { folder, databaseUrl, relay: processIn(folder) };
  const client = createClient({ url, key: apiKey, retries: 1, firstDelayMs: 50, timeoutMs: 10_000 });
  return {
    ...{ id, wallet: server, journalPath, receiver, apiKey, client, customers },
    get relay() {
      return machine.relay;
    },
    get databaseUrl() {
      return machine.databaseUrl;
    },
    async moveTo(other) {
      await machine.relay.kill();
      const home = `${machine.folder}-moved`;
      const movedUrl = await moveDatabase(postgres.programs, machine.databaseUrl, other, `relay_${id}`);
      await mkdir(home);
      for (const name of RELAY_FILES) await rename(join(machine.folder, name), join(home, name));
      await writeFile(join(home, "database-url"), movedUrl, { mode: 0o600 });
      machine = { folder: home, databaseUrl: movedUrl, relay: processIn(home) };
    },
  };
}

/** @returns the URL of the copy; the original is no more */
async function moveDatabase(programs: string, from: string, to: PostgresServer, name: string): Promise<string> {
  const copy = await createDatabase(to.url, name);
  const { stdout } = await run(join(programs, "pg_dump"), [from], { maxBuffer: DUMP_LIMIT_BYTES });
  const restored = run(join(programs, "psql"), ["-q", "-v", "ON_ERROR_STOP=1", copy], { maxBuffer: DUMP_LIMIT_BYTES });
  restored.child.stdin?.end(stdout);
  await restored;
  await onServer(from, `DROP DATABASE ${name}`);
  return copy;
}
