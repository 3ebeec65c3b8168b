import { expect } from "chai";
import * as fc from "fast-check";
import { createRandom, type Random } from "../../../src/kernel/random.ts";

/** sfc32 as its author states it, in 64-bit arithmetic that cannot overflow silently. */
function referenceSfc32(state: readonly [bigint, bigint, bigint, bigint]): () => bigint {
  const mask = 2n ** 32n - 1n;
  let [a, b, c, counter] = state;
  return () => {
    const result = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = ((((c << 21n) | (c >> 11n)) & mask) + result) & mask;
    return result;
  };
}

const draws = (random: Random, count: number) => Array.from({ length: count }, () => random.uint32());

describe("random", () => {
  it("is sfc32 seeded with SHA-256 of the text", () => {
    // SHA-256("abc") begins ba7816bf 8f01cfea 414140de 5dae2223 (FIPS 180-4).
    const reference = referenceSfc32([0xba7816bfn, 0x8f01cfean, 0x414140den, 0x5dae2223n]);
    for (let skipped = 0; skipped < 12; skipped++) reference();
    const expected = Array.from({ length: 1_000 }, () => reference());
    expect(draws(createRandom("abc"), 1_000).map(BigInt)).to.deep.equal(expected);
  });

  it("gives the same sequence for the same seed and another for another", () => {
    expect(draws(createRandom("1"), 20)).to.deep.equal(draws(createRandom("1"), 20));
    expect(draws(createRandom("1"), 20)).to.not.deep.equal(draws(createRandom("2"), 20));
  });

  it("forks by seed and label alone, however much was drawn before", () => {
    const fresh = createRandom("seed");
    const used = createRandom("seed");
    draws(used, 100);
    expect(draws(used.fork("part"), 20)).to.deep.equal(draws(fresh.fork("part"), 20));
    expect(draws(fresh.fork("part"), 20)).to.not.deep.equal(draws(fresh.fork("other"), 20));
    expect(draws(fresh.fork("part"), 20)).to.not.deep.equal(draws(createRandom("seed"), 20));
  });

  it("draws below a bound, every value about equally often", () => {
    const random = createRandom("bound");
    const counts = new Array<number>(7).fill(0);
    for (let draw = 0; draw < 70_000; draw++) {
      const value = random.below(7);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    // 10,000 expected, standard deviation 93.
    for (const count of counts) expect(count).to.be.within(9_500, 10_500);
  });

  it("stays below any bound", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, bound) => {
        const value = createRandom(seed).below(bound);
        expect(value).to.be.within(0, bound - 1);
        expect(Number.isInteger(value)).to.equal(true);
      }),
    );
  });

  for (const bound of [0, -1, 1.5, Number.NaN, 2 ** 32 + 1]) {
    it(`refuses the bound ${bound}`, () => {
      expect(() => createRandom("x").below(bound)).to.throw(RangeError, /bound/);
    });
  }

  it("picks by weight, never what weighs nothing", () => {
    const random = createRandom("weights");
    const counts = [0, 0, 0, 0];
    for (let draw = 0; draw < 40_000; draw++) {
      const index = random.weighted([0, 1, 0, 3]);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    expect(counts[0]).to.equal(0);
    expect(counts[2]).to.equal(0);
    // 10,000 expected, standard deviation 87.
    expect(counts[1]).to.be.within(9_600, 10_400);
  });

  it("refuses weights that are none, negative or broken", () => {
    for (const weights of [[], [0, 0], [2, -1], [0.5]]) {
      expect(() => createRandom("x").weighted(weights), JSON.stringify(weights)).to.throw(RangeError);
    }
    expect(() => createRandom("x").pick([])).to.throw(RangeError, /items/);
  });

  it("shuffles to a permutation and leaves the original as it was", () => {
    const items = Array.from({ length: 100 }, (_, index) => index);
    const shuffled = createRandom("shuffle").shuffle(items);
    expect(shuffled).to.not.deep.equal(items);
    expect(shuffled.toSorted((a, b) => a - b)).to.deep.equal(items);
    expect(items[99]).to.equal(99);
  });

  it("puts every item in every place when shuffling", () => {
    const random = createRandom("places");
    const counts = new Map<string, number>();
    for (let round = 0; round < 6_000; round++) {
      const order = random.shuffle(["a", "b", "c"]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).to.equal(6);
    // 1,000 expected, standard deviation 29.
    for (const count of counts.values()) expect(count).to.be.within(850, 1_150);
  });

  it("gives bytes of the length asked for, of all values", () => {
    const bytes = createRandom("bytes").bytes(10_000);
    expect(bytes.length).to.equal(10_000);
    expect(new Set(bytes).size).to.equal(256);
  });
});
