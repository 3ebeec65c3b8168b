import { fromHex, normalizeHex } from "../domain/bytes/hex.ts";
import { InvalidInput } from "../domain/errors.ts";
import { parsePartnerId } from "../domain/partner.ts";
import { tokenEnd } from "../ledger/credentials.ts";
import { connectLedger, type Ledger } from "../ledger/contracts.ts";
import { miswirings } from "../ledger/miswirings.ts";
import { parseAddresses } from "../ledger/deployment/config-file.ts";
import { createFailoverProvider, type FailoverProvider } from "../ledger/rpc/failover-provider.ts";
import type { LedgerKey } from "../ledger/keys/key.ts";
import { openKeystore } from "../ledger/keys/keystore.ts";
import { ledgerSigner } from "../ledger/keys/signing-key.ts";
import { web3Signer } from "../ledger/keys/web3signer.ts";
import { latestHead } from "../ledger/state.ts";
import { openRegistry, type Registry } from "../ledger/registry.ts";
import { createSubmitter, type Submitter } from "../ledger/submitter.ts";
import { isAway } from "../kernel/away.ts";
import { checkpointOf, type Checkpoint } from "../kernel/steps/checkpoint.ts";
import { systemClock, type Clock } from "../kernel/clock/clock.ts";
import { ConfigError } from "../kernel/config-error.ts";
import { type KeySource, type RelayConfig } from "./config.ts";
import { createLogger, type Logger } from "../kernel/telemetry/logger.ts";
import { createWake } from "../kernel/steps/loop.ts";
import { createMetrics, type Metrics } from "../kernel/telemetry/metrics.ts";
import { drawSecurely } from "../kernel/secure-random.ts";
import { backoffMs } from "../kernel/retry.ts";
import { createTracer, type Tracer } from "../kernel/telemetry/tracing.ts";
import { createClockSkew } from "../kernel/clock/clock-skew.ts";
import type { RelayContext, RelayFeature } from "../features/context.ts";
import type { StepName } from "../kernel/steps/step.ts";
import { type Composition, metricsOf, migrationsOf, problemsOf, settingsOf } from "./composition.ts";
import { FEATURES } from "./features.ts";
import { createOutside } from "../kernel/outside/outside.ts";
import { networks } from "../kernel/outside/url-guard.ts";
import { registryDirectory, type PeerDirectory, type PeerKeys } from "../features/peers/directory.ts";
import { decryptPeerKeys } from "../features/peers/keys.ts";
import { httpProviders, type ProviderClient } from "../features/pricing/provider-client.ts";
import { httpWallet, type WalletConnector } from "../features/wallet/connector.ts";
import { nothingWatched } from "../features/remittance/watched.ts";
import type { Database } from "../kernel/store/database.ts";
import { migrate } from "../kernel/store/migrate.ts";
import { openDatabase } from "../kernel/store/open.ts";
import { claimStore, whosePartner } from "../kernel/store/identity.ts";
import { createSealer, type Sealer } from "../kernel/store/sealer.ts";
import { requireOwn, requireWired, storeOwner } from "./store-owner.ts";

/** What is opened by what the configuration says, unless it is given. */
type Opened = "keys" | "peer" | "database" | "dataKey" | "wallet";

/** A relay's configuration, as far as it is not given as `RelayParts`. */
export type StartConfig = Omit<RelayConfig, Opened> & Partial<Pick<RelayConfig, Opened>>;

/** What a caller that is not a command line gives instead of having it opened. It is the caller's to close. */
export interface RelayParts {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly keys: { readonly send: LedgerKey; readonly accept: LedgerKey; readonly transactions: LedgerKey };
  readonly peerKeys: PeerKeys;
  readonly peers: PeerDirectory;
  readonly wallet: WalletConnector;
  readonly providers: ProviderClient;
  readonly clock: Clock;
  readonly drawBytes: (length: number) => Uint8Array;
  readonly fetch: typeof globalThis.fetch;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly checkpoint: Checkpoint;
  /** All that there are unless given. */
  readonly features: readonly RelayFeature[];
  readonly pollIntervalsMs: Partial<Readonly<Record<StepName, number>>>;
}

export type ToClose = (end: () => Promise<void>) => void;

const REGISTRY_TIME_TO_LIVE_MS = 5_000;
const SIGNER_TIMEOUT_MS = 5_000;
/** How often the start tries to reach the database and the ledger: with the back-off below, for about a minute. */
const MAX_ATTEMPTS = 16;
const START_BACKOFF = { firstDelayMs: 200, maxDelayMs: 5_000 };

