import { expect } from "chai";
import fc from "fast-check";
import type { BatchHeader } from "../../../src/domain/batch.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { packHeader, unpackHeader } from "../../../src/domain/packed-header.ts";
import { NO_QUOTE } from "../../../src/domain/quote.ts";
import { anyHeader, anyUint } from "./arbitraries.ts";

describe("a packed header", () => {
  it("unpacks to what was packed", () => {
    fc.assert(
      fc.property(anyHeader, (header) => {
        expect(unpackHeader(packHeader(header))).to.deep.equal(header);
      }),
    );
  });

  it("says nothing by the bits above a word's last field", () => {
    fc.assert(
      fc.property(anyHeader, anyUint(48), (header, junk) => {
        const packed = packHeader(header);
        const terms = packed.terms | (junk << 144n);
        const quoteTerms = packed.quoteTerms | (junk << 208n);
        expect(unpackHeader({ ...packed, terms, quoteTerms })).to.deep.equal(header);
      }),
    );
  });

  it("is not made of a field that does not fit", () => {
    const [header] = fc.sample(anyHeader, { numRuns: 1, seed: 1 });
    if (header === undefined) throw new Error("test set-up: a header");
    const wrong: readonly Partial<BatchHeader>[] = [
      { count: 2 ** 32 },
      { expiresAt: -1 },
      { sourceTotal: 2n ** 128n },
      { quote: { ...NO_QUOTE, nonce: 2n ** 64n } },
    ];
    for (const change of wrong) expect(() => packHeader({ ...header, ...change })).to.throw(InvalidInput);
  });
});
