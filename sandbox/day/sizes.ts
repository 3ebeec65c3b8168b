import type { Currency } from "../../src/domain/currency.ts";
import { powerOfTen } from "../../src/domain/decimal.ts";
import { InvalidInput } from "../../src/domain/errors.ts";
import { convertDown } from "../../src/domain/rate.ts";
import { parseCurrency } from "../../src/domain/currency.ts";
import type { Random } from "../../src/kernel/random.ts";
import type { DailyRates } from "../provider/rates.ts";

const USD = parseCurrency("USD");

/**
 * What people send, in US cents, at every 64th of the distribution: log-normal with σ = 0.7, scaled so that straight
 * lines between these points have the mean 25,000, near what the World Bank prices (USD 200 and 500); the ends are its 0.4th and 99.6th percentiles. Invented, and
 * plausible: half of the transfers are under USD 197, one in twenty over USD 620.
 */
const QUANTILES_USD_CENTS: readonly number[] = [
  3_072, 4_354, 5_338, 6_084, 6_719, 7_289, 7_816, 8_314, 8_789, 9_249, 9_697, 10_135, 10_568, 10_995, 11_419, 11_842,
  12_264, 12_686, 13_110, 13_537, 13_966, 14_400, 14_838, 15_282, 15_733, 16_190, 16_656, 17_130, 17_614, 18_108,
  18_614, 19_132, 19_664, 20_211, 20_774, 21_354, 21_953, 22_573, 23_216, 23_883, 24_578, 25_302, 26_059, 26_852,
  27_686, 28_565, 29_494, 30_480, 31_530, 32_653, 33_862, 35_168, 36_591, 38_150, 39_876, 41_806, 43_993, 46_511,
  49_472, 53_051, 57_551, 63_558, 72_436, 88_810, 125_868,
];
const SEGMENTS = QUANTILES_USD_CENTS.length - 1;
/** Points that are told apart between two neighbours of the table. */
const POINTS_PER_SEGMENT = 2 ** 16;

/** Steps in major units: most people send a multiple of the first, some of the second, a few an exact amount. */
const ROUND_STEPS: Readonly<Record<string, readonly [coarse: bigint, fine: bigint]>> = {
  CNY: [50n, 10n],
  INR: [500n, 100n],
  THB: [500n, 100n],
  PHP: [500n, 100n],
  KRW: [10_000n, 1_000n],
  IDR: [50_000n, 10_000n],
  HKD: [100n, 10n],
  MYR: [50n, 10n],
  BDT: [500n, 100n],
  PKR: [1_000n, 500n],
};
/** Of a hundred people: coarse step, fine step, exact amount (a bill, a fee). */
const ROUNDING_SHARES = [65, 25, 10];

/**
 * Sizes of `count` transfers in minor units of `currency`, in random order. They are drawn one from each `count`-th of
 * the distribution, so that even a small corridor's volume keeps to the mean ticket.
 * @throws InvalidInput when the currency is none of the ten
 */
export function makeSizes(count: number, currency: Currency, rates: DailyRates, random: Random): bigint[] {
  const steps = ROUND_STEPS[currency.code];
  if (steps === undefined) throw new InvalidInput("currency", "a home currency of the ten wallets", currency.code);
  const fromCents = rates.rate(USD, currency);
  const sizes = Array.from({ length: count }, (_, stratum) => {
    const usdCents = quantileUsdCents(stratum, count, random);
    return roundAsPeopleDo(convertDown(usdCents, fromCents), steps, currency, random);
  });
  return random.shuffle(sizes);
}

/** A point of the distribution's `stratum`-th part of `count`, in US cents. */
function quantileUsdCents(stratum: number, count: number, random: Random): bigint {
  const points = SEGMENTS * POINTS_PER_SEGMENT;
  const from = Math.floor((stratum * points) / count);
  const to = Math.floor(((stratum + 1) * points) / count);
  const point = from + random.below(Math.max(to - from, 1));
  const segment = Math.floor(point / POINTS_PER_SEGMENT);
  // Both ends exist: the last point is short of the last entry.
  const [low, high] = QUANTILES_USD_CENTS.slice(segment, segment + 2) as [number, number];
  const rise = BigInt(high - low) * BigInt(point % POINTS_PER_SEGMENT);
  return BigInt(low) + rise / BigInt(POINTS_PER_SEGMENT);
}

function roundAsPeopleDo(
  minor: bigint,
  [coarse, fine]: readonly [bigint, bigint],
  currency: Currency,
  random: Random,
): bigint {
  const stepMajor = [coarse, fine, 0n][random.weighted(ROUNDING_SHARES)] ?? 0n;
  if (stepMajor === 0n) return minor;
  const step = stepMajor * powerOfTen(currency.minorDigits);
  const steps = (minor + step / 2n) / step;
  return steps === 0n ? step : steps * step;
}
