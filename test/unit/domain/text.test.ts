import { expect } from "chai";
import fc from "fast-check";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { cleanText, lengthOf, MAX_TEXT_LENGTH, parseName, parseText } from "../../../src/domain/text.ts";
import { anyText, namesOfSanctionsLists } from "./texts.ts";

/** As people write themselves, in the scripts of the ten countries and beyond. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  Latin: [
    "Maria Dela Cruz",
    "D’Souza",
    "O'Brien",
    "Siti Nur‘Aisyah",
    "Kaʻiulani",
    "Anne-Marie",
    "Jr., José Ma. Peña III",
  ],
  Vietnamese: ["Nguyễn Thị Ánh", "Đặng Hữu Phước"],
  Han: ["陳大文", "𠮷田", "𠀀𪚥𫠝", "㛃", "邊\u{e0100}", "阿依古丽·买买提", "肖战"],
  Hangul: ["김민준", "남궁 민수"],
  Thai: ["นัทธิดา ศรีสุข", "ณัฏฐ์", "กำพล น้ำใจ"],
  Devanagari: ["आरव शर्मा", "राम्\u200dया", "क्\u200cष"],
  Bengali: ["নাসরিন আক্তার", "র\u200d্যামন", "উদ্\u200cযাপন", "ৎসুমি", "শর্মিষ্ঠা"],
  Tamil: ["முருகன்", "க்\u200cஷ"],
  Malayalam: ["അവന്\u200d", "ശ്രീജിത്ത്"],
  Sinhala: ["ශ්\u200dරී ලංකා", "විජේසිංහ"],
  Urdu: ["محمد علی", "بےنظیر", "مہر\u200cالنساء", "فاطمہ\u200d"],
  Burmese: ["အောင်ဆန်းစုကြည်", "ဒေါ် ခင်ခင်ဝင်း"],
  Khmer: ["សុខ សុភាព"],
  Mongolian: ["ᠮᠣᠩᠭᠣᠯ", "ᠠ\u180bᠨ"],
};

describe("text", () => {
  for (const [script, names] of Object.entries(NAMES)) {
    it(`of names in ${script} is taken as it is`, () => {
      for (const name of names) expect(parseName(name, "name"), name).to.equal(name.normalize("NFC"));
    });
  }

  it("is one form of all its spellings", () => {
    const spellings: readonly (readonly [given: string, normal: string])[] = [
      ["  Maria   Dela\u00a0Cruz\t\r\n", "Maria Dela Cruz"],
      ["\ufeffMaria\u200b", "Maria"],
      ["\u202aMaria\u202c", "Maria"],
      ["\u2068محمد علی\u2069\u200f", "محمد علی"],
      ["山田\u3000太郎", "山田 太郎"],
      ["Nguyễn Thị Ánh".normalize("NFD"), "Nguyễn Thị Ánh"],
      ["김민준".normalize("NFD"), "김민준"],
      ["\u2800x\u3164", "x"],
      ["Maria\u200d", "Maria"],
      ["علی\u200c", "علی"],
    ];
    for (const [given, normal] of spellings) expect(parseName(given, "name"), JSON.stringify(given)).to.equal(normal);
  });

  it("keeps the emoji that people write, joined as they are", () => {
    for (const emoji of [
      "Happy birthday 🎂",
      "❤\ufe0f",
      "👨\u200d👩\u200d👧\u200d👦",
      "👍🏽",
      "🏳\ufe0f\u200d🌈",
      "1\ufe0f\u20e3",
      "🇵🇭",
    ]) {
      expect(parseText(emoji, "remittance")).to.equal(emoji);
    }
  });

  it("takes letters that Unicode has got since, for relays know different versions of it", () => {
    const unassigned = "\u{3fffd}";
    expect(/\p{Cn}/u.test(unassigned), "still unassigned: take another").to.equal(true);
    expect(parseName(unassigned, "name")).to.equal(unassigned);
  });

  it("is as long as it has code points, in its form", () => {
    const longest = "𠮷".repeat(MAX_TEXT_LENGTH);
    expect(parseName(`  ${longest} `, "name")).to.equal(longest);
    expect(parseName("e\u0301".repeat(MAX_TEXT_LENGTH), "name")).to.equal("é".repeat(MAX_TEXT_LENGTH));
    for (const tooLong of [`${longest}x`, "x".repeat(10_000), ` ${"é".repeat(141)}`]) {
      expect(() => parseText(tooLong, "name")).to.throw(InvalidInput, "name: at most 140 characters");
    }
  });

  it("that looks blank is none", () => {
    const blanks = [
      "",
      " ",
      "\u00a0",
      "\u200b",
      "\u3164",
      "\uffa0",
      "\u115f\u1160",
      "\u2800\u2800",
      "\u3000\ufeff",
      "\u17b4",
    ];
    for (const blank of [...blanks, "\u200e\u200f", "\u00ad", "\u2060", "\u034f", "\ufe0f", "\u0301", "\u{e0020}"]) {
      expect(() => parseText(blank, "name"), JSON.stringify(blank)).to.throw(InvalidInput, "name: not empty");
    }
  });

  it("that has nothing of a name is not one, and may be a remittance", () => {
    for (const text of ["...", "♥", "-"]) {
      expect(() => parseName(text, "name")).to.throw(InvalidInput, "at least one letter or digit");
      expect(parseText(text, "remittance")).to.equal(text);
    }
  });

  const hidden: Readonly<Record<string, readonly string[]>> = {
    "order in which it is read": [
      "\u202a",
      "\u202b",
      "\u202d",
      "\u202e",
      "\u2066",
      "\u2067",
      "\u2068",
      "\u200e",
      "\u200f",
      "\u061c",
    ],
    "without line breaks": ["\n", "\r", "\u0085", "\u2028", "\u2029"],
    "no control characters": ["\u0000", "\u0007", "\t", "\u001b", "\u007f", "\u009f"],
    "half of a surrogate pair": ["\ud800", "\udfff"],
    "no private-use characters": ["\ue000", "\u{f0000}", "\u{10fffd}"],
    "characters of Unicode only": ["\ufdd0", "\uffff", "\u{1fffe}"],
    "characters were lost": ["\ufffd", "\ufffc"],
    "no invisible characters": [
      "\u200b",
      "\u200c",
      "\u200d",
      "\u2060",
      "\u00ad",
      "\ufeff",
      "\u3164",
      "\u2800",
      "\ufe0f",
      "\u034f",
      "\u{e0041}",
    ],
  };
  for (const [rule, characters] of Object.entries(hidden)) {
    it(`with something hidden inside is refused by its code point, not quoted: ${rule}`, () => {
      for (const character of characters) {
        const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
        expect(() => parseText(`Zyx${character}wvut`, "debtor.name"), code)
          .to.throw(InvalidInput)
          .satisfies(
            (error: Error) =>
              error.message.startsWith("debtor.name: ") &&
              error.message.includes(rule) &&
              error.message.endsWith(`(${code})`) &&
              !error.message.includes("Zyx"),
          );
      }
    });
  }

  it("is refused at the edges, too, for what stands for lost text, and for an override of the order it was read in", () => {
    for (const edge of ["\u202e", "\u202d", "\ufffd", "\u0000", "\ud800", "\ue000", "\uffff"]) {
      expect(() => parseText(`${edge}Maria`, "name"), JSON.stringify(edge)).to.throw(InvalidInput);
      expect(() => parseText(`Maria${edge}`, "name"), JSON.stringify(edge)).to.throw(InvalidInput);
    }
  });

  it("hides nothing in a row of joiners or selectors, nor in Latin words", () => {
    for (const text of [
      "a\u200db",
      "1\ufe0f",
      "क\u200d\u200dष",
      "邊\u{e0100}\u{e0101}",
      "🎂\ufe0f\ufe0f",
      "क\ufe00x",
      "a\u{e0100}b",
      "김\u200c민",
    ]) {
      expect(() => parseText(`x${text}x`, "name"), JSON.stringify(text)).to.throw(InvalidInput);
    }
  });

  it("in its form stays as it is, and is at most as long as is told (property)", () => {
    fc.assert(
      fc.property(anyText, (given) => {
        const once = orUndefined(() => parseText(given, "text"));
        if (once === undefined) return;
        expect(parseText(once, "text")).to.equal(once);
        expect(once.isWellFormed() && once === once.normalize("NFC") && once === once.trim()).to.equal(true);
        expect(lengthOf(once)).to.be.within(1, MAX_TEXT_LENGTH);
        expect(orUndefined(() => parseText(` \u200b${given.normalize("NFD")}\u00a0`, "text"))).to.equal(once);
      }),
      { numRuns: 2_000 },
    );
  });

  it("from those who were held to another rule is made to fit, and left alone where it does (property)", () => {
    fc.assert(
      fc.property(anyText, (given) => {
        const clean = cleanText(given);
        if (clean !== "") expect(parseText(clean, "text")).to.equal(clean);
        const taken = orUndefined(() => parseText(given, "text"));
        if (taken !== undefined) expect(clean).to.equal(taken);
      }),
      { numRuns: 2_000 },
    );
    expect(cleanText("Ma\u202eri\u200ba\nCruz")).to.equal("Maria Cruz");
    expect(cleanText("\u3164")).to.equal("");
    expect(cleanText(`${"𠮷".repeat(139)}邊\u{e0100}`)).to.equal(`${"𠮷".repeat(139)}邊`);
  });

  it("is made to fit the same way where all of it can be seen, and where it is looked at letter by letter (property)", () => {
    const pieces = fc.oneof(
      fc.constantFrom(
        ...Object.values(NAMES).flat(),
        " ",
        "  ",
        "\u00a0",
        "\u3000",
        "e\u0301",
        "\u0301",
        "\t",
        "!",
        "\u{1f600}",
      ),
      anyText,
    );
    const texts = fc.array(pieces, { maxLength: 40 }).map((some) => some.join("").slice(0, 2_000));
    fc.assert(
      fc.property(texts, (text) => {
        // A hidden character, dropped at the edge, has all the others looked at.
        expect(cleanText(text)).to.equal(cleanText(`${text}\u200b`));
      }),
    );
  });

  it("is the same where it is ASCII that stays as it is, and where it is looked at letter by letter (property)", () => {
    const outcome = (parse: () => string): string => {
      try {
        return parse();
      } catch (failure) {
        if (failure instanceof InvalidInput) return `${failure.field}: ${failure.rule}`;
        throw failure;
      }
    };
    const piece = fc.oneof(fc.string({ unit: "grapheme-ascii", maxLength: 30 }), fc.constantFrom(" ", "  ", "\t", "é"));
    const texts = fc.array(piece, { maxLength: 12 }).map((some) => some.join(""));
    let plain = 0;
    fc.assert(
      fc.property(texts, (text) => {
        for (const parse of [parseText, parseName]) {
          const [asItIs, byLetters] = [text, `${text}\u200b`].map((given) => outcome(() => parse(given, "name")));
          expect(asItIs).to.equal(byLetters);
          if (asItIs === text) plain++;
        }
        expect(cleanText(text)).to.equal(cleanText(`\u200b${text}`));
      }),
      { numRuns: 1_000 },
    );
    expect(plain).to.be.greaterThan(200);
  });

  it("takes the names of people on real lists, in all their scripts", function () {
    const refused = namesOfSanctionsLists(this).filter(
      (name) => orUndefined(() => parseName(name, "name")) === undefined,
    );
    // One of the lists has this among its names, to see who stumbles.
    expect(refused).to.deep.equal(["foo\u0000bar"]);
  });
});

function orUndefined<Value>(parse: () => Value): Value | undefined {
  try {
    return parse();
  } catch (failure) {
    expect(failure).to.be.instanceOf(InvalidInput);
    return undefined;
  }
}
