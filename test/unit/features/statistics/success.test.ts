import { expect } from "chai";
import { fakeRelay, run } from "../../cli/fixtures.ts";

const FIGURES = { opened: 42, settled: 36, rejected: 3, expired: 1, open: 2 };
const UNPAID = [
  { reason: "AC03", class: "payee", transfers: 2 },
  { reason: "BE23", class: "payee", transfers: 1 },
  { reason: "AB03", class: "time", transfers: 1 },
];
const CORRIDOR = { source: 7, target: 4, sourceCurrency: "HKD", targetCurrency: "PHP" };
const ANSWER = {
  block: 812,
  at: "2026-11-30T21:00:00.000Z",
  from: "2026-11-24",
  to: "2026-11-30",
  corridors: [
    { day: "2026-11-29", ...CORRIDOR, isProvisional: true, ...FIGURES, rate: "90.00", unpaid: UNPAID },
    {
      day: "2026-11-30",
      ...CORRIDOR,
      isProvisional: true,
      ...{ opened: 3, settled: 2, rejected: 0, expired: 0, open: 1, unpaid: [] },
    },
  ],
  total: { opened: 45, settled: 38, rejected: 3, expired: 1, open: 3, rate: "90.47", unpaid: UNPAID },
};

describe("feiqian stats success", () => {
  it("asks the relay, and shows the reasons by class, a rate where it is of thirty or more, and what is provisional", async () => {
    const relay = fakeRelay(() => ({ body: ANSWER }));
    const ran = await run(["stats", "success", "--from", "2026-11-24"], { fetch: relay.fetch });
    expect(ran.code, ran.err).to.equal(0);
    expect(relay.asked.map(({ method, path }) => `${method} ${path}`)).to.deep.equal([
      "GET /v1/stats/success?from=2026-11-24",
    ]);
    const lines = ran.out.split("\n").filter((line) => !line.startsWith("─"));
    expect(lines.map((line) => line.replace(/ {2,}/g, " | "))).to.deep.equal([
      "day | from → to | opened | settled | payee | time | open | rate",
      "2026-11-29 | 7 → 4, HKD → PHP | 42 | 36 | 3 | 1 | 2 | 90.00 % | provisional",
      "2026-11-30 | 7 → 4, HKD → PHP | 3 | 2 | 1 | under 30 | provisional",
      "all | 45 | 38 | 3 | 1 | 3 | 90.47 %",
      "",
      "As of block 812, 2026-11-30T21:00:00.000Z.",
      "",
    ]);
  });

  it("says where nothing came onto the ledger", async () => {
    const relay = fakeRelay(() => ({ body: { ...ANSWER, corridors: [] } }));
    const ran = await run(["stats", "success"], { fetch: relay.fetch });
    expect(ran.out).to.match(/^No transfers came onto the ledger on these days\. As of block 812/);
  });

  it("takes the ledger and its addresses together, and asks nobody for days that there are not", async () => {
    for (const [args, code, told] of [
      [["--ledger", "http://127.0.0.1:1"], 2, "--addresses"],
      [["--addresses", "a.json"], 2, "--ledger"],
      [["--block", "7"], 2, "--ledger"],
      [["--ledger", "http://127.0.0.1:1", "--addresses", "/nowhere.json"], 4, "--addresses"],
    ] as const) {
      const ran = await run(["stats", "success", ...args]);
      expect([args.join(" "), ran.code], ran.err).to.deep.equal([args.join(" "), code]);
      expect(ran.err).to.contain(told);
    }
  });
});
