import { expect } from "chai";
import * as fc from "fast-check";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { MAX_MINOR } from "../../../src/domain/money.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import {
  bestQuote,
  isNoQuote,
  NO_QUOTE,
  quoteId,
  quoteMismatch,
  quoteRate,
  type Quote,
  type QuoteNeed,
} from "../../../src/domain/quote.ts";
import { anyChain, anyQuote, CNY_PHP_QUOTE } from "./arbitraries.ts";

const NEED: QuoteNeed = {
  source: parsePartnerId(1),
  sourceCurrency: 156,
  targetCurrency: 608,
  sourceTotal: 1_000_000n,
  now: 1_900_000_000,
  holdSeconds: 60,
  remaining: ({ capacity }) => capacity,
};

function chosenFrom(quotes: readonly Quote[], need: Partial<QuoteNeed> = {}): Quote | undefined {
  const choice = bestQuote(quotes, { ...NEED, ...need });
  return choice.kind === "chosen" ? choice.quote : undefined;
}

describe("quote", () => {
  it("gives the rate in lowest terms", () => {
    expect(quoteRate({ ...CNY_PHP_QUOTE, rateNumerator: 10n, rateDenominator: 4n })).to.deep.equal({
      numerator: 5n,
      denominator: 2n,
    });
    expect(() => quoteRate(NO_QUOTE))
      .to.throw(InvalidInput)
      .with.property("field", "quote.rate");
  });

  it("is none only when every member is zero", () => {
    expect(isNoQuote(NO_QUOTE)).to.equal(true);
    expect(isNoQuote({ ...NO_QUOTE })).to.equal(true);
    for (const name of Object.keys(NO_QUOTE)) {
      expect(isNoQuote({ ...NO_QUOTE, [name]: CNY_PHP_QUOTE.nonce }), name).to.equal(false);
    }
  });

  it("has an id of its own for every difference, and on every chain", () => {
    fc.assert(
      fc.property(
        anyQuote,
        anyChain,
        fc.constantFrom(...(Object.keys(NO_QUOTE) as (keyof Quote)[])),
        (quote, chain, name) => {
          const value = quote[name];
          const other = { ...quote, [name]: typeof value === "bigint" ? value ^ 1n : value === 0 ? 1 : value - 1 };
          expect(quoteId(other, chain)).to.not.equal(quoteId(quote, chain));
          expect(quoteId(quote, { ...chain, chainId: chain.chainId ^ 1n })).to.not.equal(quoteId(quote, chain));
        },
      ),
    );
  });

  it("fits an exchange or says which member does not", () => {
    const exchange = { source: parsePartnerId(1), sourceCurrency: 156, targetCurrency: 608 };
    expect(quoteMismatch(CNY_PHP_QUOTE, exchange)).to.equal(undefined);
    expect(quoteMismatch({ ...CNY_PHP_QUOTE, taker: exchange.source }, exchange)).to.equal(undefined);
    expect(quoteMismatch({ ...CNY_PHP_QUOTE, taker: parsePartnerId(2) }, exchange)).to.equal("taker");
    expect(quoteMismatch({ ...CNY_PHP_QUOTE, sourceCurrency: 344 }, exchange)).to.equal("sourceCurrency");
    expect(quoteMismatch({ ...CNY_PHP_QUOTE, targetCurrency: 344 }, exchange)).to.equal("targetCurrency");
    expect(quoteMismatch({ ...CNY_PHP_QUOTE, rateDenominator: 0n }, exchange)).to.equal("rateDenominator");
    expect(quoteMismatch(NO_QUOTE, exchange)).to.equal("provider");
    expect(quoteMismatch(NO_QUOTE, { ...exchange, targetCurrency: 156 })).to.equal(undefined);
    expect(quoteMismatch({ ...NO_QUOTE, nonce: 1n }, { ...exchange, targetCurrency: 156 })).to.equal("provider");
  });
});

