import type { Currency } from "./currency.ts";
import { formatDecimal, powerOfTen } from "./decimal.ts";
import { InvalidInput } from "./errors.ts";
import { MAX_MINOR, requireMinor } from "./money.ts";

/** Both terms of a rate are uint128 on the ledger. */
export const MAX_RATE_TERM = MAX_MINOR;
const BPS_PER_ONE = 10_000n;
const MAX_RATE_DIGITS = 38;

/**
 * An exact exchange rate: target minor units per source minor unit. In lowest terms, both terms from 1 to 2^128-1, so
 * equal rates have equal terms.
 */
export interface Rate {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/**
 * A rate from any ratio of target to source minor units.
 * @throws InvalidInput when a term is not positive, or does not fit 128 bits in lowest terms
 */
export function rateOfRatio(numerator: bigint, denominator: bigint, field = "rate"): Rate {
  if (numerator <= 0n || denominator <= 0n) {
    throw new InvalidInput(field, "more than zero", `${numerator}/${denominator}`);
  }
  const rate = inLowestTerms(numerator, denominator);
  if (!fits(rate)) {
    throw new InvalidInput(field, "both terms at most 2^128-1 in lowest terms", `${numerator}/${denominator}`);
  }
  return rate;
}

/**
 * Target minor units for `sourceMinor`, rounded down. The result can exceed 128 bits; the ledger, too, compares it in
 * 256 bits.
 * @throws InvalidInput when `sourceMinor` is not an amount
 */
export function convertDown(sourceMinor: bigint, rate: Rate): bigint {
  return (requireMinor(sourceMinor, "sourceMinor") * rate.numerator) / rate.denominator;
}

/**
 * The least source minor units that `convertDown` turns into at least `targetMinor`. The result can exceed 128 bits.
 * @throws InvalidInput when `targetMinor` is not an amount
 */
export function sourceForTargetUp(targetMinor: bigint, rate: Rate): bigint {
  return divideUp(requireMinor(targetMinor, "targetMinor") * rate.denominator, rate.numerator);
}

/**
 * The rate less a margin, in basis points of the rate: the customer gets less target for the same source. Exact where
 * the result fits 128 bits. Otherwise its larger term becomes 2^128-1 and the other is rounded, to a lower rate: again to
 * the customer's disadvantage.
 * @throws InvalidInput when `bps` is not 0…9999, or nothing is left of the rate
 */
export function withMarginBps(rate: Rate, bps: bigint): Rate {
  if (bps < 0n || bps >= BPS_PER_ONE) throw new InvalidInput("marginBps", "from 0 to 9999", bps);
  const exact = inLowestTerms(rate.numerator * (BPS_PER_ONE - bps), rate.denominator * BPS_PER_ONE);
  if (fits(exact)) return exact;
  const largest = exact.numerator > exact.denominator ? exact.numerator : exact.denominator;
  return rateOfRatio((exact.numerator * MAX_RATE_TERM) / largest, divideUp(exact.denominator * MAX_RATE_TERM, largest));
}

/**
 * The rate as quoted: major units of `target` for one major unit of `source`, rounded down to `digits` decimals.
 * @throws InvalidInput when `digits` is not an integer from 0 to 38
 */
export function formatRate(rate: Rate, source: Currency, target: Currency, digits: number): string {
  if (!Number.isInteger(digits) || digits < 0 || digits > MAX_RATE_DIGITS) {
    throw new InvalidInput("digits", `an integer from 0 to ${MAX_RATE_DIGITS}`, digits);
  }
  const scaled = rate.numerator * powerOfTen(source.minorDigits + digits);
  return formatDecimal({ unscaled: scaled / (rate.denominator * powerOfTen(target.minorDigits)), scale: digits });
}

/** -1, 0 or 1; the greater rate is the better one for whoever gives the source currency. */
export function compareRates(left: Rate, right: Rate): -1 | 0 | 1 {
  const difference = left.numerator * right.denominator - right.numerator * left.denominator;
  if (difference === 0n) return 0;
  return difference < 0n ? -1 : 1;
}

/** `ceil(dividend / divisor)` for a dividend that is not negative and a positive divisor. */
export function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

function fits({ numerator, denominator }: Rate): boolean {
  return numerator <= MAX_RATE_TERM && denominator <= MAX_RATE_TERM;
}

function inLowestTerms(numerator: bigint, denominator: bigint): Rate {
  const divisor = greatestCommonDivisor(numerator, denominator);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

function greatestCommonDivisor(left: bigint, right: bigint): bigint {
  let [a, b] = [left, right];
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}
