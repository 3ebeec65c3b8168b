import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { money } from "../../../src/domain/money.ts";
import { parseUetr } from "../../../src/domain/uetr.ts";
import { startClockServer, type ClockServer } from "../../../sandbox/clock-server.ts";
import type { RunningNetwork, RunningPartner } from "../../../sandbox/network-up.ts";
import type { Order } from "../../../sandbox/orders/order.ts";
import { parseWallet, type Wallet } from "../../../sandbox/wallet/wallets.ts";
import { until } from "../../support/until.ts";
import { startPlayNetwork } from "../support/play-network.ts";
import { parsed, run } from "../../unit/cli/fixtures.ts";

// GCash's relay takes part in no settlement in one step: what waits for it is held on the ledger.
const [HK, GCASH, ALIPAY] = ["AlipayHK", "GCash", "Alipay"].map((name) => parseWallet(name)) as [
  Wallet,
  Wallet,
  Wallet,
];
const DAY_SECONDS = 86_400;
const TEN_DAYS = 10 * DAY_SECONDS;

describe("the sandbox's clock", () => {
  let network: RunningNetwork;
  let server: ClockServer;

  before(async () => {
    ({ network } = await startPlayNetwork("clock", {
      clock: { beatIntervalSeconds: 10, graceSeconds: DAY_SECONDS },
      relaySettings: { ledger: { pollIntervalMs: 50 }, batch: { maxDelayMs: 100, maxTransfers: 2 } },
      inTwoSteps: [GCASH.id],
      wallets: [HK, GCASH, ALIPAY],
    }));
    server = await startClockServer(network);
  });
  after(async () => {
    await server.stop();
    await network.stop();
  });

  const partner = ({ id }: Wallet): RunningPartner => {
    const found = network.partners.get(id);
    if (found === undefined) throw new Error("test set-up: a partner");
    return found;
  };
  const clock = (...advance: readonly string[]) =>
    run(["sandbox", "clock", ...advance, "--json", "--sandbox", server.url], { fetch });
  const advancedSeconds = () => network.clock.advancedMs() / 1_000;
  const blockTime = async () => (await network.sandbox.ledger.provider.getBlock("latest"))?.timestamp ?? 0;
  const ledgerTime = async () => Number.parseInt(String(await network.sandbox.ledger.transferRegistry.time()), 10);
  const nowSeconds = () => network.clock.nowMs() / 1_000;
  const orders = (count: number, target: Wallet): readonly Order[] => {
    const [debtor] = [...partner(HK).server.books.accounts()];
    const [creditor] = [...partner(target).server.books.accounts()];
    if (debtor === undefined || creditor === undefined) throw new Error("test set-up: customers");
    return Array.from({ length: count }, () => ({
      uetr: parseUetr(randomUUID()),
      source: HK.id,
      target: target.id,
      sourceAmount: money(1_000n, HK.currency.code),
      debtor,
      creditor,
      purpose: "OTHR",
      remittance: "",
      atSecond: 0,
    }));
  };
  const statusOf = async ({ uetr }: Order) => (await partner(HK).client.transfer(uetr)).status;
  /** How it ended for the two customers, by the wallets' books. */
  const endOf = ({ uetr, target }: Order) => {
    const credit = network.partners.get(target)?.server.books.credits.get(uetr);
    const refund = partner(HK).server.books.refunds.get(uetr);
    if (credit !== undefined && refund !== undefined) return "both";
    return credit === undefined ? (refund === undefined ? undefined : "refunded") : "credited";
  };
  const endsOf = async (sent: readonly Order[]) => {
    await until(() => sent.every((order) => endOf(order) !== undefined));
    return sent.map(endOf);
  };
  const allReady = async () => {
    for (const { relay } of network.partners.values()) {
      await until(async () => (await fetch(`${relay.url}/readyz`)).status === 200);
    }
  };
  const requireSound = async () => {
    for (const { client, relay } of network.partners.values()) {
      expect((await client.ask("POST /v1/reconciliations")).differences).to.deep.equal([]);
      expect(relay.context.clockSkew.now().isBeyond).to.equal(false);
    }
    await allReady();
  };

  it("is the machine's until it is advanced", async () => {
    const { code, out } = await clock();
    const { now, advancedSeconds: ahead } = parsed(out);
    expect([code, ahead]).to.deep.equal([0, 0]);
    expect(Math.abs(Date.parse(String(now)) - Date.now())).to.be.below(60_000);
    const sent = orders(2, GCASH);
    await partner(HK).app.sendAll(sent);
    expect(await endsOf(sent)).to.deep.equal(["credited", "credited"]);
  });

  it("goes on by ten days on the ledger and in every process, and what is held is given back, once", async () => {
    const before = await ledgerTime();
    partner(GCASH).server.faults.offline = true;
    const held = orders(4, GCASH);
    await partner(HK).app.sendAll(held);
    await until(async () => (await Promise.all(held.map(statusOf))).every((status) => status === "held"));
    // Not even in a batch.
    const fresh = orders(3, GCASH);
    await partner(HK).app.sendAll(fresh);

    const { code, out, err } = await clock("+10d");
    expect(code, err).to.equal(0);
    expect(parsed(out)["advancedSeconds"]).to.equal(TEN_DAYS);
    partner(GCASH).server.faults.offline = false;
    expect(await endsOf(held)).to.deep.equal(held.map(() => "refunded"));
    expect(await Promise.all(held.map(statusOf))).to.deep.equal(held.map(() => "expired"));
    expect(await endsOf(fresh)).to.not.include("both");

    expect(await ledgerTime()).to.be.at.least(before + TEN_DAYS);
    expect(Math.abs((await blockTime()) - nowSeconds())).to.be.below(60);
    await requireSound();
  });

  it("leaves prices that are new, and transfers that go through", async () => {
    const sent = [...orders(2, GCASH), ...orders(2, ALIPAY)];
    await partner(HK).app.sendAll(sent);
    expect(await endsOf(sent)).to.deep.equal(sent.map(() => "credited"));
    await requireSound();
  });

  it("may be advanced while transfers are on their way: each is credited or refunded", async () => {
    const sent = Array.from({ length: 6 }, () => [...orders(3, GCASH), ...orders(3, ALIPAY)]);
    const start = advancedSeconds();
    const sending = sent.map(async (some, index) => {
      await partner(HK).app.sendAll(some);
      if (index % 2 === 1) await network.advance(DAY_SECONDS * index);
    });
    await Promise.all(sending);
    expect(advancedSeconds()).to.equal(start + 9 * DAY_SECONDS);
    const ends = new Set(await endsOf(sent.flat()));
    expect(
      [...ends].every((end) => end === "credited" || end === "refunded"),
      [...ends].join(),
    ).to.equal(true);
    await requireSound();
  });

  it("adds up what is asked for at once, each in its turn", async () => {
    const start = advancedSeconds();
    const answers = await Promise.all(["+1h", "+30m", "+90s"].map((by) => clock(by)));
    expect(answers.map(({ code }) => code)).to.deep.equal([0, 0, 0]);
    expect(advancedSeconds()).to.equal(start + 3_600 + 1_800 + 90);
  });

  it("refuses what is no advance, with the rule, and stays", async () => {
    const start = advancedSeconds();
    const post = (body: string, type = "application/json") =>
      fetch(`${server.url}/clock`, { method: "POST", headers: { "content-type": type }, body });
    for (const advance of ["-1d", "+31d", "10d", "+0s", ""]) {
      const refused = await post(JSON.stringify({ advance }));
      expect(refused.status, advance).to.equal(400);
      expect(await refused.json()).to.have.property("field", "advance");
    }
    for (const body of ["{}", '{"advance":5}', '{"advance":"+1d","more":1}', "[]", "{"]) {
      expect((await post(body)).status, body).to.equal(400);
    }
    // As a page of somebody else's would, which may send plain text only.
    expect((await post('{"advance":"+1d"}', "text/plain")).status).to.equal(400);
    expect(advancedSeconds()).to.equal(start);
  });
});