describe("best quote", () => {
  const better = { ...CNY_PHP_QUOTE, provider: parsePartnerId(12), rateNumerator: 782n };

  it("is the one that gives the customer most", () => {
    expect(chosenFrom([CNY_PHP_QUOTE, better])).to.equal(better);
    expect(chosenFrom([better, CNY_PHP_QUOTE])).to.equal(better);
    expect(bestQuote([better], NEED)).to.deep.include({ kind: "chosen", targetMost: 7_820_000n });
  });

  it("is of the lower provider, then the lower nonce, at equal rates", () => {
    const sameRate = { ...CNY_PHP_QUOTE, rateNumerator: 1_562n, rateDenominator: 200n };
    const laterNonce = { ...sameRate, nonce: 2n };
    const higherProvider = { ...sameRate, provider: parsePartnerId(12), nonce: 0n };
    expect(chosenFrom([higherProvider, laterNonce, CNY_PHP_QUOTE])).to.equal(CNY_PHP_QUOTE);
    expect(chosenFrom([higherProvider, laterNonce])).to.equal(laterNonce);
  });

  it("is the next one when the best does not fit", () => {
    expect(chosenFrom([CNY_PHP_QUOTE, { ...better, validUntil: NEED.now - 1 }])).to.equal(CNY_PHP_QUOTE);
    expect(chosenFrom([CNY_PHP_QUOTE, { ...better, rateDenominator: 0n }])).to.equal(CNY_PHP_QUOTE);
  });

  it("fits up to and including each limit", () => {
    const atLimit = { ...CNY_PHP_QUOTE, validUntil: NEED.now, maxHold: NEED.holdSeconds, capacity: 7_810_000n };
    expect(chosenFrom([atLimit])).to.equal(atLimit);
    expect(chosenFrom([atLimit], { remaining: () => 7_810_000n })).to.equal(atLimit);
  });

  for (const [refusal, change] of [
    ["OTHER_CURRENCIES", { sourceCurrency: 344 }],
    ["OTHER_CURRENCIES", { targetCurrency: 344 }],
    ["OTHER_CURRENCIES", { provider: 0 }],
    ["OTHER_TAKER", { taker: parsePartnerId(2) }],
    ["NO_RATE", { rateNumerator: 0n }],
    ["NO_RATE", { rateDenominator: 0n }],
    ["NO_RATE", { rateNumerator: MAX_MINOR + 1n }],
    ["PAST_VALIDITY", { validUntil: NEED.now - 1 }],
    ["HOLD_TOO_LONG", { maxHold: NEED.holdSeconds - 1 }],
    ["CAPACITY_SHORT", { capacity: 7_809_999n }],
  ] as const) {
    it(`refuses ${refusal} by ${Object.keys(change).join()}`, () => {
      const quote: Quote = { ...CNY_PHP_QUOTE, ...change };
      expect(bestQuote([quote], NEED)).to.deep.equal({ kind: "none", refusals: [{ kind: "refused", quote, refusal }] });
    });
  }

  it("counts what others have drawn", () => {
    expect(bestQuote([CNY_PHP_QUOTE], { ...NEED, remaining: () => 0n })).to.have.nested.property(
      "refusals[0].refusal",
      "CAPACITY_SHORT",
    );
  });

  it("is none of none", () => {
    expect(bestQuote([], NEED)).to.deep.equal({ kind: "none", refusals: [] });
  });

  it("does not depend on the order in which quotes come", () => {
    const anyOffer = fc
      .record({
        provider: fc.constantFrom(11, 12, 13),
        nonce: fc.bigInt(0n, 3n),
        rate: fc.bigInt(1n, 4n),
        hold: fc.constantFrom(30, 60),
      })
      .map(({ provider, nonce, rate, hold }): Quote => ({
        ...CNY_PHP_QUOTE,
        provider: parsePartnerId(provider),
        nonce,
        rateNumerator: rate,
        maxHold: hold,
      }));
    fc.assert(
      fc.property(fc.array(anyOffer, { maxLength: 8 }), (offers) => {
        expect(chosenFrom(offers)).to.deep.equal(chosenFrom(offers.toReversed()));
      }),
    );
  });
});
