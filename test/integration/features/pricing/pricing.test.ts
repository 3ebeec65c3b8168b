import type { Authorization } from "../../../../src/domain/typed-data.ts";
import { createServer, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setImmediate as immediate } from "node:timers/promises";
import { expect } from "chai";
import { corridorKey } from "../../../../src/domain/corridor.ts";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import type { Quote } from "../../../../src/domain/quote.ts";
import { toJson } from "../../../../src/domain/wire.ts";
import { encodeCall } from "../../../../src/ledger/calls.ts";
import { holdsKey, openRegistry, type Registry } from "../../../../src/ledger/registry.ts";
import { signQuote } from "../../../../src/ledger/signing.ts";
import { createPricer, type Price } from "../../../../src/features/pricing/quotes.ts";
import { httpProviders } from "../../../../src/features/pricing/provider-client.ts";
import { pricingStep } from "../../../../src/features/pricing/pricing.ts";
import { fund } from "../../../../sandbox/funding.ts";
import type { Sandbox } from "../../../../sandbox/sandbox.ts";
import { makeQuote } from "../../../support/transfers.ts";
import {
  ALIPAY_HK,
  fundedLedger,
  GCASH,
  HKD_TO_HKD,
  HKD_TO_PHP,
  networkHelpers,
  PROVIDER,
} from "../../support/chain.ts";
import { describeOn } from "../../support/databases.ts";
import { SETTINGS, testRelay, type TestRelay } from "../../support/relay-context.ts";

const SECOND = parsePartnerId(12);
const NO_KEY = `0x${"00".repeat(32)}`;

interface Asked {
  readonly taker: number;
  readonly sourceTotalMinor: string;
}

