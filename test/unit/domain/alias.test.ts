import { expect } from "chai";
import fc from "fast-check";
import { maskName, parseAlias, readAlias } from "../../../src/domain/alias.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { anyText } from "./texts.ts";

describe("an alias", () => {
  it("has one spelling, however a telephone number is written", () => {
    for (const value of ["+63 917 123 4567", "+63 (0)917-123-4567", "\u202a+63 0917 123.4567\u202c", "+639171234567"]) {
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
    const value = fc.oneof(
      anyText,
      fc
        .tuple(anyText, fc.constantFrom("mail.EXAMPLE", "MÜNCHEN.example", "İ.example", "例え.JP"))
        .map((parts) => parts.join("@")),
      fc.stringMatching(/^\+[1-9][0-9 ()-]{5,15}$/),
    );
    const given = fc.record({ type: fc.constantFrom("ALIAS", "ACCOUNT_ID", "EMAIL", "MSISDN"), value });
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
        expect(readAlias(alias), "as the wallet's relay reads it").to.deep.equal(once);
      }),
    );
  });

  const refused: Readonly<Record<string, readonly string[]>> = {
    MSISDN: ["639181234567", "+0639171234567", "+6391", "+6391712345678901", "+63917abc4567", "00639171234567", ""],
    EMAIL: [
      "maria",
      "maria@",
      "@mail.example",
      "maria@localhost",
      "a b@mail.example",
      "a@b@mail.example",
      "a@-b.ph",
      "ma\u200bria@mail.example",
      "ma\u202eria@mail.example",
    ],
    ACCOUNT_ID: ["", "   ", "12\u000034", "\u202e1234", "x".repeat(141)],
    ALIAS: ["", "\u200b", "\u3164", "ma\u200bria"],
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

describe("an alias that another relay has taken", () => {
  it("goes to the wallet in its one spelling, or as it was sent where the rule here does not know it", () => {
    const read = (type: string, value: string) => readAlias({ type, value }).value;
    // What relays before this one took, and sent.
    expect(read("MSISDN", "+660812345678")).to.equal("+66812345678");
    expect(read("MSISDN", "+99912345678")).to.equal("+99912345678");
    expect(read("MSISDN", "+639171234567890")).to.equal("+639171234567890");
    expect(read("EMAIL", "ma\u200bria@mail.example")).to.equal("ma\u200bria@mail.example");
    expect(read("ALIAS", "\u3164")).to.equal("\u3164");
    expect(read("ALIAS", "x".repeat(200))).to.equal("x".repeat(200));
  });

  it("is refused where no relay can have taken it", () => {
    for (const [type, value] of [
      ["MSISDN", "maria"],
      ["MSISDN", "+63917123456712345"],
      ["ALIAS", ""],
      ["ALIAS", "a\u0000b"],
      ["EMAIL", "\ud800@mail.example"],
      ["PASSPORT", "K1234567"],
    ] as const) {
      expect(() => readAlias({ type, value }), value).to.throw(InvalidInput);
    }
  });
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

  it("is of what can be read in it, whoever it comes from", () => {
    expect(maskName("Ma\u202eria\nCruz\u200b")).to.equal("M**** C***");
    expect(maskName("\u3164\u2800")).to.equal("");
  });

  it("hides a word of one letter, and gives nothing for nothing", () => {
    expect(maskName("Juan C Reyes")).to.equal("J*** * R****");
    expect(maskName("  ")).to.equal("");
  });
});
