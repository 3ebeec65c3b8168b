import { expect } from "chai";
import { describePath, peakOf, timesFloorOf, type PathFigures } from "../../../scripts/bench/report.ts";
import { costOf, type Usage } from "../../../scripts/bench/usage.ts";

const BEFORE: Usage = {
  processes: [
    { process: "relay", ms: 1_000, peakMb: 100 },
    { process: "PostgreSQL", ms: 40, peakMb: undefined },
  ],
  walBytes: 5_000,
  syncs: 10,
  transactions: 4,
};
const AFTER: Usage = {
  processes: [
    { process: "relay", ms: 2_500, peakMb: 180 },
    { process: "PostgreSQL", ms: 1_040, peakMb: undefined },
  ],
  walBytes: 25_000,
  syncs: 30,
  transactions: 14,
};

const COST = costOf(BEFORE, AFTER, 5_000);
const FLOOR = [
  { what: "rows", microseconds: 60, seconds: 2 },
  { what: "hashes", microseconds: 40, seconds: 0.5 },
];

function figures(given: Partial<PathFigures> = {}): PathFigures {
  return {
    transfers: 5_000,
    batchTransfers: 1_000,
    acceptedSeconds: 2,
    latency: undefined,
    confirmedSeconds: 4,
    ...COST,
    peak: peakOf(5_000, 4),
    floor: FLOOR,
    timesFloor: timesFloorOf(COST, FLOOR),
    naive: undefined,
    ...given,
  };
}

describe("What the path's measurement tells", () => {
  it("is what was used between two moments, by transfer, and memory as it was at the most", () => {
    expect(COST).to.deep.equal({
      processes: [
        { process: "relay", microseconds: 300, peakMb: 180 },
        { process: "PostgreSQL", microseconds: 200, peakMb: undefined },
      ],
      walBytes: 4,
      syncs: 4,
      transactions: 2,
    });
  });

  it("is the seconds that 2.85 million take, projected from fewer and measured of as many", () => {
    const projected = peakOf(100_000, 50);
    expect(projected).to.deep.equal({ transfers: 2_850_000, meantSeconds: 60, seconds: 1_425, isProjected: true });
    expect(peakOf(2_850_000, 90)).to.deep.include({ seconds: 90, isProjected: false });
    expect(describePath(figures({ peak: projected }))).to.include(
      "2.85 million are meant to take 60 s (47500/s): they take 1425 s at this rate (projected), 23.8 times as long",
    );
    expect(describePath(figures({ peak: peakOf(2_850_000, 90) })))
      .to.include("they take 90 s, 1.5 times as long")
      .and.not.include("projected");
  });

  it("is how many times the floor's processor time a transfer takes", () => {
    expect(timesFloorOf(COST, FLOOR)).to.equal(5);
    expect(describePath(figures()))
      .to.include("a transfer takes 5.0 times the processor time of the floor")
      .and.match(/^one after the other +100\.0 +2000$/m);
  });

  it("is a table of processes with their sum, and of the plain way only where that was asked for", () => {
    expect(describePath(figures()))
      .to.match(/^relay +300 +180$/m)
      .and.match(/^PostgreSQL +200$/m)
      .and.match(/^all +500$/m)
      .and.not.include("one by one");
    const naive = { ...COST, transfers: 100, seconds: 2, transactions: 1_000 };
    expect(describePath(figures({ naive })))
      .to.match(/^transfers\/s +1250 +50$/m)
      .and.match(/^ledger transactions for 1,000 +2\.00 +1000$/m);
  });

  it("has how long a submission waits for its answer where each was sent alone", () => {
    const text = describePath(figures({ latency: { p50: 3.04, p99: 12 } }));
    expect(text).to.include("each sent alone, answered after 3.0 ms (p50), 12.0 ms (p99)");
  });
});
