import { InvalidInput } from "./errors.ts";
import { parsePhone } from "./phone.ts";
import { cleanText, parseText } from "./text.ts";
import { isUetr } from "./uetr.ts";

/** What a wallet can find a customer by (ISO 20022 proxy types, as far as the network uses them). */
const CUSTOMER_ALIAS_TYPES = ["MSISDN", "EMAIL", "ACCOUNT_ID", "ALIAS"] as const;
/** What can be paid to: a customer, or a request that a customer has made, by its id. */
export const ALIAS_TYPES = [...CUSTOMER_ALIAS_TYPES, "REQUEST"] as const;
export type AliasType = (typeof ALIAS_TYPES)[number];

/** What a payee is found by, in the one spelling that all relays use. Personal data. */
export interface Alias {
  readonly type: AliasType;
  readonly value: string;
}

/** Characters of the longest alias, an e-mail address (RFC 5321). */
export const MAX_ALIAS_LENGTH = 254;
const EMAIL = /^[^\s@"\\,;:<>()[\]]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+\p{L}{2,63}$/u;

/**
 * Reads an alias, and writes it the one way in which it is compared: a telephone number as E.164, an e-mail address with
 * its domain in lower case, everything as `parseText` has it.
 * @throws InvalidInput naming the member and its rule, never the value: it is personal data
 */
export function parseAlias(given: { readonly type: string; readonly value: string }, field = "alias"): Alias {
  const type = ALIAS_TYPES.find((known) => known === given.type);
  if (type === undefined) throw new InvalidInput(`${field}.type`, `one of ${ALIAS_TYPES.join(", ")}`);
  return { type, value: PARSERS[type](given.value, `${field}.value`) };
}

const PARSERS: Readonly<Record<AliasType, (value: string, field: string) => string>> = {
  MSISDN: (value, field) => parsePhone(value, field),
  EMAIL: parseEmail,
  ACCOUNT_ID: (value, field) => parseText(value, field),
  ALIAS: (value, field) => parseText(value, field),
  REQUEST: parseRequestId,
};

/**
 * `parseAlias` of what has to be a customer: a request cannot pay, and none is made for another.
 * @throws InvalidInput as `parseAlias`
 */
export function parseCustomer(given: { readonly type: string; readonly value: string }, field = "alias"): Alias {
  const alias = parseAlias(given, field);
  if (alias.type === "REQUEST") throw new InvalidInput(`${field}.type`, `one of ${CUSTOMER_ALIAS_TYPES.join(", ")}`);
  return alias;
}

function parseRequestId(value: string, field: string): string {
  if (!isUetr(value)) throw new InvalidInput(field, "a request's id: a UUID of version 4 in lower case");
  return value;
}

function parseEmail(value: string, field: string): string {
  const address = parseText(value, field, MAX_ALIAS_LENGTH);
  // Only the domain is the same in upper and lower case (RFC 5321, 2.4).
  const at = address.lastIndexOf("@");
  const normal = address.slice(0, at) + address.slice(at).toLowerCase().normalize("NFC");
  if (!EMAIL.test(normal)) throw new InvalidInput(field, `an e-mail address of at most ${MAX_ALIAS_LENGTH} characters`);
  return normal;
}

/** What any version of a relay has taken for an alias of each type. */
const AS_SENT: Readonly<Record<AliasType, RegExp>> = {
  MSISDN: /^\+[1-9][0-9]{3,14}$/,
  EMAIL: /^[^\p{Cc}\p{Cs}]{1,256}$/u,
  ACCOUNT_ID: /^[^\p{Cc}\p{Cs}]{1,256}$/u,
  ALIAS: /^[^\p{Cc}\p{Cs}]{1,256}$/u,
  REQUEST: /^[0-9a-f-]{36}$/,
};

/**
 * Reads an alias that another relay has taken, by a rule that may be older or newer than the one here: what `parseAlias`
 * would refuse goes to the wallet as it was sent, for the wallet knows its customers.
 * @throws InvalidInput for what no relay would have sent
 */
export function readAlias(given: { readonly type: string; readonly value: string }, field = "alias"): Alias {
  try {
    return parseAlias(given, field);
  } catch (failure) {
    const type = ALIAS_TYPES.find((known) => known === given.type);
    if (!(failure instanceof InvalidInput) || type === undefined || !AS_SENT[type].test(given.value)) throw failure;
    return { type, value: given.value };
  }
}

const MASK = "*";
const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });

/**
 * A name as far as a payer may see it to tell whether it is the right person: the first letter of each word, "Maria Dela
 * Cruz" as "M**** D*** C***". A word of one letter is masked whole.
 */
export function maskName(name: string): string {
  return cleanText(name).split(" ").map(maskWord).join(" ");
}

function maskWord(word: string): string {
  const [first = "", ...rest] = Array.from(segmenter.segment(word), ({ segment }) => segment);
  if (rest.length === 0) return MASK.repeat(first === "" ? 0 : 1);
  return first + MASK.repeat(rest.length);
}