describe("the network's registry and providers", function () {
  let sandbox: Sandbox;
  let registry: Registry;
  let server: Server;
  /** What each provider answers, by its path. */
  const desks = new Map<string, (asked: Asked, response: ServerResponse) => void | Promise<void>>();

  beforeEach(async () => {
    sandbox = await fundedLedger();
    const fail = (error: unknown) => {
      throw error;
    };
    const options = { fromBlock: 0, maxBlockRange: 7, timeToLiveMs: 0, onError: fail };
    registry = openRegistry(sandbox.ledger, {
      ...options,
      clock: { nowMs: () => Date.now(), sleep: () => Promise.resolve() },
    });
    server = createServer((request, response) => {
      void text(request).then(async (body) => desks.get(request.url ?? "")?.(JSON.parse(body) as Asked, response));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(() => {
    desks.clear();
    server.closeAllConnections();
    server.close();
  });

  async function asAdmin(partner: typeof PROVIDER, name: string, args: readonly unknown[]): Promise<void> {
    const admin = await sandbox.submitterOf({ kind: "admin", partner });
    await admin.submit(
      encodeCall("partnerRegistry", sandbox.ledger.addresses.partnerRegistry, name, [partner, ...args]),
    );
  }

  async function setDesk(partner: typeof PROVIDER): Promise<string> {
    // Listening on TCP, so the address is not a path.
    const { port } = server.address() as AddressInfo;
    const endpoint = { url: `http://127.0.0.1:${port}/${partner}`, signingKey: NO_KEY, encryptionKey: NO_KEY };
    await asAdmin(partner, "setEndpoint", [endpoint]);
    return `/${partner}/quotes`;
  }

  async function signed(
    quote: Quote,
    by = quote.provider === SECOND ? SECOND : PROVIDER,
  ): Promise<{ quote: object; signature: Authorization }> {
    const key = sandbox.keys.walletOf({ kind: "operator", partner: by });
    return { quote: toJson(quote), signature: await signQuote(key, sandbox.ledger.chain, quote) };
  }

  async function offerOf(provider: typeof PROVIDER, more: Partial<Quote> = {}): Promise<Quote> {
    return {
      ...makeQuote(HKD_TO_PHP, { validUntil: (await networkHelpers.time.latest()) + 3_600 }),
      provider,
      taker: ALIPAY_HK,
      ...more,
    };
  }

  it("reads who is there and what is open, and follows what changes", async () => {
    const { partners, corridors } = await registry.refresh();
    expect([...partners.keys()].sort((left, right) => left - right)).to.deep.equal([1, 4, 7, 11, 12]);
    expect(partners.get(GCASH)).to.deep.include({
      country: "PH",
      homeCurrency: "PHP",
      roles: ["wallet"],
      status: "active",
    });
    expect(partners.get(PROVIDER)?.roles).to.deep.equal(["liquidityProvider"]);
    expect(corridors.get(corridorKey(HKD_TO_PHP))?.terms).to.deep.equal({
      ...{ open: true, feeBps: 5n, maxPerBatch: 10n ** 9n, maxPerDay: 10n ** 10n },
    });
    const key = sandbox.keys.addressOf({ kind: "operator", partner: PROVIDER });
    const provider = (view: Awaited<ReturnType<Registry["read"]>>) => {
      const found = view.partners.get(PROVIDER);
      if (found === undefined) throw new Error("the provider is registered");
      return found;
    };
    expect(holdsKey(provider({ partners, corridors, block: 0 }), key, "quote", 1)).to.equal(true);
    expect(holdsKey(provider({ partners, corridors, block: 0 }), key, "accept", 1)).to.equal(false);

    await asAdmin(PROVIDER, "revokeKey", [key]);
    const guardian = await sandbox.submitterOf({ kind: "guardian" });
    const address = sandbox.ledger.addresses.partnerRegistry;
    await guardian.submit(encodeCall("partnerRegistry", address, "suspend", [GCASH]));
    const { corridorId } = await import("../../../../src/domain/corridor.ts");
    await guardian.submit(
      encodeCall("corridorBook", sandbox.ledger.addresses.corridorBook, "closeCorridor", [corridorId(HKD_TO_HKD)]),
    );
    const after = await registry.refresh();
    expect(holdsKey(provider(after), key, "quote", 1)).to.equal(false);
    expect(after.partners.get(GCASH)?.status).to.equal("suspended");
    expect(after.corridors.get(corridorKey(HKD_TO_HKD))?.terms.open).to.equal(false);
    expect(after.corridors.get(corridorKey(HKD_TO_PHP))?.terms.open).to.equal(true);
  });

  it("answers with what it knows while the ledger is away, and does not wait for it", async () => {
    await registry.refresh();
    const errors: unknown[] = [];
    let away = false;
    const provider = {
      getBlockNumber: () => (away ? Promise.reject(new Error("away")) : sandbox.ledger.provider.getBlockNumber()),
      getLogs: sandbox.ledger.provider.getLogs.bind(sandbox.ledger.provider),
    };
    const ledger = Object.assign(Object.create(sandbox.ledger) as typeof sandbox.ledger, { provider });
    const clock = { nowMs: () => Date.now(), sleep: () => Promise.resolve() };
    const options = { clock, fromBlock: 0, maxBlockRange: 500, timeToLiveMs: 0 };
    const own = openRegistry(ledger, { ...options, onError: (error) => errors.push(error) });
    const before = await own.read();
    away = true;
    expect((await own.read()).partners).to.deep.equal(before.partners);
    await immediate();
    expect(errors).to.have.length(1);
  });

  describeOn("PGlite", "asking the providers", (open) => {
    let relay: TestRelay;

    beforeEach(async () => {
      relay = await testRelay({ db: await open(), sandbox, registry });
      const { ledger, outside, clock, log, metrics, tracer } = relay;
      const options = { ledger, registry, outside, clock, timeoutMs: 2_000, holdSeconds: 300, log, metrics, tracer };
      const providers = httpProviders(options);
      relay = { ...relay, providers };
    });

    const need = { source: ALIPAY_HK, sourceCurrency: 344, targetCurrency: 608, sourceTotal: 1_000n, targetTotal: 0n };
    const json = (response: ServerResponse, body: object) => response.end(JSON.stringify(body));

    it("takes no quote that is to stand forever", async () => {
      desks.set(await setDesk(PROVIDER), async (_given, response) => {
        json(response, await signed(await offerOf(PROVIDER, { validUntil: 2 ** 48 - 1 })));
      });
      await registry.refresh();
      expect(await relay.providers.quotes(need)).to.deep.equal([]);
    });

    it("takes signed quotes of all who answer, for this partner alone", async () => {
      const asked: Asked[] = [];
      for (const provider of [PROVIDER, SECOND]) {
        desks.set(await setDesk(provider), async (given, response) => {
          asked.push(given);
          json(response, await signed(await offerOf(provider)));
        });
      }
      await registry.refresh();
      const offers = await relay.providers.quotes(need);
      expect(offers.map(({ quote }) => quote.provider)).to.have.members([PROVIDER, SECOND]);
      expect(asked[0]).to.deep.include({
        taker: ALIPAY_HK,
        sourceCurrency: "HKD",
        targetCurrency: "PHP",
        sourceTotalMinor: "1000",
      });
    });

    it("leaves out whoever is late, fails, or offers what the ledger would refuse", async () => {
      const good = await signed(await offerOf(SECOND));
      desks.set(await setDesk(SECOND), (_, response) => void json(response, good));
      const path = await setDesk(PROVIDER);
      await registry.refresh();
      const quote = await offerOf(PROVIDER);
      const courier = sandbox.keys.walletOf({ kind: "courier" });
      const forged = { quote: toJson(quote), signature: await signQuote(courier, sandbox.ledger.chain, quote) };
      const right = await signed(quote);
      const bad: (object | string | undefined)[] = [
        undefined,
        "{",
        {},
        "x".repeat(100_000),
        forged,
        { ...right, signature: { ...right.signature, signature: forged.signature.signature } },
        { ...right, quote: toJson({ ...quote, capacity: quote.capacity + 1n }) },
        await signed(await offerOf(PROVIDER, { taker: 0 })),
        await signed(await offerOf(PROVIDER, { taker: GCASH })),
        await signed(await offerOf(PROVIDER, { targetCurrency: 156 })),
        await signed(await offerOf(PROVIDER, { rateDenominator: 0n })),
        await signed(await offerOf(PROVIDER, { capacity: 0n })),
        await signed(await offerOf(SECOND), SECOND),
      ];
      for (const answer of bad) {
        desks.set(path, (_, response) => {
          if (answer !== undefined) response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
        });
        const offers = await relay.providers.quotes(need);
        expect(
          offers.map(({ quote: { provider } }) => provider),
          answer === undefined ? "silence" : JSON.stringify(answer).slice(0, 200),
        ).to.deep.equal([SECOND]);
      }
      desks.set(path, (_, response) => void response.writeHead(500).end());
      expect(await relay.providers.quotes(need)).to.have.length(1);
      desks.set(path, (_, response) => void json(response, right));
      expect(await relay.providers.quotes(need)).to.have.length(2);
    });

    it("prices on the best of several, both ways, and exactly as the ledger will judge", async () => {
      // Reserves are attested once a second at most.
      await networkHelpers.time.increase(1);
      await fund(sandbox, [{ partner: SECOND, currency: HKD_TO_PHP.targetCurrency, amountMinor: 10n ** 9n }]);
      const rates = new Map([
        [PROVIDER, 7_249n],
        [SECOND, 7_251n],
      ]);
      for (const [provider, rateNumerator] of rates) {
        const quote = await offerOf(provider, { rateNumerator, rateDenominator: 1_000n, capacity: 100_000n });
        desks.set(await setDesk(provider), async (_, response) => void json(response, await signed(quote)));
      }
      const { corridors } = await registry.refresh();
      const corridor = corridors.get(corridorKey(HKD_TO_PHP));
      if (corridor === undefined) throw new Error("the corridor is open");
      const pricer = createPricer(relay);
      const price = async (fixed: "source" | "target", minor: bigint) => {
        const [priced] = await pricer.price(corridor, [{ kind: "asked", asked: { fixed, minor } }]);
        return priced as Price; // asserted by its members below
      };
      expect(await price("source", 1_001n)).to.deep.include({ sourceAmount: 1_001n, targetAmount: 7_258n, fee: 1n });
      const received = await price("target", 7_258n);
      expect(received).to.deep.include({ sourceAmount: 1_001n, targetAmount: 7_258n });
      expect(received.drawn?.quote.provider).to.equal(SECOND);
      // One unit less sent would buy less.
      expect((received.sourceAmount - 1n) * 7_251n < 7_258n * 1_000n).to.equal(true);
      const several = await pricer.price(
        corridor,
        Array.from({ length: 20 }, () => ({ kind: "asked", asked: { fixed: "target", minor: 10_000n } }) as const),
      );
      const sellers = several.map((one) => (one.kind === "priced" ? one.drawn?.quote.provider : one.code));
      expect(sellers).to.deep.equal([...Array<number>(10).fill(SECOND), ...Array<number>(10).fill(PROVIDER)]);
    });

    it("keeps a quote standing, and asks anew before it ends or is used up", async () => {
      let asked = 0;
      desks.set(await setDesk(PROVIDER), async (_, response) => {
        asked += 1;
        json(response, await signed(await offerOf(PROVIDER, { nonce: BigInt(asked), validUntil: validUntil() })));
      });
      const validUntil = () => Math.floor(relay.clock.nowMs() / 1_000) + 600;
      await registry.refresh();
      await pricingStep(relay);
      expect(asked).to.equal(1);
      await pricingStep(relay);
      expect(asked).to.equal(1);
      await relay.db.query("UPDATE provider_quotes SET reserved = capacity - capacity / 10");
      relay.clock.advance(10_000);
      await pricingStep(relay);
      expect(asked).to.equal(2);
      relay.clock.advance((600 - 2 * SETTINGS.quote.leastValiditySeconds) * 1_000);
      await pricingStep(relay);
      expect(asked).to.equal(3);
    });
  });
});
