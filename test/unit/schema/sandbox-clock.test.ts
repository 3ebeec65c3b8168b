import { expect } from "chai";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { formatAdvance, parseAdvance } from "../../../src/schema/sandbox-clock.ts";

describe("by how much the sandbox's clock is advanced", () => {
  it("is read in days, hours, minutes and seconds", () => {
    const read = ["+10d", "+3h", "+5m", "+90s", "+2d12h", "+1d1h1m1s", "+720h", "+30d", "+1s"].map(parseAdvance);
    expect(read).to.deep.equal([864_000, 10_800, 300, 90, 216_000, 90_061, 2_592_000, 2_592_000, 1]);
  });

  it("is refused where it is none, with the rule", () => {
    const none = [
      "",
      "+",
      "10d",
      "-1d",
      "+d",
      "+1.5d",
      "+1d2d",
      "+1h1d",
      "+1 d",
      " +1d",
      "+1d\n",
      "+1w",
      "+1D",
      "+0d",
      "+1e3s",
      "+٣d",
    ];
    const tooMuch = ["+31d", "+30d1s", "+2592001s", "+999999999d", `+${"9".repeat(400)}s`];
    for (const text of [...none, ...tooMuch]) {
      expect(() => parseAdvance(text), JSON.stringify(text))
        .to.throw(InvalidInput, /^advance: "\+" and days, .* from 1 second to 30 days/)
        .with.property("field", "advance");
    }
  });

  it("is written in the same form", () => {
    expect([0, 1, 86_400, 216_000, 90_061, 31_536_000].map(formatAdvance)).to.deep.equal([
      "0s",
      "1s",
      "1d",
      "2d12h",
      "1d1h1m1s",
      "365d",
    ]);
  });
});
