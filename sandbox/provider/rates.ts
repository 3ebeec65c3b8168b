import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Currency } from "../../src/domain/currency.ts";
import type { Decimal } from "../../src/domain/decimal.ts";
import { parseDecimal, powerOfTen } from "../../src/domain/decimal.ts";
import { InvalidInput } from "../../src/domain/errors.ts";
import type { Rate } from "../../src/domain/rate.ts";
import { rateOfRatio } from "../../src/domain/rate.ts";
import { USD_RATES_BY_DATE } from "./usd-rates.ts";
import { WALLETS } from "../wallet/wallets.ts";

/** The mid-market rates of one date. */
export interface DailyRates {
  /** YYYY-MM-DD. */
  readonly date: string;
  /**
   * Target minor units per source minor unit, exact: the ratio of the two published US dollar rates. Knows the ten
   * home currencies and USD.
   * @throws InvalidInput for any other currency
   */
  rate(source: Currency, target: Currency): Rate;
}

/** All dates that the sandbox has rates for. */
export interface RateBook {
  /** YYYY-MM-DD, ascending. */
  readonly dates: readonly string[];
  /** The date of the pinned npm package, and the default of `on`. */
  readonly packagedDate: string;
  /** @throws InvalidInput when `date` is no calendar date or has no rates; the message names the nearest that have */
  on(date?: string): DailyRates;
}

type UsdRates = ReadonlyMap<string, Decimal>;

const PACKAGED_RATES = "@fawazahmed0/currency-api/v1/currencies/usd.json";
const COLUMNS: readonly string[] = WALLETS.map((wallet) => wallet.currency.code);
const ONE: Decimal = { unscaled: 1n, scale: 0 };

/**
 * The rates of the installed npm package (one date) and of the dates restated in `usd-rates.ts`.
 * @throws InvalidInput when the package's file is not as expected
 */
export async function loadRateBook(): Promise<RateBook> {
  const path = createRequire(import.meta.url).resolve(PACKAGED_RATES);
  return createRateBook(await readFile(path, "utf8"));
}

/** As `loadRateBook`, from the text of the package's usd.json. */
export function createRateBook(packagedText: string): RateBook {
  const packaged = parsePackagedRates(packagedText);
  const byDate = new Map([...restatedRates(), [packaged.date, packaged.rates] as const]);
  const dates = [...byDate.keys()].sort();
  return {
    dates,
    packagedDate: packaged.date,
    on(date = packaged.date) {
      const rates = byDate.get(requireCalendarDate(date));
      if (rates === undefined) throw new InvalidInput("date", nearestDatesRule(dates, date), date);
      return dailyRates(date, rates);
    },
  };
}

function dailyRates(date: string, rates: UsdRates): DailyRates {
  function perUsd(currency: Currency): Decimal {
    if (currency.code === "USD") return ONE;
    const found = rates.get(currency.code);
    if (found === undefined) {
      throw new InvalidInput(
        "currency",
        `USD or a home currency of the ten wallets, ${COLUMNS.join(" ")}`,
        currency.code,
      );
    }
    return found;
  }

  function rate(source: Currency, target: Currency): Rate {
    const [from, to] = [perUsd(source), perUsd(target)];
    return rateOfRatio(
      to.unscaled * powerOfTen(from.scale + target.minorDigits),
      from.unscaled * powerOfTen(to.scale + source.minorDigits),
    );
  }

  return { date, rate };
}

/**
 * The rates in the package's file. The digits are taken from its text: a JSON parser would turn them into binary
 * floating point.
 */
function parsePackagedRates(text: string): { readonly date: string; readonly rates: UsdRates } {
  const date = /"date":\s*"([0-9-]+)"/.exec(text)?.[1] ?? "";
  const rates = COLUMNS.map((code) => {
    const digits = new RegExp(`"${code.toLowerCase()}":\\s*([^\\s,}]+)`).exec(text)?.[1] ?? "";
    return [code, parseRate(digits, code)] as const;
  });
  return { date: requireCalendarDate(date, `${PACKAGED_RATES} date`), rates: new Map(rates) };
}

function restatedRates(): (readonly [date: string, rates: UsdRates])[] {
  return USD_RATES_BY_DATE.trim()
    .split("\n")
    .map((line) => {
      const [date = "", ...figures] = line.split(" ");
      return [date, new Map(COLUMNS.map((code, index) => [code, parseRate(figures[index] ?? "", code)]))];
    });
}

function parseRate(digits: string, code: string): Decimal {
  const rate = parseDecimal(digits, `rate of ${code}`);
  if (rate.unscaled === 0n) throw new InvalidInput(`rate of ${code}`, "more than zero", digits);
  return rate;
}

function requireCalendarDate(text: string, field = "date"): string {
  const time = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // Date.parse takes 30 February for 1 March.
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text) {
    throw new InvalidInput(field, "a calendar date, YYYY-MM-DD", text);
  }
  return text;
}

function nearestDatesRule(dates: readonly string[], date: string): string {
  const before = dates.findLast((known) => known < date);
  const after = dates.find((known) => known > date);
  const nearest = [before, after].filter((known) => known !== undefined);
  return `a date with published rates; the nearest ${nearest.length === 1 ? "is" : "are"} ${nearest.join(" and ")}`;
}
