import { expect } from "chai";
import fc from "fast-check";
import { dayOf, formatDay, parseDay, startOf } from "../../../src/domain/day.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";

describe("day", () => {
  it("is that of its first second and of its last, and no other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 18_262, max: 47_481 }), fc.integer({ min: 0, max: 86_399 }), (day, second) => {
        expect(dayOf(startOf(day) + second)).to.equal(day);
        expect(parseDay(formatDay(day), "day")).to.equal(day);
      }),
    );
    expect(formatDay(dayOf(1_795_993_107))).to.equal("2026-11-29");
  });

  for (const text of [
    "",
    "2026-11-31",
    "2026-1-1",
    "2019-12-31",
    "2100-01-01",
    "2026-11-30T00:00:00Z",
    " 2026-11-30",
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(() => parseDay(text, "from"))
        .to.throw(InvalidInput)
        .with.property("field", "from");
    });
  }
});
