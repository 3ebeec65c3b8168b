import { expect } from "chai";
import type { OrdersJson } from "../../../src/schema/statistics.ts";
import { NO_ORDERS } from "../../support/orders.ts";
import { fakeRelay, run } from "./fixtures.ts";

const ANSWER: OrdersJson = {
  block: 12,
  at: "2026-03-04T05:06:07.000Z",
  from: "2026-03-01",
  to: "2026-03-04",
  days: [
    { ...NO_ORDERS, day: "2026-03-01", target: 3, isProvisional: false, orders: 40, credited: 40, rate: "100.00" },
    { ...NO_ORDERS, day: "2026-03-04", isProvisional: true, orders: 2, refused: 2, open: 1 },
  ],
  total: { ...NO_ORDERS, orders: 42, credited: 40, refused: 2, open: 1, rate: "95.23" },
};

describe("stats orders", () => {
  const asking = (answer: OrdersJson, ...args: string[]) => {
    const relay = fakeRelay(() => ({ body: answer }));
    return run(["stats", "orders", ...args], { fetch: relay.fetch }).then((ran) => ({ ...ran, relay }));
  };

  it("shows each day and target, and all together", async () => {
    const { code, out, err, relay } = await asking(ANSWER, "--from", "2026-03-01", "--to", "2026-03-04");
    expect(code, err).to.equal(0);
    expect(relay.asked.map(({ path }) => path)).to.deep.equal(["/v1/stats/orders?from=2026-03-01&to=2026-03-04"]);
    const words = out.split("\n").map((line) => line.trim().split(/ {2,}/));
    expect(words).to.deep.include(["2026-03-01", "3", "40", "40", "100.00 %"]);
    expect(words).to.deep.include(["2026-03-04", "refused", "2", "0", "1", "under 30", "provisional"]);
    expect(words).to.deep.include(["all", "42", "40", "1", "95.23 %"]);
    expect(out).to.contain("As of block 12, 2026-03-04T05:06:07.000Z.");
  });

  it("is the same in JSON, and a sentence where there is nothing", async () => {
    const { out } = await asking(ANSWER, "--json");
    expect(JSON.parse(out)).to.deep.equal(ANSWER);
    const none = await asking({ ...ANSWER, days: [], total: NO_ORDERS });
    expect(none.out).to.contain("No orders on these days.");
  });
});
