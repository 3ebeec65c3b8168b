import { InvalidInput } from "./errors.ts";

/** What a wallet can find a customer by (ISO 20022 proxy types, as far as the network uses them). */
export const ALIAS_TYPES = ["MSISDN", "EMAIL", "ACCOUNT_ID", "ALIAS"] as const;
export type AliasType = (typeof ALIAS_TYPES)[number];

/** What a customer is found by at a wallet, in the one spelling that all relays use. Personal data. */
export interface Alias {
  readonly type: AliasType;
  readonly value: string;
}

const E164 = /^\+[1-9][0-9]{7,14}$/;
/** What people put between the digits of a telephone number. */
const PHONE_PUNCTUATION = /[\s().\-\u2010-\u2015/]/g;
const MAX_EMAIL_LENGTH = 254;
const EMAIL = /^[^\s@"\\,;:<>()[\]]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+\p{L}{2,63}$/u;
const MAX_NAME_LENGTH = 140;
const PRINTABLE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+$/u;

/**
 * Reads an alias, and writes it the one way in which it is compared: a telephone number as E.164, an e-mail address with
 * its domain in lower case, everything in Unicode's composed form without spaces around it.
 * @throws InvalidInput naming the member and its rule, never the value: it is personal data
 */
export function parseAlias(given: { readonly type: string; readonly value: string }, field = "alias"): Alias {
  const type = ALIAS_TYPES.find((known) => known === given.type);
  if (type === undefined) throw new InvalidInput(`${field}.type`, `one of ${ALIAS_TYPES.join(", ")}`);
  return { type, value: PARSERS[type](given.value.normalize("NFC").trim(), `${field}.value`) };
}

const PARSERS: Readonly<Record<AliasType, (value: string, field: string) => string>> = {
  MSISDN: parsePhone,
  EMAIL: parseEmail,
  ACCOUNT_ID: parseName,
  ALIAS: parseName,
};

function parsePhone(value: string, field: string): string {
  const digits = value.replace(PHONE_PUNCTUATION, "");
  if (!E164.test(digits)) throw new InvalidInput(field, 'E.164: "+", calling code and number, 8 to 15 digits');
  return digits;
}

function parseEmail(value: string, field: string): string {
  if (value.length > MAX_EMAIL_LENGTH || !EMAIL.test(value)) {
    throw new InvalidInput(field, `an e-mail address of at most ${MAX_EMAIL_LENGTH} characters`);
  }
  // Only the domain is the same in upper and lower case (RFC 5321, 2.4).
  const at = value.lastIndexOf("@");
  return value.slice(0, at) + value.slice(at).toLowerCase();
}

function parseName(value: string, field: string): string {
  if (value.length > MAX_NAME_LENGTH || !PRINTABLE.test(value)) {
    throw new InvalidInput(field, `1 to ${MAX_NAME_LENGTH} printable characters`);
  }
  return value;
}

const MASK = "*";
const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });

/**
 * A name as far as a payer may see it to tell whether it is the right person: the first letter of each word, "Maria Dela
 * Cruz" as "M**** D*** C***". A word of one letter is masked whole.
 */
export function maskName(name: string): string {
  return name.normalize("NFC").trim().split(/\s+/u).map(maskWord).join(" ");
}

function maskWord(word: string): string {
  const [first = "", ...rest] = Array.from(segmenter.segment(word), ({ segment }) => segment);
  if (rest.length === 0) return MASK.repeat(first === "" ? 0 : 1);
  return first + MASK.repeat(rest.length);
}
