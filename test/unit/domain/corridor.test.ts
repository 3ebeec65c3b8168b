import { expect } from "chai";
import * as fc from "fast-check";
import {
  corridorFromId,
  corridorId,
  corridorKey,
  feeForSettledUp,
  isSameCurrency,
  networkFeeUp,
} from "../../../src/domain/corridor.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { MAX_MINOR } from "../../../src/domain/money.ts";
import { anyCurrency, anyMinor, anyPartner, anyPositiveMinor, CNY_TO_PHP, HKD_TO_HKD } from "./arbitraries.ts";

describe("corridor", () => {
  it("has a text and a number", () => {
    expect(corridorKey(CNY_TO_PHP)).to.equal("1:CNY>4:PHP");
    expect(corridorId(CNY_TO_PHP)).to.equal((1n << 48n) | (156n << 32n) | (4n << 16n) | 608n);
    expect(isSameCurrency(CNY_TO_PHP)).to.equal(false);
    expect(isSameCurrency(HKD_TO_HKD)).to.equal(true);
  });

  it("is read back from its number", () => {
    fc.assert(
      fc.property(anyPartner, anyCurrency, anyPartner, anyCurrency, (source, from, target, to) => {
        const corridor = { source, sourceCurrency: from.code, target, targetCurrency: to.code };
        expect(corridorFromId(corridorId(corridor))).to.deep.equal(corridor);
      }),
    );
  });

  for (const [id, field] of [
    [-1n, "corridor"],
    [1n << 64n, "corridor"],
    [0n, "corridor.source"],
    [1n << 48n, "corridor.sourceCurrency"],
    [(1n << 48n) | (156n << 32n), "corridor.target"],
    [(1n << 48n) | (156n << 32n) | (4n << 16n) | 999n, "corridor.targetCurrency"],
  ] as const) {
    it(`is not 0x${id.toString(16)}: ${field}`, () => {
      expect(() => corridorFromId(id))
        .to.throw(InvalidInput)
        .with.property("field", field);
    });
  }
});

describe("network fee", () => {
  it("is rounded up by less than a unit", () => {
    fc.assert(
      fc.property(anyMinor, fc.bigInt({ min: 0n, max: 10_000n }), (total, bps) => {
        const fee = networkFeeUp(total, bps);
        expect(fee * 10_000n >= total * bps).to.equal(true);
        expect((fee - 1n) * 10_000n < total * bps).to.equal(true);
        expect(fee <= total).to.equal(true);
      }),
    );
    expect(networkFeeUp(1n, 1n)).to.equal(1n);
    expect(networkFeeUp(10_000n, 30n)).to.equal(30n);
    expect(networkFeeUp(MAX_MINOR, 10_000n)).to.equal(MAX_MINOR);
  });

  for (const [total, bps, field] of [
    [1n, -1n, "feeBps"],
    [1n, 10_001n, "feeBps"],
    [-1n, 1n, "sourceTotal"],
    [MAX_MINOR + 1n, 1n, "sourceTotal"],
  ] as const) {
    it(`refuses ${total} at ${bps} basis points`, () => {
      expect(() => networkFeeUp(total, bps))
        .to.throw(InvalidInput)
        .with.property("field", field);
    });
  }

  it("for what settles is rounded up, grows with it, and never exceeds the fee held", () => {
    fc.assert(
      fc.property(anyMinor, anyPositiveMinor, anyMinor, anyMinor, (fee, total, first, second) => {
        const [less, more] = [first % (total + 1n), second % (total + 1n)].sort((a, b) => (a < b ? -1 : 1));
        const charged = feeForSettledUp(fee, less ?? 0n, total);
        expect(charged * total >= fee * (less ?? 0n)).to.equal(true);
        expect((charged - 1n) * total < fee * (less ?? 0n)).to.equal(true);
        expect(charged <= feeForSettledUp(fee, more ?? 0n, total)).to.equal(true);
        expect(charged <= fee).to.equal(true);
      }),
    );
    expect(feeForSettledUp(7n, 0n, 100n)).to.equal(0n);
    expect(feeForSettledUp(7n, 1n, 100n)).to.equal(1n);
    expect(feeForSettledUp(7n, 100n, 100n)).to.equal(7n);
    expect(feeForSettledUp(MAX_MINOR, MAX_MINOR, MAX_MINOR)).to.equal(MAX_MINOR);
  });

  for (const [fee, settled, total, field] of [
    [1n, 2n, 1n, "settledSource"],
    [1n, 0n, 0n, "sourceTotal"],
    [-1n, 0n, 1n, "fee"],
    [1n, -1n, 1n, "settledSource"],
  ] as const) {
    it(`refuses a fee of ${fee} for ${settled} of ${total}`, () => {
      expect(() => feeForSettledUp(fee, settled, total))
        .to.throw(InvalidInput)
        .with.property("field", field);
    });
  }
});
