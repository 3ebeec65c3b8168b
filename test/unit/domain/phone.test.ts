import { expect } from "chai";
import fc from "fast-check";
import { getCountries, getCountryCallingCode } from "libphonenumber-js/max";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { parsePhone, type CountryCode } from "../../../src/domain/phone.ts";
import { isPlainPhone } from "../../../src/domain/plain-phone.ts";
import { referenceText } from "./reference-data.ts";

describe("a telephone number", () => {
  const spellings: Readonly<Record<string, readonly string[]>> = {
    "+639171234567": [
      "+639171234567",
      "+63 0 917 123 4567",
      "+63 (0)917 123 4567",
      "+63-917/123.4567",
      "\u202a+63 917 123 4567\u202c",
      "\u202d+639171234567\u202c",
      "\ufeff+63\u00a0917\u00a0123\u00a04567\u200b",
      "\u2066+63\u2011917\u2011123\u20114567\u2069\u200f",
      "＋６３９１７１２３４５６７",
      "+٦٣٩١٧١٢٣٤٥٦٧",
      "  +63 917 123 4567\n",
    ],
    "+66812345678": ["+660812345678", "+66 (0) 81 234 5678", "+66812345678"],
    "+8613812345678": ["+86 0138 1234 5678", "+86 138 1234 5678"],
    "+821012345678": ["+82 010-1234-5678", "+82 10 1234 5678"],
    "+6281234567890": ["+62 0812-3456-7890"],
    "+60123456789": ["+60 012-345 6789"],
    "+8801712345678": ["+880 01712-345678"],
    "+923001234567": ["+92 0300 1234567"],
    "+919876543210": ["+91 098765 43210"],
    "+85251234567": ["+852 5123 4567"],
    // Where the zero is part of the number.
    "+390612345678": ["+39 06 1234 5678"],
  };
  for (const [number, all] of Object.entries(spellings)) {
    it(`is ${number}, however it is written`, () => {
      for (const text of all) expect(parsePhone(text, "phone"), JSON.stringify(text)).to.equal(number);
    });
  }

  it("is taken when it is possible, whether or not its range is known to be in use", () => {
    for (const prefix of ["904", "913", "941"]) {
      expect(parsePhone(`+63${prefix}1234567`, "phone")).to.equal(`+63${prefix}1234567`);
      expect(parsePhone(`+63 0${prefix} 123 4567`, "phone")).to.equal(`+63${prefix}1234567`);
    }
  });

  const refused: readonly (readonly [text: string, rule: string])[] = [
    ["+6391", "too short"],
    ["+63917123456789012", "too long"],
    ["+6612345", "too short"],
    ["+999123456789", "calling code"],
    ["+0639171234567", "calling code"],
    ["639171234567", "international form"],
    ["00639171234567", "international form"],
    ["09171234567", "international form"],
    ["+63917abc4567", "international form"],
    ["+63917CALLNOW", "international form"],
    ["+639171234567 +639181234567", "international form"],
    ["mine is +639171234567", "international form"],
    ["+49 (0) 0082646", "international form"],
    ["'+639171234567", "international form"],
    ["6.39E+11", "international form"],
    ["", "international form"],
    ["+", "international form"],
    ["+639171234567 ext. 5", "extension"],
    ["\u202e+639171234567", "U+202E"],
  ];
  for (const [text, rule] of refused) {
    it(`is not ${JSON.stringify(text)}, which is not quoted`, () => {
      expect(() => parsePhone(text, "creditor.alias.value"))
        .to.throw(InvalidInput, rule)
        .satisfies(
          ({ field, message }: InvalidInput) =>
            field === "creditor.alias.value" && (text === "" || text === "+" || !message.includes(text)),
        );
    });
  }

  it("of a country that is known is taken in its national form", () => {
    const national: readonly (readonly [text: string, country: CountryCode, number: string])[] = [
      ["0917 123 4567", "PH", "+639171234567"],
      ["9171234567", "PH", "+639171234567"],
      ["0904 123 4567", "PH", "+639041234567"],
      ["010-1234-5678", "KR", "+821012345678"],
      ["5123 4567", "HK", "+85251234567"],
      ["081234567890", "ID", "+6281234567890"],
      ["13812345678", "CN", "+8613812345678"],
      ["+85251234567", "PH", "+85251234567"],
    ];
    for (const [text, country, number] of national) expect(parsePhone(text, "to", country), text).to.equal(number);
  });

  it("without its + is not guessed at: it may have been another country's", () => {
    for (const [text, country] of [
      ["639171234567", "PH"],
      ["85251234567", "HK"],
      ["6281234567890", "ID"],
    ] as const) {
      expect(() => parsePhone(text, "to", country)).to.throw(InvalidInput, 'the "+" before the calling code');
    }
    expect(() => parsePhone("85251234567", "to", "PH")).to.throw(InvalidInput, "international form");
  });

  it("in E.164 form stays as it is (property)", () => {
    const callingCode = fc.constantFrom(
      ...getCountries().map((country) => getCountryCallingCode(country)),
      "800",
      "870",
      "888",
    );
    const digits = fc.stringMatching(/^0{0,2}[0-9]{3,13}$/);
    fc.assert(
      fc.property(callingCode, digits, (code, rest) => {
        let once;
        try {
          once = parsePhone(`+${code} (${rest.slice(0, 1)})${rest.slice(1)}`, "phone");
        } catch (failure) {
          expect(failure).to.be.instanceOf(InvalidInput);
          return;
        }
        expect(once).to.match(/^\+[1-9][0-9]{3,14}$/);
        expect(parsePhone(once, "phone")).to.equal(once);
      }),
      { numRuns: 3_000 },
    );
  });

  it("in E.164 form is what the library says of it, of any calling code and length (property)", () => {
    const outcome = (text: string): string => {
      try {
        return parsePhone(text, "phone");
      } catch (failure) {
        if (failure instanceof InvalidInput) return failure.rule;
        throw failure;
      }
    };
    const codes = [
      ...new Set(getCountries().map((country) => getCountryCallingCode(country))),
      "800",
      "882",
      "999",
      "21",
    ];
    const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 14 });
    let plain = 0;
    fc.assert(
      fc.property(fc.constantFrom(...codes), digits, (code, number) => {
        const text = `+${code}${number.join("")}`;
        // With a blank in front, the library is asked.
        expect(outcome(text)).to.equal(outcome(` ${text}`));
        if (isPlainPhone(text)) plain++;
      }),
      { numRuns: 5_000 },
    );
    expect(plain).to.be.greaterThan(500);
  });

  it("of every country's mobile network is taken, and is the same with its national prefix", function () {
    // JSON of our own keeping: countries and their example numbers.
    const examples = JSON.parse(referenceText(this, "reference/libphonenumber_examples_mobile.json")) as Record<
      CountryCode,
      string
    >;
    for (const [country, national] of Object.entries(examples)) {
      // As above.
      const number = `+${getCountryCallingCode(country as CountryCode)}${national}`;
      expect(parsePhone(number, "phone"), country).to.equal(number);
    }
    for (const country of ["CN", "IN", "TH", "PH", "KR", "ID", "MY", "BD", "PK"] as const) {
      const code = getCountryCallingCode(country);
      expect(parsePhone(`+${code} (0) ${examples[country]}`, "phone")).to.equal(`+${code}${examples[country]}`);
    }
  });
});
