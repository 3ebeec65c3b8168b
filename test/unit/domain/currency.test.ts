import { expect } from "chai";
import * as fc from "fast-check";
import { CURRENCIES, currencyByNumeric, currencyOf, parseCurrency } from "../../../src/domain/currency.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { anyCurrency } from "./arbitraries.ts";
import { referenceText } from "./reference-data.ts";

describe("currency", () => {
  it("has the minor units of the ten countries' currencies, as ISO 4217 has them and not as CLDR does", () => {
    const digits = Object.fromEntries(
      ["CNY", "INR", "THB", "PHP", "KRW", "IDR", "HKD", "MYR", "BDT", "PKR"].map((code) => {
        const { numeric, minorDigits } = parseCurrency(code);
        return [code, [numeric, minorDigits]];
      }),
    );
    expect(digits).to.deep.equal({
      CNY: [156, 2],
      INR: [356, 2],
      THB: [764, 2],
      PHP: [608, 2],
      KRW: [410, 0],
      IDR: [360, 2],
      HKD: [344, 2],
      MYR: [458, 2],
      BDT: [50, 2],
      PKR: [586, 2],
    });
  });

  it("knows exactly the currencies of ISO 4217 List One that have minor units", function () {
    const xml = referenceText(this, "reference/iso-4217-list-one.xml");
    const official = new Map<string, string>();
    for (const [, entry = ""] of xml.matchAll(/<CcyNtry>([\s\S]*?)<\/CcyNtry>/g)) {
      const field = (name: string) => new RegExp(`<${name}[^>]*>([^<]*)</${name}>`).exec(entry)?.[1]?.trim();
      const [code, digits] = [field("Ccy"), field("CcyMnrUnts")];
      if (code === undefined || digits === undefined || digits === "N.A.") continue;
      official.set(code, `${code} ${field("CcyNbr")} ${digits} ${field("CcyNm")}`);
    }
    expect(official.size).to.be.greaterThan(150);
    const known = CURRENCIES.map(
      ({ code, numeric, minorDigits, name }) => `${code} ${String(numeric).padStart(3, "0")} ${minorDigits} ${name}`,
    );
    expect(known).to.deep.equal([...official.values()].sort());
  });

  it("finds each currency by code and by number", () => {
    fc.assert(
      fc.property(anyCurrency, (currency) => {
        expect(parseCurrency(currency.code)).to.equal(currency);
        expect(currencyOf(currency.code)).to.equal(currency);
        expect(currencyByNumeric(currency.numeric)).to.equal(currency);
      }),
    );
  });

  for (const text of ["", "cny", "CNY ", "CNH", "XAU", "XXX", "constructor", "\u0421NY"]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => parseCurrency(text, "source_currency"))
        .to.throw(InvalidInput, "source_currency: an active ISO 4217 alphabetic code in upper case (given")
        .with.property("field", "source_currency");
    });
  }

  for (const numeric of [0, -156, 156.5, 959, 65_536, Number.NaN]) {
    it(`refuses the number ${numeric}`, () => {
      expect(() => currencyByNumeric(numeric))
        .to.throw(InvalidInput)
        .with.property("field", "currency");
    });
  }
});
