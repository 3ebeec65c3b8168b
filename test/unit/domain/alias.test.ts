import { expect } from "chai";
import fc from "fast-check";
import { maskName, parseAlias } from "../../../src/domain/alias.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";

describe("an alias", () => {
  it("has one spelling, however a telephone number is written", () => {
    for (const value of ["+63 917 123 4567", "+63-917-123-4567", " +63 (917) 123.4567 ", "+639171234567"]) {
      expect(parseAlias({ type: "MSISDN", value })).to.deep.equal({ type: "MSISDN", value: "+639171234567" });
    }
  });

  it("keeps an e-mail address but for its domain's case", () => {
    expect(parseAlias({ type: "EMAIL", value: "Maria.Cruz+x@Mail.Example.PH" }).value).to.equal(
      "Maria.Cruz+x@mail.example.ph",
    );
  });

  it("is in composed Unicode, so that what looks the same is the same", () => {
    const [composed, apart] = ["caf\u00e9", "cafe\u0301"].map((value) => parseAlias({ type: "ALIAS", value }));
    expect(apart).to.deep.equal(composed);
  });

  it("is its own spelling: reading it again changes nothing", () => {
    const given = fc.record({ type: fc.constantFrom("ALIAS", "ACCOUNT_ID"), value: fc.string({ unit: "grapheme" }) });
    fc.assert(
      fc.property(given, (alias) => {
        let once;
        try {
          once = parseAlias(alias);
        } catch (failure) {
          expect(failure).to.be.instanceOf(InvalidInput);
          return;
        }
        expect(parseAlias(once)).to.deep.equal(once);
      }),
    );
  });

  const refused: Readonly<Record<string, readonly string[]>> = {
    MSISDN: ["639171234567", "+0639171234567", "+6391712", "+6391712345678901", "+63917abc4567", "00639171234567", ""],
    EMAIL: ["maria", "maria@", "@mail.example", "maria@localhost", "a b@mail.example", "a@b@mail.example", "a@-b.ph"],
    ACCOUNT_ID: ["", "   ", "12\u000034", "\u202e1234", "x".repeat(141)],
    ALIAS: ["", "\u200b"],
    PASSPORT: ["K1234567"],
  };
  for (const [type, values] of Object.entries(refused)) {
    it(`of type ${type} that breaks the rule is refused without being quoted`, () => {
      for (const value of values) {
        const secret = value.trim();
        expect(() => parseAlias({ type, value }), JSON.stringify(value))
          .to.throw(InvalidInput)
          .satisfies((error: Error) => secret === "" || !error.message.includes(secret));
      }
    });
  }
});

describe("a masked name", () => {
  it("shows the first letter of each word", () => {
    expect(maskName("Maria Dela Cruz")).to.equal("M**** D*** C***");
    expect(maskName("  Maria   Cruz ")).to.equal("M**** C***");
  });

  it("goes by what people see as one letter", () => {
    expect(maskName("陳大文")).to.equal("陳**");
    expect(maskName("นัทธิดา")).to.match(/^นั\*+$/u);
    expect(maskName("e\u0301lise")).to.equal("é****");
  });

  it("hides a word of one letter, and gives nothing for nothing", () => {
    expect(maskName("Juan C Reyes")).to.equal("J*** * R****");
    expect(maskName("  ")).to.equal("");
  });
});
