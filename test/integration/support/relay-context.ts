import { toHex } from "../../../src/domain/bytes/hex.ts";
import { isSameCurrency, networkFeeUp, type Corridor } from "../../../src/domain/corridor.ts";
import type { PartnerId } from "../../../src/domain/partner.ts";
import { quoteId, quoteRate, type Quote } from "../../../src/domain/quote.ts";
import { convertDown } from "../../../src/domain/rate.ts";
import { uetrFromRandom, type Uetr } from "../../../src/domain/uetr.ts";
import { keyInMemory } from "../../../src/ledger/keys/signing-key.ts";
import { openRegistry } from "../../../src/ledger/registry.ts";
import { signQuote } from "../../../src/ledger/signing.ts";
import type { Clock } from "../../../src/kernel/clock/clock.ts";
import { silentLogger } from "../../../src/kernel/telemetry/logger.ts";
import { createWake } from "../../../src/kernel/steps/loop.ts";
import { createOutside } from "../../../src/kernel/outside/outside.ts";
import { networks } from "../../../src/kernel/outside/url-guard.ts";
import { parseConfigFile } from "../../../src/app/config.ts";
import { createMetrics } from "../../../src/kernel/telemetry/metrics.ts";
import { compose, metricsOf, problemsOf, settingsOf } from "../../../src/app/composition.ts";
import { FEATURES } from "../../../src/app/features.ts";
import { createRandom } from "../../../src/kernel/random.ts";
import { noTracer } from "../../../src/kernel/telemetry/tracing.ts";
import type { ClockSkew } from "../../../src/kernel/clock/clock-skew.ts";
import type { RelayContext, RelaySettings, Step } from "../../../src/features/context.ts";
import type { StepName } from "../../../src/kernel/steps/step.ts";
import { generatePeerKeys } from "../../../src/features/peers/keys.ts";
import { canonicalDetails } from "../../../src/domain/details.ts";
import { sealDetails } from "../../../src/features/remittance/sealed-details.ts";
import { nothingWatched } from "../../../src/features/remittance/watched.ts";
import type { SettledCredit, WalletConnector } from "../../../src/features/wallet/connector.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import type { Database } from "../../../src/kernel/store/database.ts";
import { insertProviderQuotes } from "../../../src/features/pricing/store/provider-quotes.ts";
import { createSealer } from "../../../src/kernel/store/sealer.ts";
import { insertTransfers, type NewTransfer } from "../../../src/features/remittance/store/transfers.ts";
import { FEE_BPS } from "../../support/batches.ts";
import { makeQuote, openable } from "../../support/transfers.ts";
import { ALIPAY_HK, fundedLedger, HKD_TO_PHP, networkHelpers, PROVIDER } from "./chain.ts";

/** The clock of the world outside of the ledger, which tests move on. */
export interface TestClock extends Clock {
  advance(durationMs: number): void;
}

/** A wallet in memory: credits whoever it is asked to, each UETR once. */
export interface TestWallet extends WalletConnector {
  readonly credits: ReadonlyMap<Uetr, SettledCredit>;
  /** How often it was asked to credit, repetitions included. */
  readonly creditCalls: number;
}

/** A relay of one process, with its ledger in the same one, and everybody else in memory. */
export interface TestRelay extends RelayContext {
  readonly sandbox: Sandbox;
  readonly clock: TestClock;
  readonly wallet: TestWallet;
  /** Steps that were woken, in order; empty it to look at what comes. */
  readonly woken: StepName[];
  /** The process dies at a checkpoint: the first time that it gets there, or the nth. */
  killAt(name: string, nth?: number): void;
}

export interface TestRelayOptions extends Partial<Omit<RelayContext, "settings" | "clock" | "wallet">> {
  readonly db: Database;
  /** ALIPAY_HK unless given. */
  readonly partner?: PartnerId;
  /** A ledger to share with another relay; a fresh and funded one unless given. */
  readonly sandbox?: Sandbox;
  readonly settings?: Partial<RelaySettings>;
  /** One that runs with the machine's, unless given. */
  readonly clock?: TestClock;
}

/** What a test's process dies of. */
export class Killed extends Error {
  /** So that nothing is written down of it: a process that is dead writes nothing. */
  readonly fatal = true;
}

/** As an operator has them who configures nothing that may be left out. */
export const DEFAULTS: RelaySettings = defaultSettings();

