import { expect } from "chai";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import type { Uetr } from "../../../src/domain/uetr.ts";
import { openDirectory } from "../../../src/sandbox/customers.ts";
import type { Order } from "../../../src/sandbox/order.ts";
import { reconcile, type Outcome, type Reconciliation } from "../../../src/sandbox/reconciliation.ts";
import { OUTAGE, type Simulation } from "../../../src/sandbox/simulation.ts";
import { DAY, sendDay, type SentDay } from "../support/day.ts";

const HOUR = 3_600;

function count(outcomes: ReadonlyMap<Uetr, Outcome>, outcome: Outcome): number {
  return [...outcomes.values()].filter((each) => each === outcome).length;
}

describe("a simulated day", function () {
  this.timeout(60_000);
  let day: SentDay;
  let found: Reconciliation;
  let outcomes: ReadonlyMap<Uetr, Outcome>;

  before(async () => {
    day = await sendDay();
    found = await reconcile(day.sandbox, day.simulation, day.movements);
    ({ outcomes } = found);
  });

  it("accounts for every transfer and every minor unit", () => {
    expect([found.unaccounted, found.balanceDifferences]).to.deep.equal([[], []]);
    expect(found.outcomes.size).to.equal(DAY.orders.length);
    expect(found.currencies).to.have.length(10);
    for (const { currency, deposited, available, held, withdrawn, tokens, difference } of found.currencies) {
      expect(deposited, currency).to.equal(available + held + withdrawn);
      expect([tokens, held, difference], currency).to.deep.equal([available, 0n, 0n]);
    }
  });

  it("settles, rejects whom nobody knows, and lets expire what reaches a wallet that is offline", () => {
    const unknown = DAY.orders.filter(
      ({ target, creditor }) => DAY.directory.find(target, creditor.phone) === undefined,
    );
    expect(unknown).to.have.length(3);
    for (const { uetr } of unknown) expect(outcomes.get(uetr)).to.be.oneOf(["rejected", "expired"]);
    expect(count(outcomes, "expired")).to.be.greaterThan(0);
    expect(count(outcomes, "rejected")).to.be.greaterThan(0);
    expect(count(outcomes, "settled") + count(outcomes, "rejected") + count(outcomes, "expired")).to.equal(60);
  });

  it("has every call submitted twice, and the second refused", () => {
    expect(day.simulation.refusedRepeats).to.equal(2 * day.simulation.batches.length);
  });

  it("tells how far it is", () => {
    expect(day.progress).to.have.length(day.simulation.batches.length);
    expect(day.progress).to.deep.equal(day.progress.toSorted((left, right) => left - right));
    expect(day.progress.at(-1)).to.equal(60);
  });

  it("keeps to the size of batches, and tells time and gas of each", () => {
    for (const { orders, ending, latencyMs, gasUsed, rejections } of day.simulation.batches) {
      expect(orders.length).to.be.within(1, 5);
      expect(gasUsed > 100_000n && gasUsed < 600_000n, String(gasUsed)).to.equal(true);
      const isCredited = ending === "settled" && rejections.length < orders.length;
      expect(latencyMs === undefined).to.equal(!isCredited);
    }
  });

  it("ends in the same way for the same seed, at the same amounts", async () => {
    const again = await sendDay();
    const { outcomes: outcomesAgain } = await reconcile(again.sandbox, again.simulation, again.movements);
    const amounts = ({ batches }: Simulation) =>
      batches.flatMap(({ prepared }) => prepared.payload.map(({ uetr, targetAmount }) => [uetr, targetAmount]));
    expect([...outcomesAgain]).to.deep.equal([...outcomes]);
    expect(amounts(again.simulation)).to.deep.equal(amounts(day.simulation));
    expect(again.movements).to.deep.equal(day.movements);
    // The details are salted anew: nobody who knows the seed can tell who was paid.
    const roots = ({ batches }: Simulation) => batches.map(({ header }) => header.root);
    expect(roots(again.simulation)).not.to.include.any.members(roots(day.simulation));
  });

  describe("of a few orders", () => {
    const toGcash = DAY.orders.filter(({ target }) => target === OUTAGE.partner);
    const [template] = toGcash;
    const at = (order: Order | undefined, atSecond: number, index: number): Order => {
      if (order === undefined) throw new Error("test set-up: an order");
      // The last digits tell them apart, and leave version and variant as they are.
      const uetr = `${order.uetr.slice(0, -2)}${String(index).padStart(2, "0")}` as Uetr; // still a UUID v4
      return { ...order, uetr, atSecond };
    };
    const everybody = openDirectory(DAY.orders.map(({ target, creditor }) => ({ wallet: target, ...creditor })));

    it("lets expire what closes while a wallet is offline, and nothing else", async () => {
      const seconds = [OUTAGE.fromSecond - 1, OUTAGE.fromSecond, OUTAGE.untilSecond - 1, OUTAGE.untilSecond];
      const elsewhere = DAY.orders.find(({ target }) => target === parsePartnerId(1));
      const orders = [...seconds.map((second, index) => at(template, second, index)), at(elsewhere, 12 * HOUR, 10)];
      const { sandbox, simulation, movements } = await sendDay(orders, { batchSize: 1, directory: everybody });
      const found = await reconcile(sandbox, simulation, movements);
      expect([found.unaccounted, found.balanceDifferences]).to.deep.equal([[], []]);
      expect(orders.map(({ uetr }) => found.outcomes.get(uetr))).to.deep.equal([
        "settled",
        "expired",
        "expired",
        "settled",
        "settled",
      ]);
      for (const { uetr, source } of orders) {
        const { debits, refunds } = simulation.books.get(source) ?? {};
        const refunded = found.outcomes.get(uetr) === "expired" ? debits?.get(uetr) : undefined;
        expect(refunds?.get(uetr)).to.equal(refunded);
      }
    });

    it("expires what was open when the orders end", async () => {
      const orders = [at(template, OUTAGE.fromSecond, 0)];
      const { sandbox, simulation, movements, progress } = await sendDay(orders, { batchSize: 1 });
      const found = await reconcile(sandbox, simulation, movements);
      expect([...found.outcomes.values(), found.unaccounted]).to.deep.equal(["expired", []]);
      expect([simulation.batches[0]?.ending, simulation.refusedRepeats, progress]).to.deep.equal(["expired", 2, [1]]);
    });

    it("rejects a whole batch of unknown beneficiaries", async () => {
      const orders = [at(template, 0, 0), at(template, 1, 1)];
      const { sandbox, simulation, movements } = await sendDay(orders, { directory: openDirectory([]) });
      const found = await reconcile(sandbox, simulation, movements);
      expect([...found.outcomes.values()]).to.deep.equal(["rejected", "rejected"]);
      expect([found.unaccounted, found.balanceDifferences]).to.deep.equal([[], []]);
      expect(simulation.batches.map(({ latencyMs, rejections }) => [latencyMs, rejections.length])).to.deep.equal([
        [undefined, 2],
      ]);
    });

    it("does not wait for ever for an expiry on a ledger whose time stands still", async () => {
      const sending = sendDay([at(template, OUTAGE.fromSecond, 0)], {
        batchSize: 1,
        passTime: () => Promise.resolve(),
      });
      const failure: unknown = await sending.catch((thrown: unknown) => thrown);
      expect(failure).to.be.instanceOf(Error).with.property("message").that.includes("stands still");
    });
  });
});
