import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { submitRequestSchema } from "../../../../src/schema/transfers.ts";
import { parsePartnerId, type PartnerId } from "../../../../src/domain/partner.ts";
import type { Quote } from "../../../../src/domain/quote.ts";
import { toJson } from "../../../../src/domain/wire.ts";
import { encodeCall } from "../../../../src/ledger/calls.ts";
import { signQuote } from "../../../../src/ledger/signing.ts";
import { createIntake, type Intake, type Submission } from "../../../../src/features/remittance/intake/intake.ts";
import { recordProviderFailure } from "../../../../src/features/pricing/failures.ts";
import { pricingStep } from "../../../../src/features/pricing/pricing.ts";
import { httpProviders } from "../../../../src/features/pricing/provider-client.ts";
import { reconcile } from "../../../../src/features/reconciliation/reconciler.ts";
import { batcherStep } from "../../../../src/features/remittance/steps/batcher.ts";
import { openerStep } from "../../../../src/features/remittance/steps/opener.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { fund } from "../../../../sandbox/funding.ts";
import type { Sandbox } from "../../../../sandbox/sandbox.ts";
import { eventsAfter } from "../../../../src/kernel/store/events.ts";
import { providersPassedOver } from "../../../../src/features/pricing/store/providers.ts";
import { findTransfer } from "../../../../src/features/remittance/store/transfers.ts";
import { parseUetr } from "../../../../src/domain/uetr.ts";
import { submission } from "../../support/api.ts";
import { makeQuote } from "../../../support/transfers.ts";
import { ALIPAY_HK, FUNDS, fundedLedger, HKD_TO_PHP, networkHelpers, PROVIDER } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { passTime, run, SETTINGS, testRelay, type TestRelay } from "../../support/relay-context.ts";

/** Sells at the better price. Whether it delivers, tests decide. */
const CHEAP = parsePartnerId(12);
const HONEST = PROVIDER;
const [php, numericPhp] = [HKD_TO_PHP.targetCurrency, 608];

/** What providers have is read anew by then, however slow the machine is: a reading is used for longer where it took long. */
const READ_ANEW_MS = 60_000;

