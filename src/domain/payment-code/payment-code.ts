import { utf8 } from "../bytes/bytes.ts";
import { currencyByNumeric, type Currency, type CurrencyCode } from "../currency.ts";
import { InvalidInput } from "../errors.ts";
import { parseMoney, type Money } from "../money.ts";
import { parseText } from "../text.ts";
import { crc16 } from "./crc16.ts";
import { formatObjects, parseObjects, type CodeObject } from "./objects.ts";
import { schemeOf } from "./schemes.ts";

// The text of QR codes that merchants show (EMV QRCPS, merchant-presented mode), which says whom to pay and, often, how much.
// It proves nothing of that: anyone can print one. The CRC tells damage from what was printed, and no more.

/** Whom to pay, by one scheme. A code may name several. */
export interface CodeAccount {
  /** Of its object. */
  readonly id: string;
  /** None where it is none that is known: what it says is then for nobody here to read. */
  readonly scheme?: string;
  /** Who has defined its fields; none for those of card networks, which have one value. */
  readonly guid?: string;
  /** By the scheme's names for them, or by their numbers. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface PaymentCode {
  /** All objects but the CRC, in their order: what is not understood is kept. */
  readonly objects: readonly CodeObject[];
  /** Whether it is made for one payment; undefined where the code does not say. */
  readonly isDynamic?: boolean;
  readonly accounts: readonly CodeAccount[];
  readonly currency: CurrencyCode;
  /** None where the payer says how much. */
  readonly amount?: Money;
  /** What is to be paid besides: the payer is asked for a tip, or a fee is added. */
  readonly surcharge?: "asked" | "fixed" | "percentage";
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly name?: string;
  readonly city?: string;
  /** In the language that the code says. */
  readonly localName?: string;
  /** Bill number, reference and so on; `***` where the payer is to be asked for it. */
  readonly additional: Readonly<Record<string, string>>;
}

const FIELD = "code";
const MAX_BYTES = 512;
/** The last object: id, length, and four digits. Upper case, so that there is one text for a code. */
const CRC = /6304([0-9A-F]{4})$/;
const CRC_LENGTH = 8;
/** What DuitNow's codes say, and EMVCo's of today. */
const VERSIONS = ["01", "02"];
const SURCHARGES = { "01": "asked", "02": "fixed", "03": "percentage" } as const;
const MAX_GUID_LENGTH = 32;
const MAX_AMOUNT_LENGTH = 13;
const FIRST_TEMPLATE = 26;
const LAST_ACCOUNT = 51;

/** The additional data template, 62. */
const ADDITIONAL: Readonly<Record<string, string>> = {
  "01": "billNumber",
  "02": "mobileNumber",
  "03": "storeLabel",
  "04": "loyaltyNumber",
  "05": "referenceLabel",
  "06": "customerLabel",
  "07": "terminalLabel",
  "08": "purpose",
  "09": "consumerDataRequest",
};

/**
 * Reads a code. Nothing that is damaged is read, and what contradicts itself is refused, not guessed at.
 * @throws InvalidInput naming the object, as `code.54`, and the rule; it quotes no value, which may be personal
 */
export function parsePaymentCode(text: string): PaymentCode {
  const objects = parseObjects(undamaged(text), FIELD);
  const values = new Map(objects.map(({ id, value }) => [id, value]));
  const [first] = objects;
  if (first?.id !== "00" || !VERSIONS.includes(first.value)) {
    throw new InvalidInput(`${FIELD}.00`, "in front, with version 01 or 02");
  }
  if (values.has("63")) throw new InvalidInput(`${FIELD}.63`, "at the end");
  const accounts = objects.filter(({ id }) => isAccount(id)).map(readAccount);
  if (accounts.length === 0) throw new InvalidInput(FIELD, "at least one account to pay to, 02 to 51");
  const currency = readCurrency(required(values, "53", /^\d{3}$/, "the number of a currency (ISO 4217)"));
  const surcharge = readSurcharge(values);
  return {
    objects,
    ...present("isDynamic", readMethod(values)),
    accounts,
    currency: currency.code,
    ...present("amount", readAmount(values.get("54"), currency)),
    ...present("surcharge", surcharge),
    country: required(values, "58", /^[A-Z]{2}$/, "a country, two letters (ISO 3166-1)"),
    ...present("name", readText(values, "59")),
    ...present("city", readText(values, "60")),
    ...present("localName", readLocalName(values.get("64"))),
    additional: readTemplate(values.get("62"), `${FIELD}.62`, ADDITIONAL),
  };
}

/**
 * Writes a code: its objects, and their CRC.
 * @throws InvalidInput for what `parsePaymentCode` would not read
 */
export function formatPaymentCode({ objects }: Pick<PaymentCode, "objects">): string {
  const covered = `${formatObjects(objects, FIELD)}6304`;
  const text = `${covered}${crcOf(covered)}`;
  parsePaymentCode(text);
  return text;
}

