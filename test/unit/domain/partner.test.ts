import { expect } from "chai";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";

describe("partner id", () => {
  for (const given of [1, 65_535, 1n, 65_535n, "1", "65535"]) {
    it(`is read from ${typeof given} ${given}`, () => {
      expect(String(parsePartnerId(given))).to.equal(String(given));
    });
  }

  for (const given of [
    0,
    -1,
    1.5,
    65_536,
    Number.NaN,
    1e21,
    0n,
    -1n,
    2n ** 64n + 1n,
    "",
    "0",
    "01",
    "+1",
    " 1",
    "1e1",
    "0x1",
  ]) {
    it(`is not ${typeof given} ${JSON.stringify(String(given))}`, () => {
      expect(() => parsePartnerId(given, "target"))
        .to.throw(InvalidInput, "from 1 to 65535")
        .with.property("field", "target");
    });
  }
});