describeOnBothDatabases("offers that cannot be delivered", (open) => {
  let sandbox: Sandbox;
  let relay: TestRelay;
  let intake: Intake;
  let desks: Server;
  /** How each provider's quotes are bent. */
  let bends: Map<PartnerId, (quote: Quote) => Quote>;
  let nonce: bigint;

  beforeEach(async () => {
    sandbox = await fundedLedger();
    await giveMoney();
    bends = new Map();
    nonce = 0n;
    desks = createServer((request, response) => {
      const provider = parsePartnerId(request.url?.split("/")[1] ?? "");
      void text(request).then(async () => {
        const standard = {
          ...makeQuote(HKD_TO_PHP, { validUntil: (await networkHelpers.time.latest()) + 3_600 }),
          provider,
          taker: ALIPAY_HK,
          nonce: nonce++,
        };
        const priced = provider === CHEAP ? { ...standard, rateNumerator: 726n } : standard;
        const quote = bends.get(provider)?.(priced) ?? priced;
        const signature = await signQuote(keyOf(provider), sandbox.ledger.chain, quote);
        response.end(JSON.stringify({ quote: toJson(quote), signature }));
      });
    });
    desks.listen(0, "127.0.0.1");
    await once(desks, "listening");
    // Listening on TCP, so the address is not a path.
    const { port } = desks.address() as AddressInfo;
    const none = `0x${"00".repeat(32)}`;
    for (const provider of [HONEST, CHEAP]) {
      const endpoint = { url: `http://127.0.0.1:${port}/${provider}`, signingKey: none, encryptionKey: none };
      await asAdmin(provider, "setEndpoint", [endpoint]);
    }
    relay = await testRelay({ db: await open(), sandbox });
    const { ledger, registry, outside, clock, log, metrics, tracer } = relay;
    const { holdSeconds } = SETTINGS.batch;
    const options = { ledger, registry, outside, clock, timeoutMs: 2_000, holdSeconds, log, metrics, tracer };
    relay = { ...relay, providers: httpProviders(options) };
    intake = createIntake(relay);
    await registry.refresh();
    await run(relay, watcherStep);
  });
  afterEach(() => {
    desks.closeAllConnections();
    desks.close();
  });

  const keyOf = (partner: PartnerId) => sandbox.keys.walletOf({ kind: "operator", partner });

  async function asAdmin(partner: PartnerId, name: string, args: readonly unknown[]): Promise<void> {
    const admin = await sandbox.submitterOf({ kind: "admin", partner });
    const address = sandbox.ledger.addresses.partnerRegistry;
    await admin.submit(encodeCall("partnerRegistry", address, name, [partner, ...args]));
  }

  /** The cheap one has its money, again. */
  async function giveMoney(): Promise<void> {
    // Reserves are attested once a second at most.
    await networkHelpers.time.increase(1);
    await fund(sandbox, [{ partner: CHEAP, currency: php, amountMinor: FUNDS }]);
  }

  async function withdraw(partner: PartnerId, minor: bigint): Promise<void> {
    const operator = await sandbox.submitterOf({ kind: "operator", partner });
    const { treasury } = sandbox.ledger.addresses;
    const args = [partner, numericPhp, minor, operator.address];
    await operator.submit(encodeCall("treasury", treasury, "withdraw", args));
  }

  async function submit(): Promise<Submission & { kind: "accepted" }> {
    const [answer] = await intake.submit([submitRequestSchema.parse(submission())]);
    if (answer?.kind !== "accepted") throw new Error(`refused: ${JSON.stringify(answer)}`);
    return answer;
  }

  async function sellerOf({ transfer: { uetr } }: Submission & { kind: "accepted" }): Promise<number | undefined> {
    const [row] = await relay.db.query<{ provider: number }>(
      `SELECT (q.body->>'provider')::integer AS provider FROM transfers t JOIN provider_quotes q ON q.id = t.provider_quote
       WHERE t.uetr = $1::uuid`,
      [uetr],
    );
    return row?.provider;
  }

  const statusOf = async ({ transfer: { uetr } }: Submission & { kind: "accepted" }) =>
    (await findTransfer(relay.db, relay.ledger.addresses.treasury, parseUetr(uetr)))?.ledger?.status;

  async function deliver(): Promise<void> {
    for (const step of [batcherStep, openerStep, watcherStep]) await run(relay, step);
  }

  const typesOfEvents = async () => (await eventsAfter(relay.db, 0n, 100)).map(({ type }) => type);

  describe("are not priced on, however cheap they are, while an honest one stands by", () => {
    const cases: Readonly<Record<string, () => Promise<void> | void>> = {
      "of a provider that lets its money be held for no time": () =>
        void bends.set(CHEAP, (quote) => ({ ...quote, maxHold: 0 })),
      "…or for one second": () => void bends.set(CHEAP, (quote) => ({ ...quote, maxHold: 1 })),
      "whose money has been withdrawn": () => withdraw(CHEAP, FUNDS),
      "whose money does not reach": () => withdraw(CHEAP, FUNDS - 1_000n),
      "that promise more than all its money": () =>
        void bends.set(CHEAP, (quote) => ({ ...quote, rateNumerator: 2n ** 128n - 1n, rateDenominator: 1n })),
      "signed by a key that is revoked": () => asAdmin(CHEAP, "revokeKey", [keyOf(CHEAP).address]),
      "that are stale": () => void bends.set(CHEAP, (quote) => ({ ...quote, validUntil: quote.validUntil - 3_595 })),
    };
    for (const [name, bend] of Object.entries(cases)) {
      it(name, async () => {
        await bend();
        await relay.registry.refresh();
        const accepted = await submit();
        expect(await sellerOf(accepted)).to.equal(HONEST);
        await deliver();
        expect(await statusOf(accepted)).to.equal("open");
      });
    }

    it("though they stood when they were made: its key is revoked, its partner suspended, its money gone", async () => {
      expect(await sellerOf(await submit())).to.equal(CHEAP);
      await withdraw(CHEAP, FUNDS);
      await run(relay, watcherStep);
      await run(relay, pricingStep);
      relay.clock.advance(READ_ANEW_MS);
      expect(await sellerOf(await submit())).to.equal(HONEST);
      await giveMoney();
      await run(relay, watcherStep);
      await run(relay, pricingStep);
      relay.clock.advance(READ_ANEW_MS);
      expect(await sellerOf(await submit())).to.equal(CHEAP);
      await asAdmin(CHEAP, "revokeKey", [keyOf(CHEAP).address]);
      await relay.registry.refresh();
      expect(await sellerOf(await submit())).to.equal(HONEST);
    });

    it("beyond what its money is good for, whatever it has signed", async () => {
      // Good for one transfer of some 108,900, and no more.
      await withdraw(CHEAP, FUNDS - 150_000n);
      expect(await sellerOf(await submit())).to.equal(CHEAP);
      expect(await sellerOf(await submit())).to.equal(HONEST);
    });

    it("and when nobody else sells, that passes", async () => {
      bends.set(HONEST, (quote) => ({ ...quote, maxHold: 0 }));
      await withdraw(CHEAP, FUNDS);
      const [answer] = await intake.submit([submitRequestSchema.parse(submission())]);
      expect(answer).to.include({ kind: "refused", code: "quotes-unavailable" });
    });
  });

  it("let transfers that wait go to another, before a batch is signed on them", async () => {
    const accepted = await submit();
    expect(await sellerOf(accepted)).to.equal(CHEAP);
    await withdraw(CHEAP, FUNDS);
    // The honest one gives as much now, and more.
    bends.set(HONEST, (quote) => ({ ...quote, rateNumerator: 727n }));
    await relay.db.query("UPDATE provider_quotes SET received_at = 0");
    await run(relay, pricingStep);
    await run(relay, watcherStep);
    await deliver();
    expect(await sellerOf(accepted)).to.equal(HONEST);
    expect(await statusOf(accepted)).to.equal("open");
    const record = await findTransfer(relay.db, relay.ledger.addresses.treasury, parseUetr(accepted.transfer.uetr));
    expect(record?.targetAmount).to.equal(accepted.transfer.targetAmount);
  });

  it("have their provider passed over when nobody else gives as much, and those who come next served at once", async () => {
    const stuck = await submit();
    await withdraw(CHEAP, FUNDS);
    await run(relay, watcherStep);
    await deliver();
    expect(await providersPassedOver(relay.db, relay.clock.nowMs())).to.deep.equal([]);
    relay.clock.advance(10_000);
    await deliver();
    expect(await providersPassedOver(relay.db, relay.clock.nowMs())).to.have.lengthOf(1);
    expect(await statusOf(stuck)).to.equal(undefined);
    const next = await submit();
    expect(await sellerOf(next)).to.equal(HONEST);
    await deliver();
    expect(await statusOf(next)).to.equal("open");
    // It has its money again: what was promised is kept.
    await giveMoney();
    await passTime(relay, 61);
    await deliver();
    await deliver();
    expect(await statusOf(stuck)).to.equal("open");
  });

  it("are found out when the ledger refuses a batch: its transfers go into another one once it is void", async () => {
    bends.set(CHEAP, (quote) => ({ ...quote, validUntil: quote.validUntil - 3_600 + 60 }));
    const accepted = await submit();
    const { uetr } = accepted.transfer;
    await run(relay, batcherStep);
    await withdraw(CHEAP, FUNDS);
    await run(relay, openerStep);
    const events = await eventsAfter(relay.db, 0n, 100);
    expect(events.map(({ type, data }) => [type, data["provider"], data["reason"], data["failures"]])).to.deep.equal([
      ["provider.failed", CHEAP, "Treasury_InsufficientAvailable", 1],
    ]);
    await run(relay, pricingStep);
    const gauge = await relay.metrics.providersPassedOver.get();
    expect(gauge.values.map(({ labels, value }) => [labels.provider, labels.pair, value])).to.deep.equal([
      ["12", "HKD>PHP", 1],
    ]);
    // Submitted again, it fails again, and that counts once.
    relay.clock.advance(5_000);
    await run(relay, openerStep);
    expect(await typesOfEvents()).to.deep.equal(["provider.failed"]);
    expect(await sellerOf(await submit())).to.equal(HONEST);

    // While it can still be opened, the transfer is in no other batch.
    bends.set(HONEST, (quote) => ({ ...quote, rateNumerator: 727n }));
    await deliver();
    const first = (await findTransfer(relay.db, relay.ledger.addresses.treasury, parseUetr(uetr)))?.batch?.id;
    await passTime(relay, 30);
    await deliver();
    expect((await findTransfer(relay.db, relay.ledger.addresses.treasury, parseUetr(uetr)))?.batch?.id).to.equal(first);

    await passTime(relay, 31);
    await run(relay, watcherStep);
    await run(relay, openerStep);
    expect(await typesOfEvents())
      .to.include("transfer.requeued")
      .and.not.include("transfer.failed");
    await relay.db.query("UPDATE provider_quotes SET received_at = 0");
    await run(relay, pricingStep);
    await deliver();
    await deliver();
    const record = await findTransfer(relay.db, relay.ledger.addresses.treasury, parseUetr(uetr));
    expect(record?.ledger?.status).to.equal("open");
    expect(record?.batch?.id).not.to.equal(first);
    const { sourceAmount, targetAmount } = accepted.transfer;
    expect(record).to.deep.include({ sourceAmount, targetAmount });
    expect(await sellerOf(accepted)).to.equal(HONEST);
    const [{ reserved } = { reserved: -1n }] = await relay.db.query<{ reserved: bigint }>(
      "SELECT sum(reserved) AS reserved FROM provider_quotes WHERE body->>'provider' = '12'",
    );
    expect(reserved).to.equal(0n);
    expect((await reconcile(relay)).differences).to.deep.equal([]);
  });

  it("fail a transfer in the end when it has been in batches that nobody opened too often", async () => {
    for (let round = 1; round <= 4; round++) {
      await relay.db.query("DELETE FROM provider_failures");
      bends.set(CHEAP, (quote) => ({ ...quote, validUntil: quote.validUntil - 3_600 + 60 }));
      if (round === 1) await submit();
      await run(relay, pricingStep);
      await relay.db.query("UPDATE provider_quotes SET received_at = 0");
      await run(relay, pricingStep);
      await run(relay, batcherStep);
      await run(relay, batcherStep);
      await withdraw(CHEAP, FUNDS);
      await run(relay, openerStep);
      await passTime(relay, 61);
      await run(relay, watcherStep);
      await run(relay, openerStep);
      const ended = (await typesOfEvents()).filter((type) => type.startsWith("transfer."));
      expect(ended.filter((type) => type === "transfer.requeued")).to.have.lengthOf(Math.min(round, 3));
      expect(ended.includes("transfer.failed")).to.equal(round === 4);
      await giveMoney();
      await run(relay, watcherStep);
    }
  });

  it("cost their provider a pause that doubles, that deliveries do not forgive, and that time does", async () => {
    const fail = () =>
      relay.db.transaction((tx) => recordProviderFailure(tx, CHEAP, HKD_TO_PHP, "test", relay.clock.nowMs()));
    const pauses: number[] = [];
    for (let count = 1; count <= 9; count++) {
      const failure = await fail();
      expect(failure?.failures).to.equal(count);
      const pauseMs = (failure?.passedOverUntil ?? 0) - relay.clock.nowMs();
      pauses.push(pauseMs);
      // What else fails meanwhile had been signed before.
      expect(await fail()).to.equal(undefined);
      relay.clock.advance(pauseMs + 1);
    }
    expect(pauses.every((pauseMs, index) => pauseMs > Math.min(3_600_000, 60_000 * 2 ** index) / 2 - 1_000)).to.equal(
      true,
    );
    expect(Math.max(...pauses)).to.be.at.most(3_600_000);
    relay.clock.advance(6 * 3_600_000);
    expect((await fail())?.failures).to.equal(1);
    // Set back, the clock has it fail in a time to come: it would be passed over until then.
    relay.clock.advance(-24 * 3_600_000);
    expect(await providersPassedOver(relay.db, relay.clock.nowMs())).to.deep.equal([]);
    expect((await fail())?.failures).to.equal(1);
  });
});