function crcOf(covered: string): string {
  return crc16(utf8(covered)).toString(16).toUpperCase().padStart(4, "0");
}

/** What the CRC covers, but for the CRC's own id and length. */
function undamaged(text: string): string {
  // Before anything that takes longer the longer it is.
  const isTooLong = text.length > MAX_BYTES || utf8(text).length > MAX_BYTES;
  if (isTooLong) throw new InvalidInput(FIELD, `at most ${MAX_BYTES} bytes`);
  if (!text.isWellFormed() || /\p{Cc}/u.test(text)) throw new InvalidInput(FIELD, "text without control characters");
  const [, crc] = CRC.exec(text) ?? [];
  if (crc === undefined) throw new InvalidInput(`${FIELD}.63`, "at the end: 6304, and four digits 0 to 9 or A to F");
  if (crcOf(text.slice(0, -4)) !== crc) {
    throw new InvalidInput(`${FIELD}.63`, "the CRC of all before it: the code is damaged, or has been changed");
  }
  return text.slice(0, -CRC_LENGTH);
}

function isAccount(id: string): boolean {
  return id >= "02" && Number.parseInt(id, 10) <= LAST_ACCOUNT;
}

function readAccount({ id, value }: CodeObject): CodeAccount {
  const number = Number.parseInt(id, 10);
  if (number < FIRST_TEMPLATE) return { id, fields: { value } };
  const field = `${FIELD}.${id}`;
  const guid = parseObjects(value, field).find((object) => object.id === "00")?.value;
  if (guid === undefined || Array.from(guid).length > MAX_GUID_LENGTH) {
    throw new InvalidInput(`${field}.00`, `who has defined it, in at most ${MAX_GUID_LENGTH} characters`);
  }
  const known = schemeOf(number, guid);
  const { "00": _, ...fields } = readTemplate(value, field, known?.fields ?? {});
  return { id, ...present("scheme", known?.scheme), guid, fields };
}

/** A template's values by the names of its fields, or by their numbers. */
function readTemplate(
  value: string | undefined,
  field: string,
  names: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  return Object.fromEntries(parseObjects(value, field).map((object) => [names[object.id] ?? object.id, object.value]));
}

function readMethod(values: ReadonlyMap<string, string>): boolean | undefined {
  const method = values.get("01");
  if (method === undefined) return undefined;
  if (method !== "11" && method !== "12") throw new InvalidInput(`${FIELD}.01`, "11 or 12");
  return method === "12";
}

function readCurrency(numeric: string): Currency {
  return currencyByNumeric(Number.parseInt(numeric, 10), `${FIELD}.53`);
}

function readAmount(text: string | undefined, currency: Currency): Money | undefined {
  if (text === undefined) return undefined;
  const field = `${FIELD}.54`;
  if (text.length > MAX_AMOUNT_LENGTH) throw new InvalidInput(field, `at most ${MAX_AMOUNT_LENGTH} characters`);
  const amount = parseMoney(text, currency, field);
  if (amount.minor === 0n) throw new InvalidInput(field, "more than zero");
  return amount;
}

function readSurcharge(values: ReadonlyMap<string, string>): PaymentCode["surcharge"] {
  const kind = values.get("55");
  const surcharge = Object.entries(SURCHARGES).find(([value]) => value === kind)?.[1];
  if (kind !== undefined && surcharge === undefined) throw new InvalidInput(`${FIELD}.55`, "01, 02 or 03");
  const [fixed, percentage] = [values.has("56"), values.has("57")];
  if (fixed !== (surcharge === "fixed") || percentage !== (surcharge === "percentage")) {
    throw new InvalidInput(`${FIELD}.55`, "02 with 56 for a fee, 03 with 57 for a part of the amount, else neither");
  }
  return surcharge;
}

/** What people are shown has no hidden characters in it. */
function readText(values: ReadonlyMap<string, string>, id: string): string | undefined {
  const text = values.get(id);
  return text === undefined ? undefined : parseText(text, `${FIELD}.${id}`);
}

function readLocalName(template: string | undefined): string | undefined {
  if (template === undefined) return undefined;
  const field = `${FIELD}.64`;
  const name = parseObjects(template, field).find(({ id }) => id === "01")?.value;
  return name === undefined ? undefined : parseText(name, `${field}.01`);
}

function required(values: ReadonlyMap<string, string>, id: string, pattern: RegExp, rule: string): string {
  const value = values.get(id);
  if (value === undefined || !pattern.test(value)) throw new InvalidInput(`${FIELD}.${id}`, rule);
  return value;
}

/** A member, where there is a value for it. */
function present<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [Key in Name]?: Value } {
  // A computed name makes an index signature of it.
  return value === undefined ? {} : ({ [name]: value } as { readonly [Key in Name]: Value });
}
