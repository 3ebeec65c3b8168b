import { expect } from "chai";
import * as fc from "fast-check";
import { apportion } from "../../../../sandbox/day/apportion.ts";

const anyWeights = fc
  .array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 80 })
  .filter((weights) => weights.some((weight) => weight > 0n));

describe("apportion", () => {
  it("adds up to the total, each share less than one from its proportion", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), anyWeights, (total, weights) => {
        const shares = apportion(total, weights);
        const sum = weights.reduce((running, weight) => running + weight, 0n);
        expect(shares.reduce((running, share) => running + share, 0)).to.equal(total);
        for (const [index, weight] of weights.entries()) {
          const error = BigInt(shares[index] ?? -1) * sum - BigInt(total) * weight;
          expect(error < sum && error > -sum, `share ${index}`).to.equal(true);
        }
      }),
    );
  });

  it("gives what is left over to the largest remainders, the earlier of two equal ones", () => {
    expect(apportion(10, [1n, 1n, 1n])).to.deep.equal([4, 3, 3]);
    // Exact shares 4.7, 3.2 and 2.1.
    expect(apportion(10, [47n, 32n, 21n])).to.deep.equal([5, 3, 2]);
    expect(apportion(1, [0n, 5n, 5n])).to.deep.equal([0, 1, 0]);
    expect(apportion(0, [3n, 1n])).to.deep.equal([0, 0]);
  });

  it("refuses weights that are all zero", () => {
    expect(() => apportion(5, [0n, 0n])).to.throw(RangeError, /weights/);
    expect(() => apportion(5, [])).to.throw(RangeError, /weights/);
  });
});
