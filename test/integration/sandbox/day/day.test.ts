import { expect } from "chai";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import type { Uetr } from "../../../../src/domain/uetr.ts";
import type { Order } from "../../../../sandbox/orders/order.ts";
import { reconcile, type Outcome } from "../../../../sandbox/day/reconciliation.ts";
import { rememberDay, runDay, type DayRun } from "../../../../sandbox/day/run-day.ts";
import { ALONE, OUTAGE, sendDay } from "../../../../sandbox/day/send-day.ts";
import { until } from "../../../support/until.ts";
import { DAY, DEPOSITS, FROM_GCASH, IN_TWO_STEPS, startDayNetwork, type DayNetwork } from "../../support/day.ts";
import { describeReconciliation } from "./reconciliation.ts";

const HOUR = 3_600;

function count(outcomes: ReadonlyMap<Uetr, Outcome>, outcome: Outcome): number {
  return [...outcomes.values()].filter((each) => each === outcome).length;
}

describe("a day of orders, sent by ten relays over HTTP", function () {
  let day: DayNetwork;
  let run: DayRun;
  let outcomes: ReadonlyMap<Uetr, Outcome>;

  before(async function () {
    // Ten relays in this process: several minutes on a machine that has much else to do.
    this.timeout(1_200_000);
    day = await startDayNetwork();
    run = await runDay(day.network, day.runOptions(DAY.orders));
    ({ outcomes } = run.reconciliation);
  });
  after(() => day.network.stop());

  it("accounts for every transfer and every minor unit", () => {
    const { unaccounted, balanceDifferences, currencies } = run.reconciliation;
    expect([unaccounted, balanceDifferences, run.relayDifferences]).to.deep.equal([[], [], []]);
    expect(outcomes.size).to.equal(DAY.orders.length);
    expect(currencies).to.have.length(10);
    for (const { currency, deposited, available, held, withdrawn, tokens, difference } of currencies) {
      expect(deposited, currency).to.equal(available + held + withdrawn);
      expect([tokens, held, difference], currency).to.deep.equal([available, 0n, 0n]);
    }
  });

  it("settles, refuses whom nobody knows, before the ledger has it or there, and lets expire what reaches a wallet that is offline", () => {
    const unknown = DAY.orders.filter(
      ({ target, creditor }) => DAY.directory.find(target, creditor.phone) === undefined,
    );
    expect(unknown).to.have.length(3);
    for (const { uetr, source } of unknown) {
      expect(outcomes.get(uetr)).to.equal(source === IN_TWO_STEPS ? "rejected" : "failed");
    }
    expect(run.measured.failures).to.deep.equal({ AC03: 2 });
    expect(count(outcomes, "failed")).to.equal(2);
    expect(count(outcomes, "rejected")).to.equal(1);
    expect(count(outcomes, "expired")).to.be.greaterThan(0);
    expect(count(outcomes, "settled") + count(outcomes, "expired")).to.equal(57);
  });

  it("tells the rate of success that relays tell, of all that came onto the ledger", async () => {
    const { corridors, total } = run.success;
    for (const partner of [1, 4, 7]) {
      const relay = day.network.partners.get(parsePartnerId(partner));
      const told = await relay?.client.ask("GET /v1/stats/success");
      expect({ corridors: told?.corridors, total: told?.total }).to.deep.equal({ corridors, total });
    }
    const { settled, rejected, expired, open } = total;
    expect({ settled, rejected, expired, open }).to.deep.equal({
      settled: count(outcomes, "settled"),
      rejected: count(outcomes, "rejected"),
      expired: count(outcomes, "expired"),
      open: 0,
    });
    expect(corridors.filter(({ isProvisional }) => !isProvisional)).to.deep.equal([]);
  });

  it("has every order submitted twice, and the second answered as the first", () => {
    expect(run.measured.replays).to.equal(60);
  });

  it("tells how far it is", () => {
    expect(day.progress).to.deep.equal(day.progress.toSorted((left, right) => left - right));
    expect(day.progress.at(-1)).to.equal(60);
  });

  it("keeps to the size of batches, and tells the gas of each and the time of each credit", () => {
    const { gasUsed, latenciesMs } = run.measured;
    expect(run.reconciliation.batches.length).to.be.at.least(12);
    for (const { batchId, transfers } of run.reconciliation.batches) {
      expect(transfers.length).to.be.within(1, 5);
      const gas = gasUsed.get(batchId) ?? 0n;
      expect(gas > 80_000n && gas < 600_000n, String(gas)).to.equal(true);
    }
    expect(latenciesMs).to.have.length(count(outcomes, "settled"));
    for (const latency of latenciesMs) expect(latency).to.be.within(1, 180_000);
  });

  it("sends the last orders alone, so that none of them stands in a queue", () => {
    const last = new Set(DAY.orders.slice(-ALONE).map(({ uetr }) => uetr));
    const settled = [...last].filter((uetr) => outcomes.get(uetr) === "settled");
    expect(settled.length).to.be.greaterThan(0);
    expect(run.measured.aloneMs).to.have.length(settled.length);
    expect(run.measured.latenciesMs.slice(-settled.length)).to.deep.equal(run.measured.aloneMs);
    const theirs = run.reconciliation.batches.filter(({ transfers }) => transfers.some(({ uetr }) => last.has(uetr)));
    expect(theirs.map(({ transfers }) => transfers.length)).to.deep.equal(Array.from({ length: ALONE }, () => 1));
  });

  // Before more is sent than the day knows of.
  describe("its reconciliation", () => describeReconciliation(() => ({ sandbox: day.network.sandbox, run })));

  describe("of a few orders", () => {
    const [template] = DAY.orders.filter(
      ({ target, creditor }) => target === OUTAGE.partner && DAY.directory.find(target, creditor.phone) !== undefined,
    );
    const elsewhere = DAY.orders.find(({ source, target }) => source !== IN_TWO_STEPS && target === parsePartnerId(1));
    const sent: Order[] = [...DAY.orders];
    const at = (order: Order | undefined, atSecond: number, changes: Partial<Order> = {}): Order => {
      if (order === undefined) throw new Error("test set-up: an order");
      // The last digits tell them apart, and leave version and variant as they are.
      const uetr = `${order.uetr.slice(0, -3)}${String(sent.length).padStart(3, "0")}` as Uetr; // still a UUID v4
      const made = { ...order, uetr, atSecond, ...changes };
      sent.push(made);
      return made;
    };
    /** Sends more orders over the same network, and reconciles all that was ever sent. */
    const sendMore = async (orders: readonly Order[]) => {
      const { network, runOptions } = day;
      await sendDay({
        ...runOptions(orders),
        wallets: network.partners,
        passTime: () => network.passTime(),
      });
      const withdrawals = run.movements.slice(DEPOSITS.length);
      const found = await reconcile(network.sandbox, await rememberDay(network, sent), [...DEPOSITS, ...withdrawals]);
      expect([found.unaccounted, found.balanceDifferences]).to.deep.equal([[], []]);
      return found.outcomes;
    };
    const booksOf = (order: Order) => day.network.partners.get(order.source)?.server.books;

    it("lets expire what is sent while a wallet is offline, and nothing else", async () => {
      const seconds = [OUTAGE.fromSecond - 1, OUTAGE.fromSecond, OUTAGE.untilSecond - 1, OUTAGE.untilSecond];
      const orders = [...seconds.map((second) => at(template, second)), at(elsewhere, 12 * HOUR)];
      const found = await sendMore(orders);
      expect(orders.map(({ uetr }) => found.get(uetr))).to.deep.equal([
        "settled",
        "expired",
        "expired",
        "settled",
        "settled",
      ]);
      for (const order of orders) {
        const debited = booksOf(order)?.debits.get(order.uetr);
        const refunded = found.get(order.uetr) === "expired" ? debited : undefined;
        expect(booksOf(order)?.refunds.get(order.uetr)).to.equal(refunded);
      }
    });

    it("gives a customer of the wallet that was offline the money back, although no webhook got through", async () => {
      const order = at(FROM_GCASH, OUTAGE.fromSecond);
      expect((await sendMore([order])).get(order.uetr)).to.equal("failed");
      expect(booksOf(order)?.postingOf("refund", order.uetr)?.text).to.equal("failed AC03");
    });

    it("expires what was open when the orders end", async () => {
      const order = at(template, OUTAGE.fromSecond);
      expect((await sendMore([order])).get(order.uetr)).to.equal("expired");
    });

    it("refuses a whole batch of unknown beneficiaries, before the ledger has it or there", async () => {
      const { creditor } = FROM_GCASH;
      const ofTwoSteps = DAY.orders.find(
        ({ source, target }) => source === IN_TWO_STEPS && target === FROM_GCASH.target,
      );
      for (const [from, outcome] of [
        [elsewhere, "failed"],
        [ofTwoSteps, "rejected"],
      ] as const) {
        const orders = [at(from, 0, { creditor }), at(from, 0, { creditor })];
        const found = await sendMore(orders);
        expect(orders.map(({ uetr }) => found.get(uetr))).to.deep.equal([outcome, outcome]);
      }
    });

    it("gives the money back at once for what the relay refuses", async () => {
      const order = at(template, 0, { purpose: "not a purpose" });
      const found = await sendMore([order]);
      expect(found.get(order.uetr)).to.equal("failed");
      expect(booksOf(order)?.refunds.get(order.uetr)).to.equal(booksOf(order)?.debits.get(order.uetr));
    });

    it("does not wait forever for an expiry on a ledger whose time stands still", async () => {
      const order = at(template, OUTAGE.fromSecond);
      const { network, runOptions } = day;
      const options = { ...runOptions([order]), wallets: network.partners, patienceMs: 3_000 };
      const sending = sendDay({ ...options, passTime: () => Promise.resolve() });
      const failure: unknown = await sending.catch((thrown: unknown) => thrown);
      expect(failure).to.be.instanceOf(Error).with.property("message").that.includes(order.uetr);
      // The wallet is back, within the hold: the transfer goes through.
      const credited = () => network.partners.get(order.target)?.server.books.credits.has(order.uetr) === true;
      await until(credited);
      expect([credited(), booksOf(order)?.refunds.has(order.uetr)]).to.deep.equal([true, false]);
    });
  });
});
