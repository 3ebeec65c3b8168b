import { expect } from "chai";
import fc from "fast-check";
import { billerSchema, parseReference, type ReferenceRule } from "../../../src/domain/biller.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";

const LUHN: ReferenceRule = { characters: "digits", min: 2, max: 20, check: "luhn" };
const MOD97: ReferenceRule = { characters: "letters and digits", min: 4, max: 25, check: "mod97" };

describe("a biller's references", () => {
  const read = (rule: ReferenceRule, text: string) => parseReference(rule, text, "reference");

  it("are read as they stand on bills, by the check digits of the standards", () => {
    // The examples of ISO/IEC 7812-1's method that are usual, and of ISO 11649 with its first four characters at the end.
    expect(read(LUHN, "7992-7398 713")).to.equal("79927398713");
    expect(read(LUHN, "4539 1488 0343 6467")).to.equal("4539148803436467");
    expect(read(MOD97, "539007547034rf18")).to.equal("539007547034RF18");
    expect(read({ characters: "digits", min: 3, max: 3 }, "017")).to.equal("017");
  });

  it("are refused with the whole rule, whatever is wrong", () => {
    const refusal = "8 to 10 digits, of which the last is a check digit (Luhn)";
    const rule: ReferenceRule = { ...LUHN, min: 8, max: 10 };
    for (const text of ["", "12345675", "1234567", "12345678901", "1234567A", "１２３４５６７４", "1234_5674"]) {
      expect(() => read(rule, text), text).to.throw(InvalidInput, refusal);
    }
    expect(() => read({ characters: "letters and digits", min: 4, max: 4 }, "Ä123")).to.throw(
      InvalidInput,
      "4 letters and digits",
    );
  });

  it("are told from those with one digit wrong, and two neighbours changed", () => {
    const digits = fc.array(fc.nat(9), { minLength: 3, maxLength: 15 });
    fc.assert(
      fc.property(digits, fc.nat(), fc.integer({ min: 1, max: 9 }), (given, place, by) => {
        const text = given.join("");
        const check = [...Array(10).keys()].find((digit) => isTaken(LUHN, `${text}${digit}`));
        const whole = `${text}${check ?? ""}`;
        const at = place % whole.length;
        const wrong = (Number.parseInt(whole.charAt(at), 10) + by) % 10;
        expect(isTaken(LUHN, whole)).to.equal(true);
        expect(isTaken(LUHN, `${whole.slice(0, at)}${wrong}${whole.slice(at + 1)}`)).to.equal(false);
      }),
    );
  });

  it("have rules that can be kept to", () => {
    const biller = { id: "power", name: "Manila Power", category: "electricity", reference: LUHN };
    expect(billerSchema.safeParse(biller).success).to.equal(true);
    for (const wrong of [
      { ...biller, id: "Power!" },
      { ...biller, name: " " },
      { ...biller, category: "" },
      { ...biller, reference: { ...LUHN, min: 21 } },
      { ...biller, reference: { ...LUHN, max: 36 } },
      { ...biller, reference: { ...LUHN, check: "guess" } },
    ]) {
      expect(billerSchema.safeParse(wrong).success, JSON.stringify(wrong)).to.equal(false);
    }
  });

  function isTaken(rule: ReferenceRule, text: string): boolean {
    try {
      read(rule, text);
      return true;
    } catch (failure) {
      if (failure instanceof InvalidInput) return false;
      throw failure;
    }
  }
});
