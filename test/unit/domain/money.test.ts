import { expect } from "chai";
import * as fc from "fast-check";
import { parseCurrency } from "../../../src/domain/currency.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { formatAmount, formatMoney, MAX_MINOR, money, parseMoney } from "../../../src/domain/money.ts";
import { anyCurrency, anyMinor } from "./arbitraries.ts";

const CNY = parseCurrency("CNY");
const KRW = parseCurrency("KRW");
const KWD = parseCurrency("KWD");

describe("money", () => {
  it("reads plain decimals exactly", () => {
    expect(parseMoney("1234.5", CNY)).to.deep.equal({ minor: 123_450n, currency: "CNY" });
    expect(parseMoney("0.01", CNY).minor).to.equal(1n);
    expect(parseMoney("0", CNY).minor).to.equal(0n);
    expect(parseMoney("007.10", CNY).minor).to.equal(710n);
    expect(parseMoney("5000", KRW).minor).to.equal(5_000n);
    expect(parseMoney("0.123", KWD).minor).to.equal(123n);
    // Beyond 2^53, where a double would already be wrong.
    expect(parseMoney("90071992547409.93", CNY).minor).to.equal(9_007_199_254_740_993n);
  });

  it("names the rule about decimals", () => {
    expect(() => parseMoney("1.234", CNY)).to.throw('amount: at most 2 decimals for CNY (given "1.234")');
    expect(() => parseMoney("1.000", CNY)).to.throw("at most 2 decimals for CNY");
    expect(() => parseMoney("1.0", KRW)).to.throw('amount: no decimals for KRW (given "1.0")');
  });

  for (const text of [
    "",
    " ",
    "-1",
    "+1",
    "1e3",
    "1,000",
    "1.",
    ".5",
    "1.2.3",
    "0x10",
    "١",
    "1 ",
    "Infinity",
    "9".repeat(70),
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => parseMoney(text, CNY, "send_amount"))
        .to.throw(InvalidInput)
        .with.property("field", "send_amount");
    });
  }

  it("stops at what the ledger can hold", () => {
    expect(parseMoney(MAX_MINOR.toString(), KRW).minor).to.equal(MAX_MINOR);
    expect(() => parseMoney((MAX_MINOR + 1n).toString(), KRW)).to.throw(InvalidInput, "at most 2^128-1 minor units");
    expect(() => money(-1n, CNY.code)).to.throw(InvalidInput, "amount: not negative (given -1)");
    expect(() => money(MAX_MINOR + 1n, CNY.code)).to.throw(InvalidInput);
  });

  it("writes amounts for people", () => {
    expect(formatMoney(money(123_450n, CNY.code))).to.equal("1,234.50 CNY");
    expect(formatMoney(money(123_450n, CNY.code), { grouping: false })).to.equal("1234.50 CNY");
    expect(formatMoney(money(1n, CNY.code))).to.equal("0.01 CNY");
    expect(formatMoney(money(1_000_000n, KRW.code))).to.equal("1,000,000 KRW");
    expect(formatMoney(money(999n, KRW.code))).to.equal("999 KRW");
    expect(formatMoney(money(1_234_567n, KWD.code))).to.equal("1,234.567 KWD");
  });

  it("reads back what it writes, in every currency", () => {
    fc.assert(
      fc.property(anyMinor, anyCurrency, (minor, currency) => {
        const amount = money(minor, currency.code);
        expect(parseMoney(formatAmount(amount), currency)).to.deep.equal(amount);
        expect(formatMoney(amount).replaceAll(",", "")).to.equal(formatMoney(amount, { grouping: false }));
      }),
    );
  });
});
