import { expect } from "chai";
import * as fc from "fast-check";
import { percentile } from "../../../src/kernel/percentile.ts";

describe("a percentile", () => {
  it("is the nearest rank", () => {
    // The example of the definition: https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method
    const values = [15, 20, 35, 40, 50];
    expect([5, 30, 40, 50, 100].map((percent) => percentile(values, percent))).to.deep.equal([15, 20, 20, 35, 50]);
    expect(percentile([3], 99)).to.equal(3);
    expect(percentile(values, 0)).to.equal(15);
    expect(percentile([], 50)).to.equal(undefined);
  });

  it("does not depend on the order, and leaves it as it is", () => {
    const values = [50, 15, 40, 20, 35];
    expect(percentile(values, 50)).to.equal(35);
    expect(values).to.deep.equal([50, 15, 40, 20, 35]);
  });

  it("is the smallest value that so many do not exceed", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 100 }),
        (values, percent) => {
          const found = percentile(values, percent) ?? -1;
          const share = (limit: number) => values.filter((value) => value <= limit).length * 100;
          expect(values).to.include(found);
          expect(share(found)).to.be.at.least(percent * values.length);
          expect(share(found - 1)).to.be.below(percent * values.length);
        },
      ),
    );
  });
});
