import { InvalidInput } from "./errors.ts";

/** More digits than any 128-bit amount or rate needs; keeps hostile input from costing time. */
const MAX_DIGITS = 60;
const PLAIN_DECIMAL = /^([0-9]+)(?:\.([0-9]+))?$/;

/** An exact decimal: `unscaled / 10^scale`. */
export interface Decimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

/**
 * Reads a plain decimal: ASCII digits, optionally a point and more digits. No sign, exponent, space or separator.
 * Leading zeros are allowed, as in xs:decimal.
 * @throws InvalidInput naming `field`
 */
export function parseDecimal(text: string, field: string): Decimal {
  const match = text.length <= MAX_DIGITS + 1 ? PLAIN_DECIMAL.exec(text) : null;
  const whole = match?.[1];
  if (whole === undefined) {
    throw new InvalidInput(
      field,
      `digits with at most one decimal point, no sign, exponent or separator, at most ${MAX_DIGITS} digits`,
      text,
    );
  }
  const fraction = match?.[2] ?? "";
  return { unscaled: BigInt(whole + fraction), scale: fraction.length };
}

/** Writes `unscaled / 10^scale` with exactly `scale` decimals. `unscaled` is not negative. */
export function formatDecimal({ unscaled, scale }: Decimal): string {
  const digits = unscaled.toString().padStart(scale + 1, "0");
  return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

export function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}
