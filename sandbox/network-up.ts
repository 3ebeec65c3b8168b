import { join } from "node:path";
import type { Provider } from "ethers";
import { freePorts } from "../deploy/bft/ports.ts";
import { SCOPES } from "../src/schema/operator.ts";
import { toHex } from "../src/domain/bytes/hex.ts";
import type { PartnerId } from "../src/domain/partner.ts";
import type { LedgerAddresses } from "../src/ledger/contracts.ts";
import { formatAddresses } from "../src/ledger/deployment/config-file.ts";
import type { LedgerConfig } from "../src/ledger/deployment/config.ts";
import { keyInMemory } from "../src/ledger/keys/signing-key.ts";
import { systemClock } from "../src/kernel/clock/clock.ts";
import { parseConfigFile } from "../src/app/config.ts";
import type { Logger } from "../src/kernel/telemetry/logger.ts";
import { createMetrics } from "../src/kernel/telemetry/metrics.ts";
import { metricsOf } from "../src/app/composition.ts";
import { FEATURES } from "../src/app/features.ts";
import { createRandom } from "../src/kernel/random.ts";
import { secret } from "../src/kernel/secrets/secret.ts";
import { issueApiKey } from "../src/kernel/access/api-keys.ts";
import type { PeerKeys } from "../src/features/peers/directory.ts";
import { generatePeerKeys, publicPeerKeys } from "../src/features/peers/keys.ts";
import { createClient, type RelayClient } from "../sdk/client.ts";
import type { StartConfig } from "../src/app/parts.ts";
import { startRelay, type RunningRelay } from "../src/app/relay.ts";
import type { Database } from "../src/kernel/store/database.ts";
import { openPgliteSchemas } from "../src/kernel/store/pglite.ts";
import { createSandboxClock, type SandboxClock } from "./clock.ts";
import { openBooks, type AccountHolder, type WalletBooks } from "./wallet/books.ts";
import { relayDatabases } from "./databases.ts";
import { fund, type Movement } from "./funding.ts";
import { openJournal } from "./wallet/journal.ts";
import { createPassingTime, type PassingTime } from "./passing-time.ts";
import { createLiquidityProvider } from "./provider/liquidity-provider.ts";
import { PROVIDERS, type SandboxKeys } from "./network.ts";
import { startProviderServer } from "./provider/provider-server.ts";
import type { DailyRates } from "./provider/rates.ts";
import { ENDINGS } from "./wallet/refunds.ts";
import { openSandbox, registerEndpoint, type Sandbox } from "./sandbox.ts";
import { nextBlockTime, reachChain, type SandboxChain } from "./sandbox-chain.ts";
import { openWalletApp, type WalletApp } from "./wallet/wallet-app.ts";
import { addWalletPage } from "./wallet/wallet-page.ts";
import { openBillDesk, type BillDesk } from "./wallet/bills.ts";
import { startWalletServer, type WalletServer } from "./wallet/wallet-server.ts";
import { WALLETS, type Wallet } from "./wallet/wallets.ts";

/** Where everybody listens, on this machine. Relays and wallets have one port each, by partner id from 1 on. */
export interface NetworkPorts {
  readonly chain: number;
  readonly firstRelay: number;
  readonly firstWallet: number;
  readonly firstProvider: number;
}

