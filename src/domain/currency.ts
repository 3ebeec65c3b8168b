import type { Brand } from "./brand.ts";
import { InvalidInput } from "./errors.ts";
import { ISO_4217_LIST_ONE } from "./iso-4217.ts";

/** ISO 4217 alphabetic code of an active currency with minor units. Made by `parseCurrency`. */
export type CurrencyCode = Brand<string, "CurrencyCode">;

export interface Currency {
  readonly code: CurrencyCode;
  /** ISO 4217 numeric code: the currency's id on the ledger (uint16). */
  readonly numeric: number;
  /** Decimal digits of the minor unit: KRW 0, CNY 2, KWD 3. */
  readonly minorDigits: number;
  /** English name in ISO 4217. */
  readonly name: string;
}

/** Every active currency of ISO 4217 List One that has minor units, by code, ascending. */
export const CURRENCIES: readonly Currency[] = ISO_4217_LIST_ONE.trim().split("\n").map(parseLine);

const byCode: ReadonlyMap<string, Currency> = new Map(CURRENCIES.map((currency) => [currency.code, currency]));
const byNumeric: ReadonlyMap<number, Currency> = new Map(CURRENCIES.map((currency) => [currency.numeric, currency]));

/**
 * Finds a currency by its ISO 4217 alphabetic code, upper case.
 * @throws InvalidInput when no active currency with minor units has that code
 */
export function parseCurrency(text: string, field = "currency"): Currency {
  const currency = byCode.get(text);
  if (currency === undefined) {
    throw new InvalidInput(field, "an active ISO 4217 alphabetic code in upper case", text);
  }
  return currency;
}

/** The currency of a code that has been parsed before. */
export function currencyOf(code: CurrencyCode): Currency {
  return parseCurrency(code);
}

/**
 * Finds a currency by its ISO 4217 numeric code.
 * @throws InvalidInput when no active currency with minor units has that code
 */
export function currencyByNumeric(numeric: number, field = "currency"): Currency {
  const currency = byNumeric.get(numeric);
  if (currency === undefined) {
    throw new InvalidInput(field, "an active ISO 4217 numeric code", numeric);
  }
  return currency;
}

function parseLine(line: string): Currency {
  return Object.freeze({
    // The list itself is what makes a code valid.
    code: line.slice(0, 3) as CurrencyCode,
    numeric: Number.parseInt(line.slice(4, 7), 10),
    minorDigits: Number.parseInt(line.slice(8, 9), 10),
    name: line.slice(10),
  });
}
