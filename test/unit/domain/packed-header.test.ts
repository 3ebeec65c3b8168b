import { expect } from "chai";
import fc from "fast-check";
import type { BatchHeader } from "../../../src/domain/batch.ts";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { packHeader, unpackHeader } from "../../../src/domain/packed-header.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import { NO_QUOTE } from "../../../src/domain/quote.ts";

const uint = (bits: bigint) => fc.bigInt({ min: 0n, max: 2n ** bits - 1n });
const smallUint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
const partner = fc.integer({ min: 1, max: 65_535 }).map((id) => parsePartnerId(id));
const partnerOrNone = fc.oneof(fc.constant(0 as const), partner);

const anyHeader: fc.Arbitrary<BatchHeader> = fc.record({
  source: partner,
  target: partner,
  sourceCurrency: smallUint(16),
  targetCurrency: smallUint(16),
  count: smallUint(32),
  sourceTotal: uint(128n),
  targetTotal: uint(128n),
  fee: uint(128n),
  expiresAt: smallUint(48),
  root: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex),
  quote: fc.oneof(
    fc.constant(NO_QUOTE),
    fc.record({
      provider: partnerOrNone,
      taker: partnerOrNone,
      sourceCurrency: smallUint(16),
      targetCurrency: smallUint(16),
      rateNumerator: uint(128n),
      rateDenominator: uint(128n),
      capacity: uint(128n),
      validUntil: smallUint(48),
      maxHold: smallUint(32),
      nonce: uint(64n),
    }),
  ),
});

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
      fc.property(anyHeader, uint(48n), (header, junk) => {
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