/** Opens all that the steps work with; what it opens is handed to `toClose`, what it is given is not. */
export async function openContext(
  config: StartConfig,
  given: Partial<RelayParts>,
  { reconcilers, erasers }: Pick<Composition, "reconcilers" | "erasers">,
  toClose: ToClose,
): Promise<RelayContext> {
  const { features = FEATURES } = given;
  const partner = parsePartnerId(config.partner);
  const clock = given.clock ?? systemClock;
  const fetch = given.fetch ?? globalThis.fetch;
  const drawBytes = given.drawBytes ?? drawSecurely;
  const log = given.log ?? createLogger({ level: config.log.level, fields: { partner } });
  const metrics = given.metrics ?? createMetrics({ partner, process: true }, metricsOf(features));
  const tracer = given.tracer ?? createTracer(config.telemetry.otlpEndpoint, `feiqian-relay-${partner}`);
  if (given.tracer === undefined) toClose(() => tracer.close());
  const tools = { clock, fetch, drawBytes, log, metrics, tracer };

  const keys = given.keys ?? (await openKeys(config, fetch));
  const peerKeys = given.peerKeys ?? (await openPeerKeys(config));
  const sealer = given.sealer ?? openSealer(config);
  const db = given.db ?? (await patiently("the database", tools, () => openStore(config)));
  if (given.db === undefined) toClose(() => db.close());
  requireOwn(await patiently("the database", tools, () => whosePartner(db, partner)));
  const applied = await patiently("the database", tools, () => migrate(db, migrationsOf(features)));
  if (applied.length > 0) log.info({ applied }, "store migrated");

  const { ledger, registry } = await openLedger(config, tools, toClose);
  const outside = createOutside(networks(config.registry.trustedNetworks));
  requireWired(await patiently("the ledger", tools, () => miswirings(ledger)));
  const owner = await patiently("the ledger", tools, () => storeOwner(partner, ledger));
  requireOwn(await patiently("the database", tools, () => claimStore(db, owner, sealer, clock.nowMs())));
  const submitter = await patiently("the ledger", tools, () => submitterOf(keys.transactions, ledger, config));
  return {
    ...tools,
    partner,
    settings: { ...settingsOf(features, config), ledger: config.ledger, retry: config.retry, clock: config.clock },
    problems: problemsOf(features),
    db,
    sealer,
    ledger,
    watched: nothingWatched(),
    registry,
    submitter,
    keys: { send: keys.send, accept: keys.accept },
    peerKeys,
    peers: given.peers ?? registryDirectory(ledger, clock),
    outside,
    clockSkew: createClockSkew({
      ...tools,
      latestBlock: () => latestHead(ledger),
      maxSkewSeconds: config.clock.maxSkewSeconds,
    }),
    wallet: given.wallet ?? openWallet(config, tools),
    providers: given.providers ?? openProviders(config, { ...tools, outside }, ledger, registry),
    checkpoint: given.checkpoint ?? checkpointOf(process.env),
    wake: createWake<StepName>(),
    reconcilers,
    erasers,
  };
}

interface Tools {
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
  readonly drawBytes: (length: number) => Uint8Array;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
}

/** What may be restarting just now is tried again for a while, so that the order in which things start does not matter. */
async function patiently<Result>(
  what: string,
  { clock, log }: Pick<Tools, "clock" | "log">,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !isAway(error)) throw error;
      const retryInMs = backoffMs(attempt, START_BACKOFF);
      log.warn({ error, retryInMs }, `${what} cannot be reached yet`);
      await clock.sleep(retryInMs);
    }
  }
}

/** One key's nonce queue. */
export function submitterOf(
  key: LedgerKey,
  { provider }: Ledger,
  config: Pick<StartConfig, "ledger">,
): Promise<Submitter> {
  return createSubmitter(ledgerSigner(key, provider), config.ledger);
}

/** Connects to the ledger of the configuration, and to its registry. */
export async function openLedger(
  { ledger }: Pick<StartConfig, "ledger">,
  tools: Pick<Tools, "clock" | "fetch" | "log"> & Partial<Pick<Tools, "metrics">>,
  toClose: ToClose,
): Promise<{ readonly ledger: Ledger; readonly registry: Registry }> {
  const { clock, fetch, log, metrics } = tools;
  const { rpcUrls, timeoutMs, chainId, witnesses, confirmations, tokens } = ledger;
  const provider = createFailoverProvider(rpcUrls, {
    fetch,
    timeoutMs,
    confirmations,
    ...(chainId === undefined ? {} : { chainId: BigInt(chainId) }),
    ...(witnesses === undefined ? {} : { witnesses }),
    tokens: new Map([...(tokens ?? [])].map(([url, token]) => [url, token.reveal()])),
    onSwitch: (from, to) =>
      log.warn({ from: from.name, to: to.name, why: from.lastFailure }, "ledger: endpoint changed"),
    onDrop: ({ name, whyDropped }) => {
      log.error({ endpoint: name, why: whyDropped }, "ledger: an endpoint lies, and is not used any more");
      countEndpoints(provider, metrics);
    },
    onDispute: ({ about, sides, outcome }) => {
      const hasLiar = outcome === "dropped" || outcome === "unresolved";
      log[hasLiar ? "error" : "warn"]({ about, sides, outcome }, "ledger: endpoints contradict each other");
      metrics?.ledgerDisputes.inc({ outcome });
    },
  });
  countEndpoints(provider, metrics);
  for (const [url, token] of tokens ?? []) {
    const end = tokenEnd(token.reveal());
    if (end !== undefined) metrics?.ledgerTokenEndsSeconds.set({ endpoint: new URL(url).host }, end);
  }
  toClose(() => {
    provider.destroy();
    return Promise.resolve();
  });
  const addresses = await asConfigured(() => parseAddresses(ledger.addressesJson));
  const connected = await patiently("the ledger", tools, () => connectLedger(provider, addresses));
  const registry = openRegistry(connected, {
    clock,
    fromBlock: ledger.fromBlock,
    maxBlockRange: ledger.maxBlockRange,
    timeToLiveMs: REGISTRY_TIME_TO_LIVE_MS,
    onError: (error) => log.warn({ error }, "the registry cannot be read anew"),
  });
  return { ledger: connected, registry };
}

