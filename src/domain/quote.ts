import type { Hex } from "./bytes/hex.ts";
import type { PartnerId } from "./partner.ts";
import { rateOfRatio, type Rate } from "./rate.ts";
import { hashQuote, quoteDomain, typedDataDigest, type Chain } from "./typed-data.ts";

/** A liquidity provider's firm offer to sell target for source currency; the EIP-712 struct that it signs. */
export interface Quote {
  /** 0 only in `NO_QUOTE`. */
  readonly provider: PartnerId | 0;
  /** The one source partner that may draw on it; 0 means any. */
  readonly taker: PartnerId | 0;
  /** ISO 4217 numeric. */
  readonly sourceCurrency: number;
  /** ISO 4217 numeric. */
  readonly targetCurrency: number;
  /** Target minor units per source minor unit. The ratio need not be in lowest terms, the signature covers both. */
  readonly rateNumerator: bigint;
  readonly rateDenominator: bigint;
  /** The most it sells in all, over however many batches, in target minor units. */
  readonly capacity: bigint;
  /** UTC seconds of block time, inclusive. */
  readonly validUntil: number;
  /** The longest it lets its money be held, in seconds of ledger time. */
  readonly maxHold: number;
  readonly nonce: bigint;
}

/** What stands in a batch of a same-currency corridor, where nothing is exchanged. */
export const NO_QUOTE: Quote = Object.freeze({
  provider: 0,
  taker: 0,
  sourceCurrency: 0,
  targetCurrency: 0,
  rateNumerator: 0n,
  rateDenominator: 0n,
  capacity: 0n,
  validUntil: 0,
  maxHold: 0,
  nonce: 0n,
});

/** Who exchanges what; every batch header is one. Currencies are ISO 4217 numeric. */
export interface Exchange {
  readonly source: PartnerId;
  readonly sourceCurrency: number;
  readonly targetCurrency: number;
}

/** The quote's id: the EIP-712 digest its provider signs. Throws InvalidInput when a member does not fit its type. */
export function quoteId(quote: Quote, chain: Omit<Chain, "transferRegistry">): Hex {
  return typedDataDigest(quoteDomain(chain), hashQuote(quote));
}

/**
 * The quote's rate in lowest terms.
 * @throws InvalidInput for `NO_QUOTE`, which has none
 */
export function quoteRate({ rateNumerator, rateDenominator }: Quote): Rate {
  return rateOfRatio(rateNumerator, rateDenominator, "quote.rate");
}

/** Whether every member is zero, as in `NO_QUOTE`. */
export function isNoQuote(quote: Quote): boolean {
  return Object.values(quote).every((member) => member === 0 || member === 0n);
}

/** The first member by which a quote is not for this exchange, in the ledger's order; undefined when it is. */
export function quoteMismatch(quote: Quote, exchange: Exchange): keyof Quote | undefined {
  if (exchange.sourceCurrency === exchange.targetCurrency) return isNoQuote(quote) ? undefined : "provider";
  if (quote.provider === 0) return "provider";
  if (quote.taker !== 0 && quote.taker !== exchange.source) return "taker";
  if (quote.sourceCurrency !== exchange.sourceCurrency) return "sourceCurrency";
  if (quote.targetCurrency !== exchange.targetCurrency) return "targetCurrency";
  // A ratio over zero would be no limit at all.
  if (quote.rateDenominator === 0n) return "rateDenominator";
  return undefined;
}
