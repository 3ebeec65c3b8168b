import { expect } from "chai";
import * as fc from "fast-check";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import { isNoQuote, NO_QUOTE, quoteId, quoteMismatch, quoteRate, type Quote } from "../../../src/domain/quote.ts";
import { anyChain, anyQuote, CNY_PHP_QUOTE } from "./arbitraries.ts";

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