function countEndpoints(provider: FailoverProvider, metrics: Metrics | undefined): void {
  const health = provider.health();
  const dropped = health.filter(({ isDropped }) => isDropped).length;
  metrics?.ledgerEndpoints.set({ state: "used" }, health.length - dropped);
  metrics?.ledgerEndpoints.set({ state: "dropped" }, dropped);
}

/**
 * Opens the store that the configuration names, as it is: nothing is migrated.
 * @throws ConfigError where none is configured
 */
export async function openStore({ database }: Pick<StartConfig, "database">): Promise<Database> {
  if (database === undefined) throw missing("database");
  return openDatabase("url" in database ? { url: database.url.reveal() } : { folder: database.folder });
}

/**
 * The database as commands need it that ask no ledger: up to date, and not another partner's, which is left as it is.
 * @throws ConfigError where it is
 */
export async function openOwnStore(config: Pick<StartConfig, "database" | "partner">): Promise<Database> {
  const db = await openStore(config);
  try {
    requireOwn(await whosePartner(db, config.partner));
    await migrate(db, migrationsOf(FEATURES));
    return db;
  } catch (failure) {
    await db.close();
    throw failure;
  }
}

export async function openKeys(
  { keys }: Pick<StartConfig, "keys">,
  fetch: typeof globalThis.fetch,
): Promise<RelayParts["keys"]> {
  if (keys === undefined) throw missing("keys");
  const open = (name: keyof typeof keys) => asConfigured(() => openKey(keys[name], `keys.${name}`, fetch));
  const [send, accept, transactions] = await Promise.all([open("send"), open("accept"), open("transactions")]);
  return { send, accept, transactions };
}

async function openKey(source: KeySource, field: string, fetch: typeof globalThis.fetch): Promise<LedgerKey> {
  if (source.kind === "keystore") return openKeystore(source.path, source.password.reveal(), `${field}.keystore`);
  const address = normalizeHex(source.address, 20, "address");
  return web3Signer(source.url, address, { fetch, timeoutMs: SIGNER_TIMEOUT_MS });
}

export async function openPeerKeys({ peer }: Pick<StartConfig, "peer">): Promise<PeerKeys> {
  if (peer === undefined) throw missing("peer");
  return asConfigured(() => decryptPeerKeys(peer.encryptedKeys, peer.password.reveal(), "peer.keys"));
}

/** A value that is named by the configuration, and can only be looked at when it is opened, is a part of it. */
async function asConfigured<Value>(open: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    throw new ConfigError([{ key: error.field, rule: error.rule }]);
  }
}

/** @throws ConfigError where there is no key to open personal data with */
export function openSealer({ dataKey }: Pick<StartConfig, "dataKey">): Sealer {
  if (dataKey === undefined) throw missing("dataKey");
  const bytesOf = (key: { reveal(): string }) => fromHex(`0x${key.reveal().replace(/^0x/, "")}`, 32, "dataKey");
  return createSealer({ current: bytesOf(dataKey.current), previous: dataKey.previous.map(bytesOf) });
}

function openProviders(
  { batch: { holdSeconds }, quote: { providerTimeoutMs: timeoutMs } }: StartConfig,
  tools: Tools & Pick<RelayContext, "outside">,
  ledger: Ledger,
  registry: Registry,
): ProviderClient {
  return httpProviders({ ...tools, ledger, registry, holdSeconds, timeoutMs });
}

function openWallet({ wallet }: StartConfig, tools: Tools): WalletConnector {
  if (wallet === undefined) throw missing("wallet");
  const { url, timeoutMs } = wallet;
  return httpWallet({ ...tools, url, timeoutMs, secret: wallet.secret.reveal() });
}

function missing(key: Opened): ConfigError {
  return new ConfigError([{ key, rule: "configured, or given" }]);
}
