import { parsePhoneNumberFromString, validatePhoneNumberLength, type CountryCode } from "libphonenumber-js/max";
import { InvalidInput } from "./errors.ts";
import { isPlainPhone } from "./plain-phone.ts";

export type { CountryCode } from "libphonenumber-js/max";

/** As short as the shortest national numbers there are. */
const E164 = /^\+[1-9][0-9]{3,14}$/;
/** What copying leaves in and around a number. */
const UNSEEN = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gv;

const INTERNATIONAL = 'a telephone number in its international form: "+", calling code and number';
const RULES = {
  TOO_SHORT: "a telephone number that is possible in its country: this one is too short",
  TOO_LONG: "a telephone number that is possible in its country: this one is too long",
  INVALID_LENGTH: "a telephone number that is possible in its country: none there has as many digits",
  INVALID_COUNTRY: "a telephone number whose calling code exists",
  NOT_A_NUMBER: INTERNATIONAL,
} as const;

/**
 * Reads a telephone number, however it is written, and gives it in E.164 form: `+63 (0) 917 123-4567` is
 * `+639171234567`. A number is taken when its country has numbers of its length; which ranges are in use changes faster
 * than what is known here, and the wallet has the last word.
 * @param country where a number without a calling code is from; where that is not known, such a number is refused
 * @throws InvalidInput that does not quote it: it is personal data
 */
export function parsePhone(text: string, field: string, country?: CountryCode): string {
  if (isPlainPhone(text)) return text;
  if (text.includes("\u202e")) throw new InvalidInput(field, "no U+202E: digits behind it are shown back to front");
  const seen = text
    .replaceAll(UNSEEN, "")
    .replaceAll(/\s+/gv, " ")
    .trim()
    .replace(/^\uff0b/v, "+");
  if (!seen.startsWith("+")) {
    if (country === undefined) throw new InvalidInput(field, INTERNATIONAL);
    requireNational(seen, field, country);
  }
  const number = parse(seen, country);
  if (number?.isPossible() !== true) throw new InvalidInput(field, ruleFor(seen, country));
  if (number.ext !== undefined) throw new InvalidInput(field, "a telephone number without an extension");
  // What still has a national prefix had it twice: which of its readings was meant cannot be told.
  const isStable = number.number === seen || parse(number.number)?.number === number.number;
  if (!isStable || !E164.test(number.number)) throw new InvalidInput(field, INTERNATIONAL);
  return number.number;
}

/** A number without "+" has to be one of the country beyond doubt: with its national prefix, or valid as it stands. */
function requireNational(text: string, field: string, country: CountryCode): void {
  if (!/^[1-9]/v.test(text)) return;
  const abroad = parse(`+${text}`);
  if (abroad?.isPossible() === true && abroad.country === country) {
    throw new InvalidInput(field, 'the "+" before the calling code: spreadsheets drop it where a column is not text');
  }
  if (parse(text, country)?.isValid() !== true) throw new InvalidInput(field, INTERNATIONAL);
}

function parse(text: string, country?: CountryCode): ReturnType<typeof parsePhoneNumberFromString> {
  // The text is to be a number and nothing else: none is looked for in it.
  return parsePhoneNumberFromString(text, {
    extract: false,
    ...(country === undefined ? {} : { defaultCountry: country }),
  });
}

function ruleFor(text: string, country: CountryCode | undefined): string {
  const problem = country === undefined ? validatePhoneNumberLength(text) : validatePhoneNumberLength(text, country);
  return RULES[problem ?? "NOT_A_NUMBER"];
}