export interface NetworkOptions {
  /** What the ledger is on, and what reads it. */
  readonly chain: SandboxChain;
  readonly provider: Provider;
  /** The ledger that has been deployed on it, and as what. */
  readonly addresses: LedgerAddresses;
  readonly config: LedgerConfig;
  /** Everybody's keys; the ones that everybody knows by default. */
  readonly keys?: SandboxKeys;
  /** A wallet's customers. */
  readonly holdersOf: (wallet: Wallet) => Iterable<AccountHolder>;
  /** What partners have on the ledger before the relays start. */
  readonly deposits: readonly Movement[];
  /** What providers sell at. */
  readonly rates: DailyRates;
  readonly seed: string;
  /** Random bytes that nobody can guess. */
  readonly drawBytes: (length: number) => Uint8Array;
  /** Sections of the relays' configuration; see docs/configuration.md. */
  readonly relaySettings?: Readonly<Record<string, object>>;
  /** Whose relay neither offers to settle in one step nor asks for it; nobody's by default. */
  readonly inTwoSteps?: readonly PartnerId[];
  readonly log: Logger;
  /** Whose relays and wallets are started; everybody's by default. */
  readonly wallets?: readonly Wallet[];
  /** Of these, whose relay is left to somebody else to start, on the partner's port; nobody's by default. */
  readonly ownRelay?: PartnerId;
  /** Any free ones by default. */
  readonly ports?: NetworkPorts;
  /** Where the wallets' journals are kept; in memory by default. */
  readonly folder?: string;
  /** Opens a partner's database, which is the caller's to close; embedded ones in memory by default. */
  readonly databaseOf?: (partner: PartnerId) => Promise<Database>;
}

/** One partner: its wallet, and the relay that it sends and is sent by. */
export interface RunningPartner {
  readonly wallet: Wallet;
  readonly server: WalletServer;
  readonly app: WalletApp;
  readonly relay: RunningRelay;
  /** The relay's API, with the key below. */
  readonly client: RelayClient;
  /** For everything that the relay's API has. */
  readonly apiKey: string;
  readonly database: Database;
}

/** A partner whose relay is somebody else's: its wallet waits for that relay. */
export interface RelaylessPartner {
  readonly wallet: Wallet;
  readonly server: WalletServer;
  /** Where the relay is to be. */
  readonly relayUrl: string;
  /** What it signs its calls to the wallet with. */
  readonly connectorSecret: string;
}

export interface RunningNetwork extends PassingTime {
  readonly sandbox: Sandbox;
  readonly rpcUrls: readonly string[];
  readonly partners: ReadonlyMap<PartnerId, RunningPartner>;
  readonly relayless: RelaylessPartner | undefined;
  /** Relays first, each after it has finished what it is at; then everybody else. */
  stop(): Promise<void>;
}

const PARTNER_NAMES = Object.fromEntries([...WALLETS, ...PROVIDERS].map(({ id, name }) => [id, name]));
const API_RATE_LIMIT = 10_000_000;
/** All of a sandbox shares a processor, which may be busy: that somebody answers late does not mean that he is away. */
const PATIENCE = { timeoutMs: 60_000 };
const RETRIES = 10;
/** Rarely: nobody else works on these relays' stores, so a step is told of all its work, and they share one processor. */
const POLL_INTERVALS_MS = {
  batcher: 5_000,
  proposer: 5_000,
  opener: 5_000,
  courier: 5_000,
  responder: 5_000,
  settler: 5_000,
  crediter: 5_000,
  confirmer: 5_000,
  notifier: 5_000,
  sweeper: 2_000,
  liquidity: 10_000,
  pricing: 5_000,
};

