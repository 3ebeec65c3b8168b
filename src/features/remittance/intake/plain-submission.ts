import type { ParsedSubmitRequest } from "../../../schema/transfers.ts";
import { ALIAS_TYPES, MAX_ALIAS_LENGTH } from "../../../domain/alias.ts";
import { CURRENCIES } from "../../../domain/currency.ts";
import { InvalidInput } from "../../../domain/errors.ts";
import { parseName, parseText } from "../../../domain/text.ts";
import { isUetr } from "../../../domain/uetr.ts";

type Given = Readonly<Record<string, unknown>>;
type Amount = ParsedSubmitRequest["amount"];
type Debtor = ParsedSubmitRequest["debtor"];
type Creditor = ParsedSubmitRequest["creditor"];
type Alias = Debtor["alias"];

const MAX_PARTNER = 65_535;
/** A digit less than the greatest amount has. */
const MINOR = /^[1-9][0-9]{0,37}$/v;
const PURPOSE = /^[A-Z0-9]{4}$/v;
const CODES: ReadonlySet<string> = new Set(CURRENCIES.map(({ code }) => code));

/**
 * What `submitRequestSchema` makes of a submission that is as it is to be, in a fraction of the time. Undefined where
 * something is not, or is unusual: that is for the schema to say.
 */
export function plainSubmission(json: unknown): ParsedSubmitRequest | undefined {
  try {
    return readPlain(json);
  } catch (failure) {
    if (failure instanceof InvalidInput) return undefined;
    throw failure;
  }
}

/** @throws InvalidInput of a text that breaks a rule */
function readPlain(json: unknown): ParsedSubmitRequest | undefined {
  if (!isObject(json)) return undefined;
  const { uetr, target, purpose, remittance, ifUnfunded = "fail", ...rest } = json;
  const { amount: givenAmount, debtor: givenDebtor, creditor: givenCreditor, ...others } = rest;
  if (!isEmpty(others)) return undefined;
  if (typeof uetr !== "string" || !isUetr(uetr)) return undefined;
  if (typeof target !== "number" || !Number.isInteger(target) || target < 1 || target > MAX_PARTNER) return undefined;
  if (typeof purpose !== "string" || !PURPOSE.test(purpose)) return undefined;
  if (ifUnfunded !== "wait" && ifUnfunded !== "fail") return undefined;
  if (!isTextOrNone(remittance)) return undefined;
  if (remittance !== undefined) parseText(remittance, "remittance");
  const amount = readAmount(givenAmount);
  const debtor = readDebtor(givenDebtor);
  const creditor = readCreditor(givenCreditor);
  if (amount === undefined || debtor === undefined || creditor === undefined) return undefined;
  return {
    ...{ uetr, target, amount, debtor, creditor, purpose },
    ...(remittance === undefined ? {} : { remittance }),
    ifUnfunded,
  };
}

/** One that names a quote is the schema's. */
function readAmount(given: unknown): Amount | undefined {
  if (!isObject(given)) return undefined;
  const { send, receiveCurrency, receive, sendCurrency, ...others } = given;
  if (!isEmpty(others)) return undefined;
  if (receive === undefined && sendCurrency === undefined) {
    const money = readMoney(send);
    if (money === undefined || !isCurrencyOrNone(receiveCurrency)) return undefined;
    return { send: money, ...(receiveCurrency === undefined ? {} : { receiveCurrency }) };
  }
  const money = readMoney(receive);
  if (send !== undefined || receiveCurrency !== undefined) return undefined;
  if (money === undefined || !isCurrencyOrNone(sendCurrency)) return undefined;
  return { receive: money, ...(sendCurrency === undefined ? {} : { sendCurrency }) };
}

function readMoney(given: unknown): { readonly currency: string; readonly minor: string } | undefined {
  if (!isObject(given)) return undefined;
  const { currency, minor, ...others } = given;
  if (!isEmpty(others) || typeof currency !== "string" || !isCurrencyOrNone(currency)) return undefined;
  return typeof minor === "string" && MINOR.test(minor) ? { currency, minor } : undefined;
}

function readDebtor(given: unknown): Debtor | undefined {
  if (!isObject(given)) return undefined;
  const { name, nameLocal, alias: givenAlias, ...others } = given;
  if (!isEmpty(others) || typeof name !== "string" || !isTextOrNone(nameLocal)) return undefined;
  parseName(name, "debtor.name");
  if (nameLocal !== undefined) parseName(nameLocal, "debtor.nameLocal");
  const alias = readAlias(givenAlias);
  return alias === undefined ? undefined : { name, ...(nameLocal === undefined ? {} : { nameLocal }), alias };
}

function readCreditor(given: unknown): Creditor | undefined {
  if (!isObject(given)) return undefined;
  const { name, alias: givenAlias, ...others } = given;
  if (!isEmpty(others) || !isTextOrNone(name)) return undefined;
  if (name !== undefined) parseName(name, "creditor.name");
  const alias = readAlias(givenAlias);
  return alias === undefined ? undefined : { ...(name === undefined ? {} : { name }), alias };
}

/** What its kind asks of it is looked at when it is brought to its one form, as with the schema. */
function readAlias(given: unknown): Alias | undefined {
  if (!isObject(given)) return undefined;
  const { type: givenType, value, ...others } = given;
  const type = ALIAS_TYPES.find((known) => known === givenType);
  if (!isEmpty(others) || type === undefined || typeof value !== "string") return undefined;
  parseText(value, "value", MAX_ALIAS_LENGTH);
  return { type, value };
}

function isObject(value: unknown): value is Given {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(others: Given): boolean {
  return Object.keys(others).length === 0;
}

function isTextOrNone(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function isCurrencyOrNone(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === "string" && CODES.has(value));
}
