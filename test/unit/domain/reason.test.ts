import { expect } from "chai";
import { encodeBytes32String } from "ethers";
import type { Hex } from "../../../src/domain/bytes/hex.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { classOf, REASON_CLASSES } from "../../../src/domain/reason-class.ts";
import { parseReason, REASONS, reasonFromBytes4, reasonToBytes4, type ReasonCode } from "../../../src/domain/reason.ts";
import { referenceText } from "./reference-data.ts";

const CODES = Object.keys(REASONS) as ReasonCode[];

describe("reason", () => {
  it("is of ISO 20022 ExternalStatusReason1Code, definition included", function () {
    const text = referenceText(this, "iso20022/codesets/external_status_reason_code.json");
    const { name, codes } = JSON.parse(text) as { name: string; codes: Record<string, string> };
    expect(name).to.equal("ExternalStatusReason1Code");
    expect(codes).to.include(REASONS);
  });

  it("covers what the network's checks and its customers run into", () => {
    const needed = "AC01 AC03 AC04 AC06 AM01 AM02 AM04 AM05 AB03 AB08 BE01 RR04 RC01 FF01 NARR MS03".split(" ");
    expect(CODES).to.include.members(needed);
  });

  for (const code of CODES) {
    it(`${code} is its four ASCII characters on the ledger, and back`, () => {
      expect(parseReason(code)).to.equal(code);
      expect(reasonToBytes4(code)).to.equal(encodeBytes32String(code).slice(0, 10));
      expect(reasonFromBytes4(reasonToBytes4(code))).to.equal(code);
    });
  }

  for (const text of ["", "ac03", "AC3", "AC03 ", "ZZZZ", "toString"]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(() => parseReason(text))
        .to.throw(InvalidInput)
        .with.property("field", "reason");
    });
  }

  it("is of one class each, and each class has one", () => {
    expect(new Set(CODES.map((code) => classOf(code)))).to.deep.equal(new Set(Object.keys(REASON_CLASSES)));
    expect(classOf(undefined)).to.equal("untold");
  });

  it("may be unknown on the ledger, where any four bytes can stand", () => {
    for (const bytes4 of ["0x5a5a5a5a", "0xffffffff", "0x00000000"] satisfies Hex[]) {
      expect(reasonFromBytes4(bytes4)).to.equal(undefined);
    }
    expect(() => reasonFromBytes4("0x414330")).to.throw(InvalidInput, "reason: 4 bytes");
  });
});