export const SETTINGS: RelaySettings = {
  ...DEFAULTS,
  batch: { maxTransfers: 10, maxDelayMs: 0, holdSeconds: 300 },
  quote: { ...DEFAULTS.quote, validitySeconds: 120, leastValiditySeconds: 20 },
  transfers: { validitySeconds: 600 },
  // What runs one step after the other looks at two steps, unless it says otherwise.
  oneStep: { ...DEFAULTS.oneStep, enabled: false },
  ledger: { pollIntervalMs: 20, confirmations: 0, maxBlockRange: 500, fromBlock: 0 },
  webhooks: { ...DEFAULTS.webhooks, maxAttempts: 3, timeoutMs: 1_000 },
  retry: { firstDelayMs: 100, maxDelayMs: 5_000 },
};

function defaultSettings(): RelaySettings {
  const key = { keystore: "k" };
  const least = {
    partner: 1,
    ledger: { rpcUrls: ["http://127.0.0.1:1"], addresses: {} },
    keys: { send: key, accept: key, transactions: key },
    peer: { keys: "k" },
    wallet: { url: "http://127.0.0.1:1" },
  };
  const { ledger, retry, clock, ...config } = parseConfigFile(JSON.stringify(least));
  return { ...settingsOf(FEATURES, config), ledger, retry, clock };
}

/** A context for steps, intake and reconciliation; two with one `sandbox` are two relays of one network. */
export async function testRelay(options: TestRelayOptions): Promise<TestRelay> {
  const { partner = ALIPAY_HK, db, settings, sandbox: shared, checkpoint, clock = testClock(), ...given } = options;
  const sandbox = shared ?? (await fundedLedger());
  // The snapshot that a test begins from may be minutes old: its latest block is to be of now.
  if (shared === undefined) await networkHelpers.mine();
  const operator = { kind: "operator", partner } as const;
  const key = keyInMemory(sandbox.keys.walletOf(operator).privateKey);
  const random = createRandom(`relay ${partner}`);
  const woken: StepName[] = [];
  const wake = createWake<StepName>();
  wake.onWake((step) => woken.push(step));
  const kills = new Map<string, number>();
  const { reconcilers, erasers } = await compose(FEATURES);
  return {
    partner,
    db,
    settings: { ...SETTINGS, ...settings },
    sandbox,
    ledger: sandbox.ledger,
    watched: nothingWatched(),
    registry: openRegistry(sandbox.ledger, { clock, fromBlock: 0, maxBlockRange: 500, timeToLiveMs: 0, onError: fail }),
    sealer: createSealer({ current: random.bytes(32) }),
    submitter: await sandbox.submitterOf(operator),
    keys: { send: key, accept: key },
    peerKeys: generatePeerKeys(),
    peers: { find: () => Promise.resolve(undefined) },
    outside: createOutside(networks(["127.0.0.0/8"])),
    wallet: testWallet(),
    providers: { quotes: () => Promise.resolve([]) },
    clock,
    clockSkew: UNTOLD,
    drawBytes: (length) => random.bytes(length),
    log: silentLogger,
    metrics: createMetrics({ partner }, metricsOf(FEATURES)),
    problems: problemsOf(FEATURES),
    tracer: noTracer,
    reconcilers,
    erasers,
    wake,
    woken,
    ...given,
    checkpoint(name) {
      checkpoint?.(name);
      const left = kills.get(name);
      if (left === undefined) return;
      kills.set(name, left - 1);
      if (left > 1) return;
      kills.delete(name);
      throw new Killed(name);
    },
    killAt: (name, nth = 1) => void kills.set(name, nth),
  };
}

/** Runs a step until it says that there is no more to do. */
export async function run(context: RelayContext, step: Step): Promise<void> {
  for (let passes = 0; passes < 100; passes++) {
    if (!(await step(context))) return;
  }
  throw new Error("a step always has more to do");
}

/** Lets so much time pass at the least on the ledger, which makes a block, and outside of it: it is the same on both then. */
export async function passTime({ clock }: TestRelay, seconds: number): Promise<void> {
  const nowSeconds = Math.max(await networkHelpers.time.latest(), Math.ceil(clock.nowMs() / 1_000));
  await networkHelpers.time.increaseTo(nowSeconds + seconds);
  clock.advance((nowSeconds + seconds) * 1_000 - clock.nowMs());
}

