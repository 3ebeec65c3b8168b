import { expect } from "chai";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import {
  corridorTable,
  figures,
  PROVIDER_NAMES,
  reconciliationTable,
  summaryJson,
} from "../../../../sandbox/day/report.ts";
import { successJson } from "../../../../src/features/statistics/success-json.ts";
import { summarize } from "../../../../sandbox/day/summary.ts";
import { ALIPAY_HK, DANA, finishedDay, GCASH, RATES, TOUCH_N_GO } from "./day-support.ts";

const SUCCESS = successJson({ block: 9, timeSeconds: 0, counts: [] }, { from: 0, to: 0 });

const { day, measured, reconciliation } = finishedDay([
  {
    source: ALIPAY_HK,
    target: GCASH,
    amounts: [123_456_700n, 5_000n],
    rate: 7_200n,
    outcomes: ["settled", "rejected"],
    gasUsed: 300_000n,
    latencyMs: 40,
  },
  {
    source: TOUCH_N_GO,
    target: DANA,
    amounts: [20_000n],
    rate: 3_980_000n,
    outcomes: ["settled"],
    gasUsed: 240_001n,
    latencyMs: 100.06,
  },
  { source: DANA, target: GCASH, amounts: [1_000n], rate: 4_000n, outcomes: ["expired"], gasUsed: 190_000n },
]);
const summary = summarize(day, measured, reconciliation, RATES);

/** The cells of a line: two spaces part them, one is inside. */
const cells = (line: string | undefined) => (line ?? "").trim().split(/ {2,}/);

describe("the report of a day", () => {
  it("has a line per corridor: amounts in major units, shares in percent, the World Bank's price where there is one", () => {
    const [titles, , hongKong, malaysia, indonesia, ...more] = corridorTable(summary).split("\n");
    expect(cells(titles)).to.deep.equal([
      "corridor",
      "transfers",
      "volume",
      "settled",
      "rejected",
      "expired",
      "failed",
      "customers paid",
      "World Bank price",
      "customers saved",
    ]);
    expect(cells(hongKong)).to.deep.equal(["AlipayHK → GCash", "2", "1,234,617.00 HKD", "1", "1", "0.74 %", "none"]);
    expect(cells(malaysia).slice(0, 6)).to.deep.equal([
      "Touch 'n Go → DANA",
      "1",
      "200.00 MYR",
      "1",
      "0.55 %",
      "5.39 % (2020Q3)",
    ]);
    // 10.78 at the World Bank's price less 1.10.
    expect(malaysia).to.match(/9\.68(?: MYR)?$/);
    expect(cells(indonesia)).to.deep.equal(["DANA → GCash", "1", "10.00 IDR", "0", "1", "none"]);
    expect(more).to.deep.equal([]);
  });

  it("has a line per currency of the reconciliation, with the sign of a difference", () => {
    const row = { deposited: 1_000_00n, available: 400_00n, held: 5n, withdrawn: 600_00n, tokens: 400_05n };
    const table = reconciliationTable({
      ...reconciliation,
      currencies: [
        { ...row, currency: parseCurrency("PHP").code, difference: -5n },
        { ...row, currency: parseCurrency("KRW").code, difference: 0n },
      ],
    });
    const [titles, , php, krw] = table.split("\n");
    expect(cells(titles)).to.deep.equal([
      "currency",
      "deposited",
      "available",
      "held",
      "withdrawn",
      "tokens there",
      "difference",
    ]);
    const digits = (line: string | undefined) => cells(line).map((cell) => cell.replaceAll(/,| [A-Z]{3}$/g, ""));
    expect(digits(php)).to.deep.equal(["PHP", "1000.00", "400.00", "0.05", "600.00", "400.05", "-0.05"]);
    expect(digits(krw)).to.deep.equal(["KRW", "100000", "40000", "5", "60000", "40005", "0"]);
  });

  it("tells the figures in words", () => {
    const lines = new Map(
      figures(summary)
        .split("\n")
        .map((line) => [line.slice(0, 16).trim(), line.slice(18)] as const),
    );
    expect(lines.get("transfers")).to.equal("4 in 3 batches, about 154,370.87 USD settled");
    expect(lines.get("settled")).to.equal("2");
    expect(lines.get("rejected")).to.equal("1 (1 AC03)");
    expect(lines.get("expired")).to.equal("1, refunded");
    expect(lines.get("unaccounted")).to.equal("0");
    expect(lines.get("failed")).to.equal("0, refunded");
    expect(lines.get("repeats")).to.equal("4: every order was submitted twice, and got the same answer");
    expect(lines.get("latency")).to.match(/^p50 40 ms, p99 100\.1 ms/);
    expect(lines.get("gas per transfer")).to.equal("182500; in batches of one 215000");
    expect(lines.get("customers paid")).to.match(/^0\.27 USD where .*; at its price 2\.69 USD$/);

    const plan = { source: DANA, target: GCASH, rate: 4_000n, gasUsed: 1n };
    const failed = finishedDay([{ ...plan, amounts: [1_000n, 2_000n], outcomes: ["failed", "failed"] }]);
    const told = figures(summarize(failed.day, failed.measured, failed.reconciliation, RATES));
    expect(told).to.match(/^failed +2 \(2 AM04\), refunded$/m);
    const [, , line] = corridorTable(summarize(failed.day, failed.measured, failed.reconciliation, RATES)).split("\n");
    expect(cells(line)).to.deep.equal(["DANA → GCash", "2", "30.00 IDR", "0", "2", "none"]);

    const empty = finishedDay([]);
    const without = figures(summarize(empty.day, empty.measured, empty.reconciliation, RATES));
    expect(without).to.match(/^rejected +0$/m);
    expect(without).to.match(/^latency +p50 not measured, p99 not measured/m);
    expect(without).to.match(/in batches of one not measured$/m);
  });

  it("is JSON on one line, with amounts of money as text", () => {
    const json = summaryJson(summary, SUCCESS);
    expect(json).not.to.contain("\n");
    const parsed = JSON.parse(json) as Record<string, unknown>; // an object, as the next line shows
    expect(parsed).to.deep.include({ transfers: 4, settled: 2, rejected: 1, expired: 1, unaccounted: 0, p50Ms: 40 });
    expect(parsed).to.deep.include({ settledUsdCents: "15437087", paidUsdCents: "27", success: SUCCESS });
  });

  it("names both providers", () => {
    expect(PROVIDER_NAMES).to.equal("Lion City FX and Pearl River FX");
  });
});
