import { expect } from "chai";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { drawSecurely } from "../../../src/kernel/secure-random.ts";

describe("secure random bytes", () => {
  it("are as many as were asked for, never twice the same, and stay what they are when more are drawn", () => {
    const drawn = Array.from({ length: 2_000 }, (_, index) => drawSecurely(16 + (index % 64)));
    const seen = new Set(drawn.map(toHex));
    expect(seen.size).to.equal(drawn.length);
    for (const [index, bytes] of drawn.entries()) {
      expect(bytes.length).to.equal(16 + (index % 64));
      // Of 16 bytes and more, as good as never.
      expect(new Set(bytes).size, `draw ${index}`).to.be.greaterThan(4);
    }
    expect(drawSecurely(0).length).to.equal(0);
  });
});