/** A quote that the provider has signed for this relay's partner, in its store. */
export async function standingQuote(
  { partner, sandbox, ledger, db, clock }: TestRelay,
  overrides: Partial<Quote> = {},
  corridor: Corridor = HKD_TO_PHP,
): Promise<{ readonly id: `0x${string}`; readonly quote: Quote }> {
  const validUntil = (await networkHelpers.time.latest()) + 3_600;
  const quote = makeQuote(corridor, { validUntil, taker: partner, ...overrides });
  const id = quoteId(quote, ledger.chain);
  const authorization = await signQuote(
    sandbox.keys.walletOf({ kind: "operator", partner: PROVIDER }),
    ledger.chain,
    quote,
  );
  const { sourceCurrency, targetCurrency } = corridor;
  await insertProviderQuotes(db, [{ id, quote, authorization, sourceCurrency, targetCurrency }], clock.nowMs());
  return { id, quote };
}

export interface Accepting {
  readonly corridor?: Corridor;
  /** What they were priced on; needed where currencies differ. */
  readonly quote?: { readonly id: `0x${string}`; readonly quote: Quote };
  readonly ifUnfunded?: "wait" | "fail";
  /** Source minor units of each; different ones unless given. */
  readonly amount?: bigint;
  /** How long they wait at most; ten minutes unless given. */
  readonly validityMs?: number;
  /** Which attempts they try again, in their order. */
  readonly retriesOf?: readonly Uetr[];
}

/** Transfers as the API has taken them in. */
export async function acceptTransfers(
  relay: TestRelay,
  count: number,
  { corridor = HKD_TO_PHP, quote, ifUnfunded = "fail", amount, validityMs = 600_000, retriesOf = [] }: Accepting = {},
): Promise<readonly NewTransfer[]> {
  const { db, sealer, clock, drawBytes } = relay;
  const transfers = Array.from({ length: count }, (_, index): NewTransfer => {
    const uetr = uetrFromRandom(drawBytes(16));
    const sourceAmount = amount ?? 10_000n + BigInt(index * 1_234);
    const isSame = isSameCurrency(corridor);
    if (!isSame && quote === undefined) throw new RangeError("a corridor between currencies needs a quote");
    const targetAmount = quote === undefined ? sourceAmount : convertDown(sourceAmount, quoteRate(quote.quote));
    const { details, salt, ...transfer } = openable({ uetr, sourceAmount, targetAmount }, toHex(drawBytes(32)));
    return {
      ...transfer,
      contentMac: drawBytes(36),
      target: corridor.target,
      sourceCurrency: corridor.sourceCurrency,
      targetCurrency: corridor.targetCurrency,
      fee: networkFeeUp(sourceAmount, FEE_BPS),
      providerQuote: quote?.id,
      sealed: sealDetails(sealer, uetr, { canonical: canonicalDetails(details), salt }),
      ifUnfunded,
      acceptedAt: clock.nowMs(),
      expiresAt: clock.nowMs() + validityMs,
      retryOf: retriesOf[index],
    };
  });
  const stored = await insertTransfers(db, transfers);
  if (stored === "tried again") throw new Error("one of them tries again what was tried again already");
  if (stored === "used up") throw new Error("the quote has too little capacity for the test's transfers");
  return transfers;
}

/** Nobody tells whether the clock is right. */
const UNTOLD: ClockSkew = {
  observe: () => Promise.resolve(),
  heard: () => undefined,
  now: () => ({ aheadMs: undefined, by: undefined, isBeyond: false }),
};

function fail(error: unknown): never {
  throw error;
}

/** @param standsAtMs where nothing but `advance` and sleeping makes time pass; it runs with the machine's unless given */
export function testClock(standsAtMs?: number): TestClock {
  let offsetMs = 0;
  return {
    nowMs: () => (standsAtMs ?? Date.now()) + offsetMs,
    sleep(durationMs) {
      offsetMs += durationMs;
      return Promise.resolve();
    },
    advance: (durationMs) => void (offsetMs += durationMs),
  };
}

function testWallet(): TestWallet {
  const credits = new Map<Uetr, SettledCredit>();
  let creditCalls = 0;
  return {
    mostCredits: 100,
    credits,
    get creditCalls() {
      return creditCalls;
    },
    billers: () => Promise.resolve([]),
    findBill: () => Promise.resolve(undefined),
    lookup: () => Promise.resolve({ found: true, name: "Maria Dela Cruz" }),
    check: (asked) => Promise.resolve(asked.map(({ uetr }) => ({ uetr, accept: true }))),
    credit(asked) {
      creditCalls++;
      for (const credit of asked) credits.set(credit.uetr, credits.get(credit.uetr) ?? credit);
      const answers = asked.map(({ uetr }) => ({
        uetr,
        status: "credited" as const,
        reference: `R-${uetr}`,
        creditedAtMs: 1,
      }));
      return Promise.resolve(answers);
    },
  };
}
