import type { Signer } from "ethers";
import { currencyByNumeric } from "../domain/currency.ts";
import type { PartnerId } from "../domain/partner.ts";
import { quoteId, type Exchange, type Quote } from "../domain/quote.ts";
import { convertDown, withMarginBps } from "../domain/rate.ts";
import type { Ledger } from "../ledger/contracts.ts";
import { signQuote, type Authorization } from "../ledger/signing.ts";
import type { Random } from "../platform/random.ts";
import type { DailyRates } from "./rates.ts";

/** A quote as its provider hands it out. */
export interface Offer {
  readonly quote: Quote;
  readonly authorization: Authorization;
  /** Target minor units that the ledger has still to sell of it. */
  readonly remaining: bigint;
}

export interface LiquidityProvider {
  readonly id: PartnerId;
  /**
   * A firm offer for the exchange: the standing one while it is valid and enough, else a new one.
   * @param nowSeconds block time
   */
  offer(exchange: Exchange, sourceTotal: bigint, nowSeconds: number): Promise<Offer>;
}

export interface LiquidityProviderOptions {
  readonly id: PartnerId;
  readonly signer: Signer;
  readonly ledger: Ledger;
  readonly rates: DailyRates;
  readonly random: Random;
}

const VALIDITY_SECONDS = 600;
/** A quote that ends sooner than this might do so before the batch is opened. */
const LEAST_VALIDITY_SECONDS = 60;
const MAX_HOLD_SECONDS = 900;
const NARROWEST_MARGIN_BPS = 8;
const MARGIN_RANGE_BPS = 25;
/** A quote is sized for this many batches like the one it is asked for. */
const BATCHES_PER_QUOTE = 4n;

/** A provider that sells at the day's mid-market rate less a margin of its own, newly drawn for each quote. */
export function createLiquidityProvider(options: LiquidityProviderOptions): LiquidityProvider {
  const { id, signer, ledger, random } = options;
  const standing = new Map<string, Omit<Offer, "remaining">>();
  let nonce = 0n;

  const remainingOf = async (quote: Quote): Promise<bigint> => {
    const drawn = await ledger.transferRegistry.drawnOf(quoteId(quote, ledger.chain));
    return drawn > quote.capacity ? 0n : quote.capacity - drawn;
  };

  return {
    id,
    async offer(exchange, sourceTotal, nowSeconds) {
      const pair = `${exchange.sourceCurrency}>${exchange.targetCurrency}`;
      const current = standing.get(pair);
      if (current !== undefined && current.quote.validUntil >= nowSeconds + LEAST_VALIDITY_SECONDS) {
        const remaining = await remainingOf(current.quote);
        const { rateNumerator: numerator, rateDenominator: denominator } = current.quote;
        if (convertDown(sourceTotal, { numerator, denominator }) <= remaining) return { ...current, remaining };
      }
      const marginBps = BigInt(NARROWEST_MARGIN_BPS + random.below(MARGIN_RANGE_BPS));
      const quote = makeQuote(options, exchange, { sourceTotal, nowSeconds, marginBps, nonce: nonce++ });
      const made = { quote, authorization: await signQuote(signer, ledger.chain, quote) };
      standing.set(pair, made);
      return { ...made, remaining: quote.capacity };
    },
  };
}

function makeQuote(
  { id, rates }: LiquidityProviderOptions,
  { sourceCurrency, targetCurrency }: Exchange,
  terms: {
    readonly sourceTotal: bigint;
    readonly nowSeconds: number;
    readonly marginBps: bigint;
    readonly nonce: bigint;
  },
): Quote {
  const mid = rates.rate(currencyByNumeric(sourceCurrency), currencyByNumeric(targetCurrency));
  const rate = withMarginBps(mid, terms.marginBps);
  return {
    provider: id,
    taker: 0,
    sourceCurrency,
    targetCurrency,
    rateNumerator: rate.numerator,
    rateDenominator: rate.denominator,
    capacity: convertDown(terms.sourceTotal * BATCHES_PER_QUOTE, rate),
    validUntil: terms.nowSeconds + VALIDITY_SECONDS,
    maxHold: MAX_HOLD_SECONDS,
    nonce: terms.nonce,
  };
}
