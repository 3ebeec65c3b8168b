import { expect } from "chai";
import * as fc from "fast-check";
import { parseCurrency, type Currency } from "../../../src/domain/currency.ts";
import { parseDecimal, powerOfTen } from "../../../src/domain/decimal.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { MAX_MINOR } from "../../../src/domain/money.ts";
import {
  compareRates,
  convertDown,
  formatRate,
  MAX_RATE_TERM,
  rateOfRatio,
  sourceForTargetUp,
  withMarginBps,
  type Rate,
} from "../../../src/domain/rate.ts";
import { anyCurrency, anyMinor, anyPositiveMinor, anyRate } from "./arbitraries.ts";

const CNY = parseCurrency("CNY");
const KRW = parseCurrency("KRW");

/** A rate from its quoted decimal, exactly: major units of `target` for one major unit of `source`. */
function rateFromDecimal(text: string, source: Currency, target: Currency): Rate {
  const { unscaled, scale } = parseDecimal(text, "rate");
  return rateOfRatio(unscaled * powerOfTen(target.minorDigits), powerOfTen(scale + source.minorDigits));
}

describe("rate", () => {
  it("refuses terms that do not fit 128 bits, and only in lowest terms", () => {
    expect(rateOfRatio(MAX_RATE_TERM * 10n, 10n)).to.deep.equal({ numerator: MAX_RATE_TERM, denominator: 1n });
    expect(() => rateOfRatio(MAX_RATE_TERM + 1n, 1n)).to.throw(InvalidInput, "2^128-1");
    expect(() => rateOfRatio(1n, MAX_RATE_TERM + 1n)).to.throw(InvalidInput, "2^128-1");
    expect(() => rateOfRatio(0n, 1n)).to.throw(InvalidInput, "more than zero");
    expect(() => rateOfRatio(1n, 0n)).to.throw(InvalidInput, "more than zero");
    expect(() => rateOfRatio(-1n, -1n)).to.throw(InvalidInput, "more than zero");
  });

  it("converts down: never more than the rate, never a whole unit less", () => {
    fc.assert(
      fc.property(anyMinor, anyRate, (source, rate) => {
        const target = convertDown(source, rate);
        expect(target * rate.denominator <= source * rate.numerator).to.equal(true);
        expect((target + 1n) * rate.denominator > source * rate.numerator).to.equal(true);
      }),
    );
  });

  it("finds the least source that buys a target", () => {
    fc.assert(
      fc.property(anyMinor, anyRate, (target, rate) => {
        const source = sourceForTargetUp(target, rate);
        fc.pre(source <= MAX_MINOR);
        expect(convertDown(source, rate) >= target).to.equal(true);
        if (source > 0n) expect(convertDown(source - 1n, rate) < target).to.equal(true);
      }),
    );
  });

  it("loses money to nobody when a sum is split: the parts together convert to at most the whole", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 10n ** 20n }), { maxLength: 20 }), anyRate, (parts, rate) => {
        const whole = convertDown(
          parts.reduce((sum, part) => sum + part, 0n),
          rate,
        );
        const split = parts.reduce((sum, part) => sum + convertDown(part, rate), 0n);
        expect(split <= whole).to.equal(true);
        expect(whole - split < BigInt(parts.length + 1)).to.equal(true);
      }),
    );
  });

  it("refuses amounts outside the ledger's", () => {
    const rate = rateOfRatio(1n, 1n);
    expect(() => convertDown(-1n, rate))
      .to.throw(InvalidInput)
      .with.property("field", "sourceMinor");
    expect(() => convertDown(MAX_MINOR + 1n, rate)).to.throw(InvalidInput);
    expect(() => sourceForTargetUp(-1n, rate))
      .to.throw(InvalidInput)
      .with.property("field", "targetMinor");
  });

  it("takes a margin off exactly", () => {
    expect(withMarginBps(rateOfRatio(781n, 100n), 50n)).to.deep.equal(rateOfRatio(781n * 9_950n, 100n * 10_000n));
    expect(withMarginBps(rateOfRatio(781n, 100n), 0n)).to.deep.equal(rateOfRatio(781n, 100n));
    for (const bps of [-1n, 10_000n]) {
      expect(() => withMarginBps(rateOfRatio(1n, 1n), bps))
        .to.throw(InvalidInput)
        .with.property("field", "marginBps");
    }
  });

  it("takes a margin to the customer's disadvantage, inside 128 bits and within rounding of the exact one", () => {
    fc.assert(
      fc.property(anyRate, fc.bigInt({ min: 0n, max: 9_999n }), (rate, bps) => {
        const exact = { numerator: rate.numerator * (10_000n - bps), denominator: rate.denominator * 10_000n };
        // Rates that span up to 112 of the 128 bits; beyond, the smaller term has no room for precision.
        fc.pre((MAX_RATE_TERM * exact.numerator) / exact.denominator >= 1n << 16n);
        fc.pre((MAX_RATE_TERM * exact.denominator) / exact.numerator >= 1n << 16n);
        const result = withMarginBps(rate, bps);
        expect(result.numerator <= MAX_RATE_TERM && result.denominator <= MAX_RATE_TERM).to.equal(true);
        expect(compareRates(result, exact)).to.be.at.most(0);
        const loss = exact.numerator * result.denominator - result.numerator * exact.denominator;
        // Each term is off by less than one part in 2^16.
        expect(loss * (1n << 15n) <= exact.numerator * result.denominator).to.equal(true);
      }),
    );
  });

  it("refuses a margin that leaves nothing", () => {
    expect(() => withMarginBps(rateOfRatio(1n, MAX_RATE_TERM), 1n)).to.throw(InvalidInput, "more than zero");
  });

  it("rounds down where a margin does not fit", () => {
    const result = withMarginBps(rateOfRatio(MAX_RATE_TERM, MAX_RATE_TERM - 1n), 1n);
    expect(result.numerator <= MAX_RATE_TERM && result.denominator <= MAX_RATE_TERM).to.equal(true);
    expect(compareRates(result, rateOfRatio(9_999n, 10_000n))).to.equal(1);
  });

  it("writes rates as they are quoted, rounded down", () => {
    expect(formatRate(rateFromDecimal("192.31", CNY, KRW), CNY, KRW, 4)).to.equal("192.3100");
    expect(formatRate(rateFromDecimal("192.39", CNY, KRW), CNY, KRW, 1)).to.equal("192.3");
    expect(formatRate(rateFromDecimal("0.0052", KRW, CNY), KRW, CNY, 0)).to.equal("0");
    for (const digits of [-1, 1.5, 39]) {
      expect(() => formatRate(rateOfRatio(1n, 1n), CNY, KRW, digits))
        .to.throw(InvalidInput)
        .with.property("field", "digits");
    }
  });

  it("reads back what it writes, wherever the digits suffice", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        fc.integer({ min: 1, max: 12 }),
        anyCurrency,
        anyCurrency,
        (unscaled, scale, source, target) => {
          const digits = unscaled.toString().padStart(scale + 1, "0");
          const text = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
          expect(formatRate(rateFromDecimal(text, source, target), source, target, scale)).to.equal(text);
        },
      ),
    );
  });

  it("orders rates by what they give for the same source", () => {
    fc.assert(
      fc.property(anyRate, anyRate, anyPositiveMinor, (left, right, source) => {
        const order = compareRates(left, right);
        expect(compareRates(right, left)).to.equal(order === 0 ? 0 : -order);
        const [less, more] = order <= 0 ? [left, right] : [right, left];
        expect(convertDown(source, less) <= convertDown(source, more)).to.equal(true);
      }),
    );
    expect(compareRates(rateOfRatio(1n, 3n), rateOfRatio(2n, 6n))).to.equal(0);
  });
});
