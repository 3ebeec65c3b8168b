import type { BatchHeader } from "../../src/domain/batch.ts";
import { toHex } from "../../src/domain/bytes/hex.ts";
import type { Corridor } from "../../src/domain/corridor.ts";
import { currencyOf } from "../../src/domain/currency.ts";
import { packHeader } from "../../src/domain/packed-header.ts";
import type { Quote } from "../../src/domain/quote.ts";
import type { Transfer } from "../../src/domain/transfer.ts";
import type { SigningDomain } from "../../src/domain/typed-data.ts";
import { uetrToBytes16 } from "../../src/domain/uetr.ts";

// How each type stands in the file: integers as decimal strings, bytes as 0x-hexadecimal.

export function domainFields({ chainId, verifyingContract }: SigningDomain) {
  return { chainId: String(chainId), verifyingContract };
}

export function corridorFields({ source, sourceCurrency, target, targetCurrency }: Corridor) {
  return {
    source: String(source),
    sourceCurrency: String(currencyOf(sourceCurrency).numeric),
    target: String(target),
    targetCurrency: String(currencyOf(targetCurrency).numeric),
  };
}

export function transferFields({ uetr, sourceAmount, targetAmount, detailsHash }: Transfer) {
  return {
    uetr: toHex(uetrToBytes16(uetr)),
    sourceAmount: String(sourceAmount),
    targetAmount: String(targetAmount),
    detailsHash,
  };
}

export function quoteFields(quote: Quote) {
  return {
    provider: String(quote.provider),
    taker: String(quote.taker),
    sourceCurrency: String(quote.sourceCurrency),
    targetCurrency: String(quote.targetCurrency),
    rateNumerator: String(quote.rateNumerator),
    rateDenominator: String(quote.rateDenominator),
    capacity: String(quote.capacity),
    validUntil: String(quote.validUntil),
    maxHold: String(quote.maxHold),
    nonce: String(quote.nonce),
  };
}

export function headerFields(header: BatchHeader) {
  return {
    source: String(header.source),
    target: String(header.target),
    sourceCurrency: String(header.sourceCurrency),
    targetCurrency: String(header.targetCurrency),
    count: String(header.count),
    sourceTotal: String(header.sourceTotal),
    targetTotal: String(header.targetTotal),
    fee: String(header.fee),
    expiresAt: String(header.expiresAt),
    root: header.root,
    quote: quoteFields(header.quote),
  };
}

export function packedFields(header: BatchHeader) {
  const { terms, totals, root, quoteTerms, quoteRate, limits } = packHeader(header);
  return {
    terms: String(terms),
    totals: String(totals),
    root,
    quoteTerms: String(quoteTerms),
    quoteRate: String(quoteRate),
    limits: String(limits),
  };
}
