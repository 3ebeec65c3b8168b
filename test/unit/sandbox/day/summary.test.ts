import { expect } from "chai";
import { summarize } from "../../../../sandbox/day/summary.ts";
import { ALIPAY_HK, DANA, finishedDay, GCASH, RATES, TOUCH_N_GO } from "./day-support.ts";

const { day, measured, reconciliation } = finishedDay([
  {
    source: ALIPAY_HK,
    target: GCASH,
    amounts: [10_000n, 5_000n],
    rate: 7_200n,
    outcomes: ["settled", "rejected"],
    gasUsed: 300_000n,
    latencyMs: 40.04,
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
  { source: ALIPAY_HK, target: GCASH, amounts: [1_000n], rate: 7_200n, outcomes: ["expired"], gasUsed: 190_000n },
]);

describe("the summary of a day", () => {
  const summary = summarize(day, measured, reconciliation, RATES);

  it("counts what became of the transfers, by corridor and in all", () => {
    const { transfers, settled, rejected, expired, unaccounted, batches } = summary;
    expect({ transfers, settled, rejected, expired, unaccounted, batches }).to.deep.equal({
      transfers: 4,
      settled: 2,
      rejected: 1,
      expired: 1,
      unaccounted: 0,
      batches: 3,
    });
    expect(summary.rejections).to.deep.equal({ AC03: 1 });
    expect(summary.replays).to.equal(4);
    expect(
      summary.corridors.map((corridor) => [
        corridor.source,
        corridor.target,
        corridor.transfers,
        corridor.settled,
        corridor.rejected,
        corridor.expired,
      ]),
    ).to.deep.equal([
      [7, 4, 3, 1, 1, 1],
      [8, 6, 1, 1, 0, 0],
    ]);
  });

  it("tells what customers paid: what was taken from them, less what arrived at the mid-market rate", () => {
    const [hongKong, malaysia] = summary.corridors;
    // 100.00 HKD and 0.05 of fee were taken; 720.00 PHP at 58 PHP for 8 HKD are 99.31 HKD.
    expect(hongKong).to.deep.include({ volume: 16_000n, settledVolume: 10_000n, paid: 10_005n - 9_931n });
    expect([hongKong?.worldBank, hongKong?.worldBankCost]).to.deep.equal([undefined, undefined]);
    // 200.00 MYR and 0.10 of fee; 796,000.00 IDR at 4,000 IDR are 199.00 MYR. The World Bank's price is 5.39 %.
    expect(malaysia).to.deep.include({ volume: 20_000n, settledVolume: 20_000n, paid: 110n, worldBankCost: 1_078n });
    expect(malaysia?.worldBank).to.deep.equal({ costBps: 539n, quarter: "2020Q3" });
  });

  it("adds up in US cents: what has a World Bank price, and what has settled", () => {
    // 1.10 MYR and 10.78 MYR at 4 MYR a dollar, rounded down.
    expect([summary.paidUsdCents, summary.worldBankUsdCents]).to.deep.equal([27n, 269n]);
    // 100.00 HKD at 8 and 200.00 MYR at 4.
    expect(summary.settledUsdCents).to.equal(1_250n + 5_000n);
  });

  it("counts gas and time by transfer", () => {
    // 730,001 for four transfers; 430,001 for the two that were alone in their batches.
    expect([summary.gasPerTransfer, summary.gasPerTransferInBatchesOfOne]).to.deep.equal([182_500, 215_000]);
    // One transfer was credited after 40 ms, one after 100 ms.
    expect([summary.p50Ms, summary.p99Ms]).to.deep.equal([40, 100.1]);
    // The last of them was sent alone.
    expect(summary.aloneP50Ms).to.equal(100.1);
  });

  it("has no figures where nothing was measured", () => {
    const amounts = [1_000n, 2_000n];
    const other = finishedDay([
      { source: ALIPAY_HK, target: GCASH, amounts, rate: 7_200n, outcomes: ["expired", "expired"], gasUsed: 1_000n },
    ]);
    const { p50Ms, p99Ms, aloneP50Ms, gasPerTransfer, gasPerTransferInBatchesOfOne } = summarize(
      other.day,
      other.measured,
      other.reconciliation,
      RATES,
    );
    expect(aloneP50Ms).to.equal(null);
    expect([p50Ms, p99Ms, gasPerTransfer, gasPerTransferInBatchesOfOne]).to.deep.equal([null, null, 500, null]);
    const empty = finishedDay([]);
    expect(summarize(empty.day, empty.measured, empty.reconciliation, RATES)).to.deep.include({
      transfers: 0,
      gasPerTransfer: 0,
      corridors: [],
    });
  });

  it("counts what failed before it was on the ledger, although it is in no batch", () => {
    const plan = { source: ALIPAY_HK, target: GCASH, rate: 7_200n, gasUsed: 1_000n };
    const other = finishedDay([
      { ...plan, amounts: [1_000n], outcomes: ["settled"], latencyMs: 9 },
      { ...plan, amounts: [2_000n, 3_000n], outcomes: ["failed", "failed"] },
    ]);
    const { transfers, settled, failed, batches, gasPerTransfer, corridors } = summarize(
      other.day,
      other.measured,
      other.reconciliation,
      RATES,
    );
    expect([transfers, settled, failed, batches, gasPerTransfer]).to.deep.equal([3, 1, 2, 1, 1_000]);
    expect(corridors[0]).to.deep.include({ transfers: 3, failed: 2, volume: 6_000n, settledVolume: 1_000n });
  });

  it("weighs time by the customers who were credited", () => {
    const plan = { source: ALIPAY_HK, target: GCASH, rate: 7_200n, gasUsed: 1n };
    const other = finishedDay([
      { ...plan, amounts: [1_000n, 1_000n, 1_000n], outcomes: ["settled", "settled", "settled"], latencyMs: 9 },
      { ...plan, amounts: [1_000n, 1_000n], outcomes: ["rejected", "settled"], latencyMs: 1 },
    ]);
    expect(summarize(other.day, other.measured, other.reconciliation, RATES).p50Ms).to.equal(9);
  });
});
