import type { Currency, CurrencyCode } from "./currency.ts";
import { currencyOf } from "./currency.ts";
import { formatDecimal, parseDecimal, powerOfTen } from "./decimal.ts";
import { InvalidInput } from "./errors.ts";

/** The largest amount the ledger can hold: its amounts are uint128 minor units. */
export const MAX_MINOR = 2n ** 128n - 1n;

/** An amount in ISO 4217 minor units, from 0 to `MAX_MINOR`. */
export interface Money {
  readonly minor: bigint;
  readonly currency: CurrencyCode;
}

/**
 * Checks a number of minor units against what the ledger can hold.
 * @throws InvalidInput when negative or above `MAX_MINOR`
 */
export function requireMinor(minor: bigint, field = "amount"): bigint {
  if (minor < 0n) throw new InvalidInput(field, "not negative", minor);
  if (minor > MAX_MINOR) throw new InvalidInput(field, "at most 2^128-1 minor units", minor);
  return minor;
}

/** @throws InvalidInput when `minor` is negative or above `MAX_MINOR` */
export function money(minor: bigint, currency: CurrencyCode): Money {
  return { minor: requireMinor(minor), currency };
}

/**
 * Reads a plain decimal amount in major units ("1234.5"). Exact: more decimals than the currency has are refused, even
 * zeros. Leading zeros are allowed, as in ISO 20022 amounts.
 * @throws InvalidInput naming `field` and the rule broken
 */
export function parseMoney(text: string, currency: Currency, field = "amount"): Money {
  const { unscaled, scale } = parseDecimal(text, field);
  if (scale > currency.minorDigits) {
    throw new InvalidInput(field, decimalsRule(currency), text);
  }
  const minor = unscaled * powerOfTen(currency.minorDigits - scale);
  return { minor: requireMinor(minor, field), currency: currency.code };
}

/** The amount alone, as `parseMoney` reads it back: "1234.50". */
export function formatAmount({ minor, currency }: Money): string {
  return formatDecimal({ unscaled: minor, scale: currencyOf(currency).minorDigits });
}

/** Amount and code for people: "1,234.50 CNY", or "1234.50 CNY" without grouping. */
export function formatMoney(amount: Money, { grouping = true }: { readonly grouping?: boolean } = {}): string {
  const text = formatAmount(amount);
  return `${grouping ? groupThousands(text) : text} ${amount.currency}`;
}

function decimalsRule({ code, minorDigits }: Currency): string {
  if (minorDigits === 0) return `no decimals for ${code}`;
  return `at most ${minorDigits} decimals for ${code}`;
}

function groupThousands(text: string): string {
  const [whole = "", fraction] = text.split(".");
  const grouped = whole.replace(/\B(?=(?:[0-9]{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
