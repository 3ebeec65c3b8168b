import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import type { ServerOptions } from "../../../src/kernel/http/context.ts";
import { createServer } from "../../../src/kernel/http/server.ts";
import { compose, metricsOf, problemsOf } from "../../../src/app/composition.ts";
import { FEATURES } from "../../../src/app/features.ts";
import type { Scope } from "../../../src/schema/operator.ts";
import type { SubmitRequest } from "../../../src/schema/transfers.ts";
import { corridorKey, type Corridor, type CorridorTerms } from "../../../src/domain/corridor.ts";
import { currencyByNumeric, parseCurrency } from "../../../src/domain/currency.ts";
import { bytesOf } from "../../../src/kernel/store/values.ts";
import type { Hex } from "../../../src/domain/bytes/hex.ts";
import { parsePartnerId, type PartnerId } from "../../../src/domain/partner.ts";
import { quoteId, type Quote } from "../../../src/domain/quote.ts";
import { uetrFromRandom } from "../../../src/domain/uetr.ts";
import { KEY_PURPOSES, type PartnerRole } from "../../../src/ledger/deployment/config.ts";
import type { Registry, RegistryView } from "../../../src/ledger/registry.ts";
import { noCheckpoint } from "../../../src/kernel/steps/checkpoint.ts";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { silentLogger } from "../../../src/kernel/telemetry/logger.ts";
import { createWake } from "../../../src/kernel/steps/loop.ts";
import { createMetrics } from "../../../src/kernel/telemetry/metrics.ts";
import { noTracer } from "../../../src/kernel/telemetry/tracing.ts";
import { issueApiKey } from "../../../src/kernel/access/api-keys.ts";
import type { RelayContext, RelaySettings } from "../../../src/features/context.ts";
import type { StepName } from "../../../src/kernel/steps/step.ts";
import type { Offer, OfferNeed, ProviderClient } from "../../../src/features/pricing/provider-client.ts";
import type { Database, Queryable } from "../../../src/kernel/store/database.ts";
import { keyInMemory } from "../../../src/ledger/keys/signing-key.ts";
import { DEFAULTS } from "./relay-context.ts";
import { createSealer } from "../../../src/kernel/store/sealer.ts";

const [hkd, php, idr] = [parseCurrency("HKD").code, parseCurrency("PHP").code, parseCurrency("IDR").code];
const [HUB, DANA] = [parsePartnerId(1), parsePartnerId(6)];
export const [GCASH, ALIPAY_HK] = [parsePartnerId(4), parsePartnerId(7)];
export const TO_PHP: Corridor = { source: ALIPAY_HK, sourceCurrency: hkd, target: GCASH, targetCurrency: php };
const TO_HKD: Corridor = { source: ALIPAY_HK, sourceCurrency: hkd, target: HUB, targetCurrency: hkd };
const TO_IDR: Corridor = { source: ALIPAY_HK, sourceCurrency: hkd, target: DANA, targetCurrency: idr };
const OPEN: CorridorTerms = { open: true, feeBps: 5n, maxPerBatch: 10n ** 9n, maxPerDay: 10n ** 10n };

const PROVIDERS = [11, 12].map((id) => parsePartnerId(id));
/** With which any of them accepts, and signs requests. */
export const ACCEPT = keyInMemory(`0x${"33".repeat(32)}`);
const QUOTE_KEY = `0x${"22".repeat(20)}` as const;

/** The network as its registry would have it; tests change its corridors. */
export function fakeRegistry(): Registry & { readonly terms: Map<string, CorridorTerms> } {
  const corridors = [TO_PHP, TO_HKD, TO_IDR];
  const terms = new Map(corridors.map((corridor) => [corridorKey(corridor), OPEN]));
  terms.set(corridorKey(TO_IDR), { ...OPEN, open: false });
  const partner = (id: PartnerId, homeCurrency: string, role: PartnerRole = "wallet") =>
    ({
      id,
      country: "XX",
      homeCurrency: parseCurrency(homeCurrency).code,
      roles: [role],
      status: "active",
      url: "",
      keys: new Map([
        [QUOTE_KEY, { purposes: KEY_PURPOSES.quote, validUntil: 2 ** 40 }],
        [ACCEPT.address, { purposes: KEY_PURPOSES.accept, validUntil: 2 ** 40 }],
      ]),
    }) as const;
  const wallets = [partner(HUB, "HKD"), partner(GCASH, "PHP"), partner(DANA, "IDR"), partner(ALIPAY_HK, "HKD")];
  const partners = [...wallets, ...PROVIDERS.map((id) => partner(id, "USD", "liquidityProvider"))];
  const view = (): RegistryView => ({
    partners: new Map(partners.map((one) => [one.id, one])),
    corridors: new Map(
      corridors.map((corridor) => [
        corridorKey(corridor),
        { corridor, terms: terms.get(corridorKey(corridor)) ?? OPEN },
      ]),
    ),
    block: 1,
  });
  return { terms, read: () => Promise.resolve(view()), refresh: () => Promise.resolve(view()) };
}

