import { getCountries, getCountryCallingCode, Metadata, type CountryCode } from "libphonenumber-js/max";
import { groupBy } from "./group-by.ts";

const E164 = /^\+[1-9][0-9]{3,14}$/v;
const MOST_CODE_DIGITS = 3;

/** What the numbers of a calling code look like. */
interface Numbering {
  readonly lengths: readonly number[];
  /** How what is dialled in front of a number inside the country begins. */
  readonly prefix: RegExp | undefined;
}

/** By the calling codes that one country has for itself. None of them begins as another. */
const NUMBERINGS: ReadonlyMap<string, Numbering> = new Map(
  [...groupBy(getCountries(), (country) => getCountryCallingCode(country))].flatMap(([code, [country, ...others]]) =>
    country === undefined || others.length > 0 ? [] : [[code, numberingOf(country)] as const],
  ),
);

function numberingOf(country: CountryCode): Numbering {
  const metadata = new Metadata();
  metadata.selectNumberingPlan(country);
  // The library has it, and its types leave it out.
  const plan = metadata.numberingPlan as Metadata["numberingPlan"] & { nationalPrefixForParsing(): string | undefined };
  const prefix = plan.nationalPrefixForParsing();
  return {
    lengths: plan.possibleLengths(),
    // As the library looks for it.
    prefix: prefix === undefined || prefix === "" ? undefined : new RegExp(`^(?:${prefix})`),
  };
}

/**
 * Whether a telephone number is one in E.164 that `parsePhone` takes as it is, beyond doubt: it has as many digits as its
 * country's numbers have, and does not begin as with a national prefix. The library takes more than ten times as
 * long to say so.
 */
export function isPlainPhone(text: string): boolean {
  if (!E164.test(text)) return false;
  for (let digits = 1; digits <= MOST_CODE_DIGITS; digits++) {
    const numbering = NUMBERINGS.get(text.slice(1, 1 + digits));
    if (numbering === undefined) continue;
    const number = text.slice(1 + digits);
    return numbering.lengths.includes(number.length) && numbering.prefix?.test(number) !== true;
  }
  return false;
}
