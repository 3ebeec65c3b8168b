import { expect } from "chai";
import fc from "fast-check";
import { backoffMs } from "../../../src/kernel/retry.ts";

describe("the back-off", () => {
  const backoff = { firstDelayMs: 100, maxDelayMs: 1_000 };

  it("doubles up to the maximum", () => {
    const full = [1, 2, 3, 4, 5, 6, 5_000].map((attempt) => backoffMs(attempt, backoff, () => 0.999_999));
    expect(full).to.deep.equal([100, 200, 400, 800, 1_000, 1_000, 1_000]);
  });

  it("stays in the upper half, whatever is drawn", () => {
    const draws = fc.record({
      attempt: fc.nat(10_000),
      fraction: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    });
    fc.assert(
      fc.property(draws, ({ attempt, fraction }) => {
        const fullMs = Math.min(1_000, 100 * 2 ** Math.max(0, attempt - 1));
        expect(backoffMs(attempt, backoff, () => fraction)).to.be.within(fullMs / 2, fullMs);
      }),
    );
  });
});
