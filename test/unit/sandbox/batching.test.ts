import { expect } from "chai";
import * as fc from "fast-check";
import { parseCurrency } from "../../../src/domain/currency.ts";
import { money } from "../../../src/domain/money.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import { uetrFromRandom } from "../../../src/domain/uetr.ts";
import { createRandom } from "../../../src/platform/random.ts";
import { batchOrders, type OrderBatch } from "../../../src/sandbox/batching.ts";
import type { Order } from "../../../src/sandbox/order.ts";

const random = createRandom("batching");
const party = { name: "Chan Tai Man", nameLocal: "陳大文", phone: "+85251234567" };

function order(atSecond: number, minor = 1n, source = 7, target = 4): Order {
  return {
    uetr: uetrFromRandom(random.bytes(16)),
    source: parsePartnerId(source),
    target: parsePartnerId(target),
    sourceAmount: money(minor, parseCurrency("HKD").code),
    debtor: party,
    creditor: party,
    purpose: "DEPD",
    remittance: "",
    atSecond,
  };
}

const options = { batchSize: 3, maxSourceTotal: 100n, windowSeconds: 1_000 };
const shape = (batches: readonly OrderBatch[]) =>
  batches.map(({ orders, closedAtSecond }) => [closedAtSecond, ...orders.map(({ atSecond }) => atSecond)]);

describe("batches of orders", () => {
  it("close when they are full, or their time is up", () => {
    const orders = [10, 20, 30, 40, 999, 1_000, 1_500].map((second) => order(second));
    expect(shape(batchOrders(orders, options))).to.deep.equal([
      [30, 10, 20, 30],
      [1_000, 40, 999],
      [2_000, 1_000, 1_500],
    ]);
  });

  it("are in the order of time, whatever that of the orders", () => {
    const orders = [40, 10, 30, 20].map((second) => order(second));
    expect(shape(batchOrders(orders, options))).to.deep.equal([
      [30, 10, 20, 30],
      [1_000, 40],
    ]);
  });

  it("have orders of one corridor, and come in the order in which they close", () => {
    const orders = [order(1), order(2, 1n, 7, 1), order(3), order(4, 1n, 1, 4), order(5)];
    const batches = batchOrders(orders, options);
    expect(batches.map(({ source, target }) => [source, target])).to.deep.equal([
      [7, 4],
      [7, 1],
      [1, 4],
    ]);
    expect(shape(batches)).to.deep.equal([
      [5, 1, 3, 5],
      [1_000, 2],
      [1_000, 4],
    ]);
  });

  it("close before an order that would take them above the corridor's limit", () => {
    const orders = [order(1, 60n), order(2, 40n), order(3, 1n), order(4, 100n), order(5, 99n)];
    expect(shape(batchOrders(orders, options))).to.deep.equal([
      [3, 1, 2],
      [4, 3],
      [5, 4],
      [1_000, 5],
    ]);
  });

  it("are none without orders, and of one order each where that is the size", () => {
    expect(batchOrders([], options)).to.deep.equal([]);
    const single = batchOrders([order(1), order(2)], { ...options, batchSize: 1 });
    expect(shape(single)).to.deep.equal([
      [1, 1],
      [2, 2],
    ]);
  });

  it("lose no order, repeat none and keep to their limits", () => {
    const orders = fc.array(fc.tuple(fc.nat(86_399), fc.bigInt(1n, 100n), fc.constantFrom([7, 4], [7, 1], [1, 4])), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(orders, fc.integer({ min: 1, max: 7 }), (drawn, batchSize) => {
        const given = drawn.map(([second, minor, [source, target]]) => order(second, minor, source, target));
        const batches = batchOrders(given, { ...options, batchSize });
        const uetrs = (list: readonly Order[]) => list.map(({ uetr }) => uetr).sort();
        expect(uetrs(batches.flatMap((batch) => batch.orders))).to.deep.equal(uetrs(given));
        for (const { orders: batch, source, target } of batches) {
          expect(batch.length).to.be.within(1, batchSize);
          expect(batch.every((each) => each.source === source && each.target === target)).to.equal(true);
          expect(batch.reduce((sum, { sourceAmount }) => sum + sourceAmount.minor, 0n) <= 100n).to.equal(true);
        }
        const closings = batches.map(({ closedAtSecond }) => closedAtSecond);
        expect(closings).to.deep.equal(closings.toSorted((left, right) => left - right));
      }),
    );
  });
});
