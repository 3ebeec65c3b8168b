import { expect } from "chai";
import * as fc from "fast-check";
import type { BatchHeader } from "../../../src/domain/batch.ts";
import { buildBatch } from "../../../src/domain/batch.ts";
import { networkFeeUp } from "../../../src/domain/corridor.ts";
import { MAX_MINOR } from "../../../src/domain/money.ts";
import { MAX_HOLD_SECONDS, whyNotOpen, type OpeningContext } from "../../../src/domain/opening.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import { NO_QUOTE } from "../../../src/domain/quote.ts";
import { uetrFromRandom } from "../../../src/domain/uetr.ts";
import { anyBatch, CNY_PHP_QUOTE, CNY_TO_PHP } from "./arbitraries.ts";

const { header: HEADER } = buildBatch(
  [
    {
      uetr: uetrFromRandom(new Uint8Array(16)),
      sourceAmount: 10_000n,
      targetAmount: 78_100n,
      detailsHash: `0x${"00".repeat(32)}`,
    },
  ],
  CNY_TO_PHP,
  CNY_PHP_QUOTE,
  30n,
  1_900_000_060,
);
const CONTEXT: OpeningContext = {
  terms: { open: true, feeBps: 30n, maxPerBatch: 10_000n, maxPerDay: 25_000n },
  openedToday: 15_000n,
  drawn: 0n,
  ledgerTime: 1_900_000_000,
  blockTime: 1_900_000_900,
};
const withQuote = (change: Partial<typeof CNY_PHP_QUOTE>): Partial<BatchHeader> => ({
  quote: { ...CNY_PHP_QUOTE, ...change },
});

describe("opening", () => {
  it("is allowed up to and including every limit", () => {
    expect(whyNotOpen(HEADER, CONTEXT)).to.equal(undefined);
    const quote = { ...CNY_PHP_QUOTE, validUntil: CONTEXT.blockTime, maxHold: 60, capacity: 78_100n };
    expect(whyNotOpen({ ...HEADER, quote }, CONTEXT)).to.equal(undefined);
    const oneSecond = { ...CONTEXT, ledgerTime: HEADER.expiresAt - 1 };
    expect(whyNotOpen(HEADER, oneSecond)).to.equal(undefined);
    const longest = { ...HEADER, ...withQuote({ maxHold: 2 ** 32 - 1 }) };
    expect(whyNotOpen(longest, { ...CONTEXT, ledgerTime: HEADER.expiresAt - MAX_HOLD_SECONDS })).to.equal(undefined);
  });

  const refusals: readonly [refusal: string, header: Partial<BatchHeader>, context: Partial<OpeningContext>][] = [
    ["EMPTY_BATCH", { count: 0 }, {}],
    ["EMPTY_BATCH", { count: 10_001 }, {}],
    ["EMPTY_BATCH", { targetTotal: 0n }, {}],
    ["EXPIRED", {}, { ledgerTime: HEADER.expiresAt }],
    ["EXPIRED", {}, { ledgerTime: HEADER.expiresAt + 1 }],
    ["HOLD_TOO_LONG", {}, { ledgerTime: HEADER.expiresAt - MAX_HOLD_SECONDS - 1 }],
    ["CORRIDOR_CLOSED", {}, { terms: { ...CONTEXT.terms, open: false } }],
    ["BATCH_LIMIT_EXCEEDED", {}, { terms: { ...CONTEXT.terms, maxPerBatch: 9_999n } }],
    ["FEE_MISMATCH", { fee: 29n }, {}],
    ["FEE_MISMATCH", {}, { terms: { ...CONTEXT.terms, feeBps: 31n } }],
    ["DAY_LIMIT_EXCEEDED", {}, { openedToday: 15_001n }],
    ["DAY_LIMIT_EXCEEDED", {}, { terms: { ...CONTEXT.terms, maxPerDay: 1n }, openedToday: 15_000n }],
    ["RATE_EXCEEDED", { targetTotal: 78_101n }, {}],
    ["RATE_EXCEEDED", { targetCurrency: 156 }, {}],
    ["QUOTE_MISMATCH", { quote: NO_QUOTE }, {}],
    ["QUOTE_MISMATCH", withQuote({ taker: parsePartnerId(2) }), {}],
    ["QUOTE_NOT_NEEDED", { targetCurrency: 156, targetTotal: 10_000n }, {}],
    ["QUOTE_MISMATCH", withQuote({ rateDenominator: 0n }), {}],
    ["QUOTE_EXPIRED", withQuote({ validUntil: CONTEXT.blockTime - 1 }), {}],
    ["QUOTE_HOLD_TOO_LONG", withQuote({ maxHold: 59 }), {}],
    ["QUOTE_USED_UP", withQuote({ capacity: 78_099n }), {}],
    ["QUOTE_USED_UP", {}, { drawn: MAX_MINOR }],
    ["QUOTE_USED_UP", withQuote({ capacity: 100_000n }), { drawn: 21_901n }],
  ];
  for (const [refusal, header, context] of refusals) {
    it(`is refused: ${refusal} by ${[...Object.keys(header), ...Object.keys(context)].join(", ")}`, () => {
      expect(whyNotOpen({ ...HEADER, ...header }, { ...CONTEXT, ...context })).to.equal(refusal);
    });
  }

  it("is never refused for what buildBatch has seen to", () => {
    fc.assert(
      fc.property(anyBatch, fc.bigInt({ min: 0n, max: 1_000n }), ({ header }, feeBps) => {
        const open: OpeningContext = {
          terms: { open: true, feeBps, maxPerBatch: header.sourceTotal, maxPerDay: header.sourceTotal },
          openedToday: 0n,
          drawn: 0n,
          ledgerTime: header.expiresAt - 60,
          blockTime: header.expiresAt - 60,
        };
        const atFee = { ...header, fee: networkFeeUp(header.sourceTotal, feeBps) };
        expect(whyNotOpen(atFee, open)).to.equal(undefined);
      }),
    );
  });
});