/** Starts the network of ten in this process: two providers, and ten relays with their wallets; a node where it is to be. */
export async function startNetwork(options: NetworkOptions): Promise<RunningNetwork> {
  const { chain, provider, addresses, config, ports, seed, drawBytes } = options;
  const clock = createSandboxClock(systemClock);
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const step of stops.toReversed()) await step();
  };
  try {
    const node = await reachChain(chain, ports?.chain);
    stops.push(() => node.stop());
    const sandbox = await openSandbox(provider, addresses, config, options.keys);
    await fund(sandbox, options.deposits);
    const random = createRandom(`feiqian sandbox providers ${seed}`);
    const providers = PROVIDERS.map(async ({ id }, index) => {
      const desk = await startProviderServer({
        provider: createLiquidityProvider({
          id,
          signer: sandbox.keys.walletOf({ kind: "operator", partner: id }),
          ledger: sandbox.ledger,
          rates: options.rates,
          random: random.fork(`${id}`),
          drawNonce: () => BigInt(toHex(drawBytes(8))),
        }),
        blockTime: () => nextBlockTime(chain, provider),
        ...(ports === undefined ? {} : { port: ports.firstProvider + index }),
      });
      stops.push(() => desk.stop());
      await registerEndpoint(sandbox, id, { url: desk.url, signingKey: NO_KEY, encryptionKey: NO_KEY });
    });
    await Promise.all(providers);

    const { wallets = WALLETS, databaseOf = await embeddedDatabases(stops) } = options;
    const relayPorts =
      ports === undefined ? await freePorts(wallets.length) : wallets.map(({ id }) => ports.firstRelay + id - 1);
    const places = wallets.map((wallet, index) => ({
      wallet,
      port: relayPorts[index] ?? 0,
      peerKeys: generatePeerKeys(),
      database: () => databaseOf(wallet.id),
    }));
    const shared = { ...options, clock, sandbox, rpcUrls: node.rpcUrls, fetch: node.fetch };
    const [left] = places.filter(({ wallet }) => wallet.id === options.ownRelay);
    const relayless = left === undefined ? undefined : await startRelayless({ ...shared, ...left }, stops);
    const ours = places.filter((place) => place !== left);
    // Before any relay starts: each looks the others up.
    await Promise.all(
      ours.map(({ wallet, port, peerKeys }) =>
        registerEndpoint(sandbox, wallet.id, { url: relayUrl(port), ...publicPeerKeys(peerKeys) }),
      ),
    );
    const started = ours.map((place) => startPartner({ ...shared, ...place }, stops));
    const settled = await Promise.allSettled(started);
    const failed = settled.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    const partners = await Promise.all(started);
    const onPassed = () => {
      for (const { relay } of partners) for (const step of ["watcher", "sweeper"] as const) relay.context.wake(step);
    };
    return {
      sandbox,
      rpcUrls: node.rpcUrls,
      partners: new Map(partners.map((partner) => [partner.wallet.id, partner])),
      relayless,
      ...createPassingTime({ sandbox, chain, clock, ownRelay: relayless?.wallet.id, onPassed }),
      stop,
    };
  } catch (failure) {
    await stop();
    throw failure;
  }
}

async function embeddedDatabases(
  stops: (() => Promise<unknown>)[],
): Promise<(partner: PartnerId) => Promise<Database>> {
  const schemaOf = (partner: PartnerId): string => `relay_${partner}`;
  const store = await openPgliteSchemas(undefined, await relayDatabases(WALLETS.map(({ id }) => schemaOf(id))));
  stops.push(() => store.close());
  return (partner) => store.database(schemaOf(partner));
}

/** Providers are asked over plain HTTP. */
const NO_KEY = `0x${"0".repeat(64)}` as const;

function relayUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}

interface PartnerOptions extends NetworkOptions {
  readonly clock: SandboxClock;
  readonly sandbox: Sandbox;
  readonly rpcUrls: readonly string[];
  readonly fetch: typeof globalThis.fetch;
  readonly wallet: Wallet;
  /** The relay's. */
  readonly port: number;
  readonly peerKeys: PeerKeys;
  readonly database: () => Promise<Database>;
}

interface StartedWallet {
  readonly server: WalletServer;
  readonly books: WalletBooks;
  readonly connectorSecret: string;
  /** Lets the wallet's page send, and its billers send bills, once its relay is there. */
  readonly open: (app: WalletApp, bills: BillDesk) => void;
}

async function startWallet(options: PartnerOptions, stops: (() => Promise<unknown>)[]): Promise<StartedWallet> {
  const { wallet, ports, folder, clock, drawBytes } = options;
  const connectorSecret = `whsec_${Buffer.from(drawBytes(32)).toString("base64")}`;
  const books = openBooks({
    wallet: wallet.id,
    currency: wallet.currency.code,
    holders: options.holdersOf(wallet),
    clock,
    ...(folder === undefined ? {} : { journal: await openJournal(join(folder, `wallet-${wallet.id}.ndjson`)) }),
  });
  const opened: { app?: WalletApp; bills?: BillDesk } = {};
  const server = await startWalletServer({
    wallet,
    books,
    secret: connectorSecret,
    clock,
    bills: () => opened.bills,
    extend: (pages) => addWalletPage(pages, { wallet, books, drawBytes, app: () => opened.app }),
    ...(ports === undefined ? {} : { port: ports.firstWallet + wallet.id - 1 }),
  });
  stops.push(() => server.stop());
  return { server, books, connectorSecret, open: (app, bills) => void Object.assign(opened, { app, bills }) };
}

