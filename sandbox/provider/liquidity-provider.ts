import type { Authorization } from "../../src/domain/typed-data.ts";
import type { Signer } from "ethers";
import { currencyByNumeric } from "../../src/domain/currency.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import type { Exchange, Quote } from "../../src/domain/quote.ts";
import { convertDown, withMarginBps } from "../../src/domain/rate.ts";
import type { Ledger } from "../../src/ledger/contracts.ts";
import { signQuote } from "../../src/ledger/signing.ts";
import type { Random } from "../../src/kernel/random.ts";
import type { DailyRates } from "./rates.ts";

/** A quote as its provider hands it out. */
export interface Offer {
  readonly quote: Quote;
  readonly authorization: Authorization;
}

export interface LiquidityProvider {
  readonly id: PartnerId;
  /**
   * A firm offer for the exchange, newly made, to its source partner only: what it draws on is nobody else's.
   * @param sourceTotal source minor units that are to be exchanged
   * @param nowSeconds block time
   * @param leastCapacity target minor units that the quote must be good for at least
   */
  offer(exchange: Exchange, sourceTotal: bigint, nowSeconds: number, leastCapacity?: bigint): Promise<Offer>;
}

export interface LiquidityProviderOptions {
  readonly id: PartnerId;
  readonly signer: Signer;
  readonly ledger: Pick<Ledger, "chain">;
  readonly rates: DailyRates;
  readonly random: Random;
  /** Never the same number twice, over restarts either; counts from 0 where it is left out. */
  readonly drawNonce?: () => bigint;
}

const VALIDITY_SECONDS = 600;
const MAX_HOLD_SECONDS = 900;
const NARROWEST_MARGIN_BPS = 8;
const MARGIN_RANGE_BPS = 25;
/** A quote is good for this many times what it is asked for: the money behind it is held by batches only. */
const GENEROSITY = 1_000n;

/** A provider that sells at the day's mid-market rate less a margin of its own, newly drawn for each quote. */
export function createLiquidityProvider(options: LiquidityProviderOptions): LiquidityProvider {
  const { id, signer, ledger, rates, random } = options;
  let made = 0n;
  const drawNonce = options.drawNonce ?? (() => made++);
  return {
    id,
    async offer({ source, sourceCurrency, targetCurrency }, sourceTotal, nowSeconds, leastCapacity = 0n) {
      const mid = rates.rate(currencyByNumeric(sourceCurrency), currencyByNumeric(targetCurrency));
      const rate = withMarginBps(mid, BigInt(NARROWEST_MARGIN_BPS + random.below(MARGIN_RANGE_BPS)));
      const wanted = convertDown(sourceTotal, rate);
      const quote: Quote = {
        provider: id,
        taker: source,
        sourceCurrency,
        targetCurrency,
        rateNumerator: rate.numerator,
        rateDenominator: rate.denominator,
        capacity: GENEROSITY * (wanted > leastCapacity ? wanted : leastCapacity),
        validUntil: nowSeconds + VALIDITY_SECONDS,
        maxHold: MAX_HOLD_SECONDS,
        nonce: drawNonce(),
      };
      return { quote, authorization: await signQuote(signer, ledger.chain, quote) };
    },
  };
}
