import type { Hex } from "./bytes/hex.ts";
import type { PartnerId } from "./partner.ts";
import { compareRates, convertDown, MAX_RATE_TERM, rateOfRatio, type Rate } from "./rate.ts";
import { hashQuote, typedDataDigest, type Chain } from "./typed-data.ts";

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

/** What a batch about to be built needs of a quote. */
export interface QuoteNeed extends Exchange {
  /** Source minor units to be exchanged, fee not included. */
  readonly sourceTotal: bigint;
  /** UTC seconds; the block time that the ledger will judge `validUntil` by. */
  readonly now: number;
  /** Seconds of ledger time until the batch expires. */
  readonly holdSeconds: number;
  /** Target minor units still unsold of a quote. */
  readonly remaining: (quote: Quote) => bigint;
}

export type QuoteRefusal =
  "OTHER_TAKER" | "NO_RATE" | "OTHER_CURRENCIES" | "PAST_VALIDITY" | "HOLD_TOO_LONG" | "CAPACITY_SHORT";

export interface ChosenQuote {
  readonly kind: "chosen";
  readonly quote: Quote;
  readonly rate: Rate;
  /** All of the source total converted at once, in target minor units. */
  readonly targetMost: bigint;
}

export interface RefusedQuote {
  readonly kind: "refused";
  readonly quote: Quote;
  readonly refusal: QuoteRefusal;
}

/** One refusal for each quote, in the order given, when none is chosen; no refusals where there was no quote at all. */
export type QuoteChoice = ChosenQuote | { readonly kind: "none"; readonly refusals: readonly RefusedQuote[] };

/** The quote's id: the EIP-712 digest its provider signs. Throws InvalidInput when a member does not fit its type. */
export function quoteId(quote: Quote, chain: Chain): Hex {
  return typedDataDigest(chain, hashQuote(quote));
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

/**
 * Chooses among competing quotes the one with the best rate for the customer; between equal rates the lower provider
 * id, then the lower nonce. Capacity is judged by all of `sourceTotal` converted at once, which is less than one minor
 * unit a transfer more than what a batch of separately rounded transfers draws. One unusable quote does not keep the
 * others from being chosen.
 * @throws InvalidInput when `sourceTotal` is not an amount
 */
export function bestQuote(quotes: readonly Quote[], need: QuoteNeed): QuoteChoice {
  const judged = quotes.map((quote) => judge(quote, need));
  const [best] = judged.filter((offer) => offer.kind === "chosen").sort(byPreference);
  return best ?? { kind: "none", refusals: judged.filter((offer) => offer.kind === "refused") };
}

function judge(quote: Quote, need: QuoteNeed): ChosenQuote | RefusedQuote {
  const refused = (refusal: QuoteRefusal): RefusedQuote => ({ kind: "refused", quote, refusal });
  const mismatch = quoteMismatch(quote, need);
  if (mismatch === "taker") return refused("OTHER_TAKER");
  if (!isRateTerm(quote.rateNumerator) || !isRateTerm(quote.rateDenominator)) return refused("NO_RATE");
  if (mismatch !== undefined) return refused("OTHER_CURRENCIES");
  if (need.now > quote.validUntil) return refused("PAST_VALIDITY");
  if (need.holdSeconds > quote.maxHold) return refused("HOLD_TOO_LONG");
  const rate = quoteRate(quote);
  const targetMost = convertDown(need.sourceTotal, rate);
  if (targetMost > need.remaining(quote)) return refused("CAPACITY_SHORT");
  return { kind: "chosen", quote, rate, targetMost };
}

function isRateTerm(term: bigint): boolean {
  return term >= 1n && term <= MAX_RATE_TERM;
}

function byPreference(left: ChosenQuote, right: ChosenQuote): number {
  const byRate = compareRates(right.rate, left.rate);
  if (byRate !== 0) return byRate;
  const [first, second] = [left.quote, right.quote];
  if (first.provider !== second.provider) return first.provider - second.provider;
  if (first.nonce === second.nonce) return 0;
  return first.nonce < second.nonce ? -1 : 1;
}