async function startRelayless(options: PartnerOptions, stops: (() => Promise<unknown>)[]): Promise<RelaylessPartner> {
  const { server, connectorSecret } = await startWallet(options, stops);
  return { wallet: options.wallet, server, relayUrl: relayUrl(options.port), connectorSecret };
}

async function startPartner(options: PartnerOptions, stops: (() => Promise<unknown>)[]): Promise<RunningPartner> {
  const { sandbox, wallet, clock, drawBytes } = options;
  const { server, books, connectorSecret, open } = await startWallet(options, stops);

  const database = await options.database();
  const { keys } = sandbox;
  const operator = keyInMemory(keys.walletOf({ kind: "operator", partner: wallet.id }).privateKey);
  const transactions = keyInMemory(keys.walletOf({ kind: "relay", partner: wallet.id }).privateKey);
  const relay = await startRelay(relayConfig(options, server.url, connectorSecret), {
    db: database,
    keys: { send: operator, accept: operator, transactions },
    peerKeys: options.peerKeys,
    fetch: options.fetch,
    clock,
    drawBytes,
    // Those of the process would be ten times the same.
    metrics: createMetrics({ partner: wallet.id, process: false }, metricsOf(FEATURES)),
    pollIntervalsMs: POLL_INTERVALS_MS,
    log: options.log.child({ partner: wallet.id }),
  });
  stops.push(() => relay.stop());
  const { text: apiKey } = await issueApiKey(
    { db: database, drawBytes, clock },
    { label: `${wallet.name} (sandbox)`, scopes: SCOPES, rateLimit: API_RATE_LIMIT },
  );
  const client = createClient({ url: relay.url, key: apiKey, ...PATIENCE, retries: RETRIES });
  const webhook = await client.createWebhook({ url: `${server.url}/webhooks`, types: [...ENDINGS] });
  server.trustWebhooks(webhook.secret);
  const app = await openWalletApp({ books, relay: client, clock });
  open(app, openBillDesk(wallet, books, client));
  return { wallet, server, app, relay, client, apiKey, database };
}

/** As a relay operator's file would be, but for what this process has at hand: keys, secrets and the database. */
function relayConfig(options: PartnerOptions, walletUrl: string, walletSecret: string): StartConfig {
  const { wallet, port, chain, rpcUrls, addresses, relaySettings = {}, inTwoSteps = [], drawBytes } = options;
  const inHand = { keystore: "in this process" };
  const file = {
    ...relaySettings,
    partner: wallet.id,
    api: { ...relaySettings["api"], port, publicUrl: relayUrl(port) },
    ledger: { ...(chain.kind === "inProcess" ? PATIENCE : {}), ...relaySettings["ledger"], rpcUrls, addresses: {} },
    keys: { send: inHand, accept: inHand, transactions: inHand },
    peer: { keys: inHand.keystore },
    // All of the network is on this machine.
    registry: { trustedNetworks: ["127.0.0.0/8"], names: PARTNER_NAMES, ...relaySettings["registry"] },
    quote: { providerTimeoutMs: PATIENCE.timeoutMs, ...relaySettings["quote"] },
    oneStep: {
      enabled: !inTwoSteps.includes(wallet.id),
      answerTimeoutMs: PATIENCE.timeoutMs,
      validSeconds: PATIENCE.timeoutMs / 1_000,
      ...relaySettings["oneStep"],
    },
    wallet: { ...PATIENCE, ...relaySettings["wallet"], url: walletUrl },
  };
  const { keys: _keys, peer: _peer, database: _database, ...parsed } = parseConfigFile(JSON.stringify(file));
  return {
    ...parsed,
    ledger: { ...parsed.ledger, addressesJson: formatAddresses(addresses) },
    dataKey: { current: secret(toHex(drawBytes(32)).slice(2)), previous: [] },
    wallet: { ...parsed.wallet, secret: secret(walletSecret) },
  };
}
