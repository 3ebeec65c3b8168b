import { expect } from "chai";
import { addTallies, describeTally, failuresIn, tallyOf } from "../../../scripts/lib/tally.ts";

describe("tally of a suite", () => {
  it("reads mocha's closing lines", () => {
    const lines = [
      "  quotes",
      "    ✔ 2 failing providers are passed over",
      "",
      "  14 passing (1m, 3s)",
      "  2 pending",
      "",
    ];
    expect(tallyOf(lines, 0)).to.deep.equal({ tally: { passed: 14, failed: 0, skipped: 2 } });
  });

  it("reads those of Hardhat's Solidity runner", () => {
    expect(tallyOf(["  3 passing", "  1 failing", "  1 skipped"], 1)).to.deep.equal({
      tally: { passed: 3, failed: 1, skipped: 1 },
    });
  });

  it("takes no test's title for a count", () => {
    const lines = ["  3 failing couriers", "    ✔ 1 failing", "  5 passing (20ms)"];
    expect(tallyOf(lines, 0).tally).to.deep.equal({ passed: 5, failed: 0, skipped: 0 });
  });

  it("counts a suite that fails without a failing test as one failure", () => {
    const { tally, complaint } = tallyOf(["  3 passing", "Snapshot check failed"], 1);
    expect(tally).to.deep.equal({ passed: 3, failed: 1, skipped: 0 });
    expect(complaint).to.equal("ended with status 1 although no test failed");
  });

  it("counts a suite that a signal ended, or that ran nothing, as one failure", () => {
    expect(tallyOf(["  3 passing"], null).tally.failed).to.equal(1);
    expect(tallyOf(["  0 passing (1ms)"], 0)).to.deep.include({ complaint: "ran no tests" });
  });

  it("tells again what the runner says of what failed, and nothing where nothing did", () => {
    const lines = [
      "  quotes",
      "    1) expire",
      "",
      "  3 passing (2s)",
      "  1 failing",
      "",
      "  1) quotes",
      "       expire:",
      "",
    ];
    expect(failuresIn(lines)).to.deep.equal(["  1 failing", "  1) quotes", "       expire:"]);
    expect(failuresIn(["    ✔ 2 failing providers are passed over", "  3 passing (2s)"])).to.deep.equal([]);
  });

  it("adds suites up", () => {
    const total = addTallies([
      { passed: 1, failed: 0, skipped: 2 },
      { passed: 10, failed: 1, skipped: 0 },
    ]);
    expect(describeTally(total)).to.equal("11 passed, 1 failed, 2 skipped");
  });
});