const CHAIN = {
  chainId: 31_337n,
  transferRegistry: `0x${"11".repeat(20)}`,
  quoteBook: `0x${"12".repeat(20)}`,
} as const;

/** Providers that sell at a rate each; how much of it, and whether they answer at all, tests decide. */
export interface FakeProviders extends ProviderClient {
  /** Target minor units per 1000 source minor units, by provider. */
  rates: Map<number, bigint>;
  capacity: bigint;
  validSeconds: number;
  readonly asked: OfferNeed[];
}

/** @param keyOf which key has signed a provider's quotes; the fake registry's unless given */
export function fakeProviders(keyOf: (provider: PartnerId) => Hex = () => QUOTE_KEY): FakeProviders {
  let nonce = BigInt(`0x${randomBytes(6).toString("hex")}`);
  const providers: FakeProviders = {
    rates: new Map([
      [11, 7_250n],
      [12, 7_281n],
    ]),
    capacity: 10n ** 12n,
    validSeconds: 600,
    asked: [],
    quotes(need) {
      providers.asked.push(need);
      const now = Math.floor(Date.now() / 1_000);
      const offers = [...providers.rates].map(([provider, rate]): Offer => {
        const quote: Quote = {
          provider: parsePartnerId(provider),
          taker: need.source,
          sourceCurrency: need.sourceCurrency,
          targetCurrency: need.targetCurrency,
          rateNumerator: rate,
          rateDenominator: 1_000n,
          capacity: providers.capacity,
          validUntil: now + providers.validSeconds,
          maxHold: 900,
          nonce: nonce++,
        };
        const authorization = { key: keyOf(parsePartnerId(provider)), signature: "0x00" } as const;
        return { id: quoteId(quote, CHAIN), quote, authorization };
      });
      return Promise.resolve(offers);
    },
  };
  return providers;
}

const SETTINGS: RelaySettings = {
  ...DEFAULTS,
  batch: { maxTransfers: 500, maxDelayMs: 50, holdSeconds: 300 },
  quote: { ...DEFAULTS.quote, validitySeconds: 60, leastValiditySeconds: 30 },
  transfers: { validitySeconds: 600 },
  ledger: { pollIntervalMs: 50, confirmations: 0, maxBlockRange: 1_000, fromBlock: 0 },
  webhooks: { ...DEFAULTS.webhooks, maxAttempts: 5, timeoutMs: 1_000 },
  retry: { firstDelayMs: 10, maxDelayMs: 100 },
  liquidity: { lowWater: { HKD: 1_000n } },
  registry: { ...DEFAULTS.registry, names: { "4": "GCash" } },
};

/** A relay as far as its API needs one: a real database, and a network of names. */
export interface ApiRelay {
  readonly context: RelayContext;
  readonly app: FastifyInstance;
  readonly registry: ReturnType<typeof fakeRegistry>;
  readonly providers: FakeProviders;
  /** A new key as the header has it. */
  key(scopes: readonly Scope[], more?: { rateLimit?: number; expiresAt?: number }): Promise<{ authorization: string }>;
  close(): Promise<void>;
}

export interface ApiRelayOptions {
  readonly context?: Partial<RelayContext>;
  readonly extras?: Partial<ServerOptions>;
  readonly dataKey?: Uint8Array;
}

const DATA_KEY = new Uint8Array(32).fill(7);

