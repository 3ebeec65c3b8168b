import { expect } from "chai";
import fc from "fast-check";
import { utf8 } from "../../../src/domain/bytes/bytes.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { crc16 } from "../../../src/domain/payment-code/crc16.ts";
import { formatObjects, parseObjects, type CodeObject } from "../../../src/domain/payment-code/objects.ts";
import { formatPaymentCode, parsePaymentCode } from "../../../src/domain/payment-code/payment-code.ts";
import { SCHEMES } from "../../../src/domain/payment-code/schemes.ts";
import { SOUND, UNSOUND } from "./published-codes.ts";

/** A code of the network's own, by its table: nobody else has published one. */
const OWN: readonly CodeObject[] = [
  { id: "00", value: "01" },
  { id: "01", value: "12" },
  { id: "50", value: "0015network.feiqian0101402045f3a" },
  { id: "52", value: "0000" },
  { id: "53", value: "608" },
  { id: "54", value: "1500.00" },
  { id: "58", value: "PH" },
  { id: "59", value: "Aling Nena" },
  { id: "60", value: "Naga" },
];

/** The objects with some of them changed, put in at the end, or left out. */
function changed(changes: Readonly<Record<string, string | undefined>>): readonly CodeObject[] {
  const kept = OWN.flatMap((object) => {
    if (!(object.id in changes)) return [object];
    const value = changes[object.id];
    return value === undefined ? [] : [{ ...object, value }];
  });
  const more = Object.entries(changes).flatMap(([id, value]) =>
    value === undefined || OWN.some((object) => object.id === id) ? [] : [{ id, value }],
  );
  return [...kept, ...more];
}

/** The text of objects with a CRC that fits, whatever they say. */
function textOf(objects: readonly CodeObject[]): string {
  const covered = `${objects.map(({ id, value }) => `${id}${String(Array.from(value).length).padStart(2, "0")}${value}`).join("")}6304`;
  return `${covered}${crc16(utf8(covered)).toString(16).toUpperCase().padStart(4, "0")}`;
}

function faultOf(text: string): string | undefined {
  try {
    parsePaymentCode(text);
    return undefined;
  } catch (failure) {
    if (!(failure instanceof InvalidInput)) throw failure;
    return failure.field;
  }
}

