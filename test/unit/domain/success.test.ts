import { expect } from "chai";
import { parseCurrency } from "../../../src/domain/currency.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import {
  endedCounts,
  isFixed,
  successByCorridor,
  successFigures,
  successRate,
  type OutcomeCount,
} from "../../../src/domain/success.ts";

const DAY = 20_787;
const OPENED: OutcomeCount = {
  day: DAY,
  source: parsePartnerId(7),
  target: parsePartnerId(4),
  sourceCurrency: parseCurrency("HKD").code,
  targetCurrency: parseCurrency("PHP").code,
  outcome: "opened",
  transfers: 5,
};
const leaf = `0x${"11".repeat(32)}` as const;

describe("success", () => {
  it("counts each rejection by its code, and the rest by how the batch ended", () => {
    const rejected = [
      { leaf, code: "0x41433033" },
      { leaf, code: "0x41433033" },
      { leaf, code: "0x00000000" },
    ] as const;
    const counts = [OPENED, ...endedCounts(OPENED, { status: "settled", rejected }, DAY)];
    expect(successFigures(counts)).to.deep.equal({
      opened: 5,
      settled: 2,
      rejected: 3,
      expired: 0,
      open: 0,
      unpaid: [
        { reason: "AC03", reasonClass: "payee", transfers: 2 },
        { reason: "0x00000000", reasonClass: "untold", transfers: 1 },
      ],
    });
    // A batch that is rejected as a whole, with a code for one alone.
    const whole = endedCounts(OPENED, { status: "rejected", rejected: rejected.slice(0, 1) }, DAY);
    expect(successFigures([OPENED, ...whole])).to.deep.include({ settled: 0, rejected: 5, open: 0 });
    expect(successFigures(whole).unpaid[0]).to.deep.equal({ reason: "none", reasonClass: "untold", transfers: 4 });
  });

  it("adds what expired to those that were rejected for the same reason", () => {
    const timedOut = endedCounts(
      OPENED,
      { status: "rejected", rejected: Array(5).fill({ leaf, code: "0x41423033" }) },
      DAY,
    );
    const expired = endedCounts(OPENED, { status: "expired", rejected: [] }, DAY);
    const { unpaid, ...sums } = successFigures([OPENED, OPENED, ...timedOut, ...expired]);
    expect(sums).to.deep.equal({ opened: 10, settled: 0, rejected: 5, expired: 5, open: 0 });
    expect(unpaid).to.deep.equal([{ reason: "AB03", reasonClass: "time", transfers: 10 }]);
  });

  it("leaves out what ends when the day's figures are fixed: it stays open", () => {
    const settled = { status: "settled", rejected: [] } as const;
    expect(endedCounts(OPENED, settled, DAY + 2)).to.have.length(1);
    expect(endedCounts(OPENED, settled, DAY + 3)).to.deep.equal([]);
    expect(isFixed(DAY, DAY + 2)).to.equal(false);
    expect(isFixed(DAY, DAY + 3)).to.equal(true);
  });

  it("is a rate only of thirty or more, rounded down: nothing but all is 100 %", () => {
    expect(successRate(29, 29)).to.equal(undefined);
    expect(successRate(0, 0)).to.equal(undefined);
    expect(successRate(30, 30)).to.equal("100.00");
    expect(successRate(99_999, 100_000)).to.equal("99.99");
    expect(successRate(0, 30)).to.equal("0.00");
    expect(successRate(1, 1_000)).to.equal("0.10");
    expect(successRate(1, 10_000)).to.equal("0.01");
    expect(successRate(4_871, 5_000)).to.equal("97.42");
  });

  it("is in the order of days and corridors", () => {
    const of = (day: number, source: number, target: number): OutcomeCount => {
      return { ...OPENED, day, source: parsePartnerId(source), target: parsePartnerId(target) };
    };
    const counts = [of(DAY + 1, 1, 4), of(DAY, 11, 4), of(DAY, 7, 10), of(DAY, 7, 4), of(DAY, 7, 4)];
    expect(
      successByCorridor(counts).map(({ day, source, target, figures }) => [day, source, target, figures.opened]),
    ).to.deep.equal([
      [DAY, 7, 4, 10],
      [DAY, 7, 10, 5],
      [DAY, 11, 4, 5],
      [DAY + 1, 1, 4, 5],
    ]);
  });
});