/** @param db migrated; stays open when the relay is closed */
export async function apiRelay(
  db: Database,
  { context: given, extras, dataKey }: ApiRelayOptions = {},
): Promise<ApiRelay> {
  const registry = fakeRegistry();
  const providers = fakeProviders();
  const composition = await compose(FEATURES);
  const context = {
    partner: ALIPAY_HK,
    settings: SETTINGS,
    db,
    sealer: createSealer({ current: dataKey ?? DATA_KEY }),
    registry,
    providers,
    ledger: ledgerAsRead(db),
    clock: systemClock,
    clockSkew: { now: () => ({ aheadMs: undefined, by: undefined, isBeyond: false }) },
    drawBytes: (length: number) => new Uint8Array(randomBytes(length)),
    log: silentLogger,
    metrics: createMetrics({ partner: ALIPAY_HK }, metricsOf(FEATURES)),
    problems: problemsOf(FEATURES),
    erasers: composition.erasers,
    tracer: noTracer,
    checkpoint: noCheckpoint,
    wake: createWake<StepName>(),
    wallet: { lookup: () => Promise.resolve({ found: false, reason: "BE23" }) },
    ...given,
    // The API does not touch the rest: keys, submitter, peers' keys.
  } as unknown as RelayContext;
  const readiness = () => Promise.resolve({ ready: true, reasons: [] });
  const app = await createServer(context, {
    ...composition.served(context),
    readiness,
    failuresPerMinute: 1_000,
    ...extras,
  });
  return {
    context,
    app,
    registry,
    providers,
    async key(scopes, more = {}) {
      const { text } = await issueApiKey(context, { label: "test", scopes, rateLimit: 1_000_000, ...more });
      return { authorization: `Bearer ${text}` };
    },
    close: () => app.close(),
  };
}

/** A relay with a key of a wallet's, and with more money on the ledger than any test sends. */
export interface FundedRelay {
  readonly relay: ApiRelay;
  readonly headers: { readonly authorization: string };
}

/** @param scopes what the key may do */
export async function fundedRelay(
  db: Database,
  scopes: readonly Scope[],
  options?: ApiRelayOptions,
): Promise<FundedRelay> {
  const relay = await apiRelay(db, options);
  const headers = await relay.key(scopes);
  await setBalance(db, "HKD", 10n ** 14n);
  return { relay, headers };
}

export function submitTo({ app }: ApiRelay, headers: { readonly authorization: string }, payload: SubmitRequest) {
  return app.inject({ method: "POST", url: "/v1/transfers", headers, payload });
}

/** The problem without what names the request. */
export function problemOf(answer: { json(): object }): object {
  return { ...answer.json(), instance: undefined };
}

const TREASURY: Hex = `0x${"7e".repeat(20)}`;

/** A ledger that says of the partner's money what has been read of it. */
function ledgerAsRead(db: Database): unknown {
  const hash = `0x${"0".repeat(64)}`;
  const block = { number: 1, hash, parentHash: hash, timestamp: 1 };
  return {
    addresses: { treasury: TREASURY },
    provider: { getBlock: () => Promise.resolve(block) },
    treasury: {
      async balanceOf(partner: number, currency: number) {
        if (partner !== ALIPAY_HK) return { available: 10n ** 18n, held: 0n };
        const { code } = currencyByNumeric(currency);
        const [row] = await db.query<{ available: bigint }>("SELECT available FROM balances WHERE currency = $1", [
          code,
        ]);
        return { available: row?.available ?? 0n, held: 0n };
      },
    },
  };
}

/** As the watcher would have read it: the partner has this much. */
export async function setBalance(
  db: Database,
  currency: string,
  available: bigint,
  treasury = TREASURY,
): Promise<void> {
  await db.query(
    `INSERT INTO balances (treasury, currency, available, held, block) VALUES ($3, $1, $2, 0, 1)
     ON CONFLICT (treasury, currency) DO UPDATE SET available = excluded.available`,
    [currency, available, bytesOf(treasury)],
  );
}

export function newUetr(): string {
  return uetrFromRandom(new Uint8Array(randomBytes(16)));
}

/** A submission of HKD 1,500.00 that nothing is wrong with. */
export function submission(more: Partial<SubmitRequest> = {}): SubmitRequest {
  return {
    uetr: newUetr(),
    target: GCASH,
    amount: { send: { currency: "HKD", minor: "150000" } },
    debtor: { name: "Chan Tai Man", nameLocal: "陳大文", alias: { type: "MSISDN", value: "+85291234567" } },
    creditor: { name: "Maria Dela Cruz", alias: { type: "MSISDN", value: "+639171234567" } },
    purpose: "FAMI",
    ...more,
  };
}

/** Where a relay listens that has been told to. */
export function originOf(app: FastifyInstance): string {
  // Listening on TCP, so the address is not a path.
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

/** How many transfers a store has. */
export async function storedCount(db: Queryable): Promise<number> {
  const [row] = await db.query<{ count: number }>("SELECT count(*)::integer AS count FROM transfers");
  return row?.count ?? -1;
}