describe("payment code", () => {
  it("has the CRC that the catalogue of CRCs gives CRC-16/CCITT-FALSE", () => {
    expect(crc16(utf8("123456789"))).to.equal(0x29b1);
    expect(crc16(new Uint8Array())).to.equal(0xffff);
  });

  for (const { of, source, text, says } of SOUND) {
    it(`is read: ${of} (${source})`, () => {
      const { objects, ...read } = parsePaymentCode(text);
      expect(read).to.deep.equal(says);
      expect(formatPaymentCode({ objects })).to.equal(text);
    });
  }

  for (const { of, source, text, field } of UNSOUND) {
    it(`is refused: ${of} (${source})`, () => {
      expect(faultOf(text)).to.equal(field);
    });
  }

  it("is refused with any bit of it turned, wherever it is", () => {
    for (const { text } of SOUND) {
      const bytes = utf8(text);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const damaged = Uint8Array.from(bytes, (byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        // What is no UTF-8 any more becomes a character that stands for what was lost.
        expect(faultOf(new TextDecoder().decode(damaged)), `bit ${bit} of ${text}`).to.be.a("string");
      }
    }
  });

  it("is refused with a character missing, doubled, or changed places with its neighbour", () => {
    for (const { text } of SOUND) {
      const characters = Array.from(text);
      for (const [at, character] of characters.entries()) {
        const next = characters[at + 1] ?? "";
        const damaged = [
          characters.toSpliced(at, 1),
          characters.toSpliced(at, 0, character),
          ...(next === character || next === "" ? [] : [characters.toSpliced(at, 2, next, character)]),
        ];
        for (const each of damaged) expect(faultOf(each.join("")), each.join("")).to.be.a("string");
      }
    }
  });

  it("is read back from what is written, whatever objects there are", () => {
    const value = fc
      .string({ unit: "binary", minLength: 1, maxLength: 20 })
      .filter((text) => !/\p{Cc}|\p{Cs}/u.test(text));
    const id = fc.integer({ min: 65, max: 99 }).map(String);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ id, value }), { selector: (object) => object.id, maxLength: 4 }),
        (more) => {
          const objects = [...OWN, ...more];
          expect(parsePaymentCode(formatPaymentCode({ objects })).objects).to.deep.equal(objects);
          expect(parseObjects(formatObjects(more, "code"), "code")).to.deep.equal(more);
        },
      ),
    );
  });

  it("is read or refused in a bounded time, whatever the text is", () => {
    const before = process.cpuUsage();
    const texts = fc.oneof(
      fc.string({ unit: "binary", maxLength: 600 }),
      fc.stringMatching(/^[0-9]{0,600}$/),
      // Behind a CRC that fits: what is in it is read.
      fc.string({ unit: "grapheme", maxLength: 300 }).map((text) => {
        const covered = `000201${text}6304`;
        return `${covered}${crc16(utf8(covered)).toString(16).toUpperCase().padStart(4, "0")}`;
      }),
    );
    let runs = 0;
    const read = fc.property(texts, (text) => {
      faultOf(text);
      runs++;
    });
    fc.assert(read, { numRuns: 3_000 });
    const { user } = process.cpuUsage(before);
    expect(user / runs, "microseconds of the processor each, with making the text").to.be.below(20_000);
    for (const length of [513, 10_000_000]) expect(faultOf("0".repeat(length))).to.equal("code");
    expect(faultOf("最".repeat(200))).to.equal("code");
  });

  const WRONG: readonly (readonly [what: string, text: string, field: string])[] = [
    ["another version", textOf(changed({ "00": "03" })), "code.00"],
    ["the version elsewhere than in front", textOf([...OWN.slice(1), ...OWN.slice(0, 1)]), "code.00"],
    ["two amounts", textOf([...OWN, { id: "54", value: "1.00" }]), "code.54"],
    ["a CRC before its own", textOf([...OWN, { id: "63", value: "ABCD" }]), "code.63"],
    ["nobody to pay to", textOf(changed({ "50": undefined })), "code"],
    ["a template that is none", textOf(changed({ "50": "network.feiqian" })), "code.50"],
    ["a template of nobody's", textOf(changed({ "50": "01014" })), "code.50.00"],
    ["a template with a field twice", textOf(changed({ "50": "0015network.feiqian0101401015" })), "code.50.01"],
    ["no currency", textOf(changed({ "53": undefined })), "code.53"],
    ["a currency that is none", textOf(changed({ "53": "000" })), "code.53"],
    ["no country", textOf(changed({ "58": undefined })), "code.58"],
    ["an amount of nothing", textOf(changed({ "54": "0.00" })), "code.54"],
    ["an amount with a sign", textOf(changed({ "54": "-1.00" })), "code.54"],
    ["an amount with an exponent", textOf(changed({ "54": "1e9" })), "code.54"],
    ["more decimals than the currency has", textOf(changed({ "53": "392", "54": "100.5" })), "code.54"],
    ["an amount that is too long", textOf(changed({ "54": "12345678901.00" })), "code.54"],
    ["a method that is none", textOf(changed({ "01": "13" })), "code.01"],
    ["a fee without its kind", textOf(changed({ "56": "1.00" })), "code.55"],
    ["a kind without its fee", textOf(changed({ "55": "02" })), "code.55"],
    ["a name in another order than it is read in", textOf(changed({ "59": "Aling \u202eaneN" })), "code.59"],
    ["a line break", textOf(changed({ "59": "Aling\nNena" })), "code"],
    ["half a character", `${textOf(OWN)}\ud800`, "code"],
    ["something behind the CRC", `${textOf(OWN)}00`, "code.63"],
    ["nothing", "", "code.63"],
  ];
  for (const [what, text, field] of WRONG) {
    it(`is refused with ${what}`, () => {
      expect(faultOf(text)).to.equal(field);
    });
  }

  it("is not written where it would not be read", () => {
    for (const objects of [
      changed({ "54": "0" }),
      [],
      [...OWN, { id: "7", value: "x" }],
      [...OWN, { id: "70", value: "" }],
    ]) {
      expect(() => formatPaymentCode({ objects })).to.throw(InvalidInput);
    }
  });

  it("names the partner and the request where it is the network's own", () => {
    expect(parsePaymentCode(formatPaymentCode({ objects: OWN })).accounts).to.deep.equal([
      { id: "50", scheme: "Feiqian", guid: "network.feiqian", fields: { partner: "4", request: "5f3a" } },
    ]);
  });

  it("knows a scheme by template and name, whatever the case, and in no other template", () => {
    const fps = (id: string, guid: string) => {
      const value = `0012${guid}02079999999`;
      return parsePaymentCode(textOf(changed({ "50": undefined, [id]: value }))).accounts;
    };
    expect(fps("26", "HK.COM.HKICL")).to.deep.equal([
      { id: "26", scheme: "FPS", guid: "HK.COM.HKICL", fields: { fpsId: "9999999" } },
    ]);
    expect(fps("27", "hk.com.hkicl")).to.deep.equal([{ id: "27", guid: "hk.com.hkicl", fields: { "02": "9999999" } }]);
    const places = SCHEMES.flatMap(({ accounts }) =>
      accounts.flatMap(({ from, to, guid }) =>
        Array.from({ length: to - from + 1 }, (_, index) => `${from + index} ${guid.toUpperCase()}`),
      ),
    );
    expect(new Set(places).size).to.equal(places.length);
  });
});
