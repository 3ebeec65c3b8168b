import type { Currency } from "../../src/domain/currency.ts";
import { parseCurrency } from "../../src/domain/currency.ts";
import { InvalidInput } from "../../src/domain/errors.ts";
import { formatMoney, parseMoney, type Money } from "../../src/domain/money.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import { InvalidText, parseName, parseText } from "../../src/domain/text.ts";
import { parseUetr, uetrFromRandom, type Uetr } from "../../src/domain/uetr.ts";
import type { Order, Party } from "./order.ts";
import { PURPOSES } from "./order.ts";
import { parseMobileNumber } from "../wallet/phones.ts";
import type { Wallet } from "../wallet/wallets.ts";
import { parseWallet } from "../wallet/wallets.ts";
import { damageOf } from "./damage.ts";

/**
 * Why an order is refused before it becomes a transfer: codes of ISO 20022 ExternalStatusReason1Code, with the
 * definitions of the external code set.
 */
export const ORDER_REASONS = {
  AG03: "Transaction type not supported/authorized on this account",
  AG12: "Payment orders made by transferring funds from one account to another at the same financial institution (bank or payment institution) are not allowed.",
  AM01: "Specified message amount is equal to zero",
  AM03: "Specified message amount is an non processable currency outside of existing agreement",
  AM05: "Duplication",
  AM11: "Transaction currency is invalid or missing",
  AM12: "Amount is invalid or missing",
  BE08: "Debtor name is missing",
  BE21: "Name missing or invalid. Generic usage if cannot specifically identify debtor or creditor.",
  BE22: "Creditor name is missing",
  BE23: "Phone number or email address, or any other proxy, used as the account proxy is unknown or invalid.",
  CH16: "Content is incorrect",
  CH17: "Element is not allowed",
  CH20: "Number of decimal points not compatible with the currency",
  CH21: "Mandatory element is missing",
  DT02: "Invalid creation date and time in Group Header (eg, historic date)",
  FF01: "File Format incomplete or invalid",
  FF07: "Purpose is missing or invalid",
  FF08: "End to End Id missing or invalid",
  RC03: "Debtor bank identifier is invalid or missing",
  RC04: "Creditor bank identifier is invalid or missing",
  RR07: "Remittance information structure does not comply with rules for payment type.",
  RR10: "Character set supplied not valid for the country and payment type.",
} as const;

export type OrderReason = keyof typeof ORDER_REASONS;

export const REQUIRED_COLUMNS = [
  "source",
  "target",
  "amount",
  "currency",
  "debtor_name",
  "debtor_phone",
  "creditor_name",
  "creditor_phone",
] as const;
export const OPTIONAL_COLUMNS = [
  "uetr",
  "debtor_name_local",
  "creditor_name_local",
  "purpose",
  "remittance",
  "at",
  "creditor_exists",
] as const;
export type Column = (typeof REQUIRED_COLUMNS)[number] | (typeof OPTIONAL_COLUMNS)[number];

/** The values of one order; empty ones count as absent. */
export type Fields = ReadonlyMap<Column, string>;

/** An order of one's own, checked. */
export interface ParsedOrder {
  readonly order: Order;
  /** False for a beneficiary whose wallet is to know nothing of them. */
  readonly creditorExists: boolean;
}

export interface FieldContext {
  /** 16 random bytes for the UETR of an order that comes without one. */
  readonly uetrBytes: () => Uint8Array;
  readonly hasCorridor: (source: PartnerId, target: PartnerId) => boolean;
}

/** A field that breaks a rule, with the reason a bank would give. The message leaves personal data out. */
export class RefusedField extends InvalidInput {
  readonly reason: OrderReason;

  constructor(field: string, rule: string, reason: OrderReason) {
    super(field, rule);
    this.name = "RefusedField";
    this.reason = reason;
  }
}

const MAX_PRINTED_LENGTH = 40;
const DEFAULT_PURPOSE = "OTHR";
const PURPOSE_CODES: ReadonlySet<string> = new Set(PURPOSES.map(({ code }) => code));

export function isColumn(name: string): name is Column {
  const known: readonly string[] = [...REQUIRED_COLUMNS, ...OPTIONAL_COLUMNS];
  return known.includes(name);
}

/** What `parse` returns, or the refusal that it throws. */
export function orRefusal<Value>(parse: () => Value): Value | RefusedField {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RefusedField) return error;
    throw error;
  }
}

/** A column's name as a file has it, for messages: short, and without characters that could disturb a terminal. */
export function printableName(name: string): string {
  return JSON.stringify(
    [...name]
      .slice(0, MAX_PRINTED_LENGTH)
      .join("")
      .replace(/[^ -~]/gu, "?"),
  );
}

/**
 * Makes an order of the fields, checked in the columns' order.
 * @throws RefusedField naming the first field that breaks a rule
 */
export function parseOrder(fields: Fields, context: FieldContext): ParsedOrder {
  const source = refuseAs("RC03", () => parseWallet(fields.get("source") ?? "", "source"));
  const target = refuseAs("RC04", () => parseWallet(fields.get("target") ?? "", "target"));
  requireCorridor(source, target, context);
  const sourceAmount = parseAmount(fields.get("amount") ?? "", parseOrderCurrency(fields, source));
  const debtor = parseParty(fields, "debtor", source);
  const creditor = parseParty(fields, "creditor", target);
  const order: Order = {
    uetr: parseOrMakeUetr(fields.get("uetr") ?? "", context),
    source: source.id,
    target: target.id,
    sourceAmount,
    debtor,
    creditor,
    purpose: parsePurpose(fields.get("purpose") ?? ""),
    remittance: parseRemittance(fields.get("remittance") ?? ""),
    atSecond: parseTime(fields.get("at") ?? ""),
  };
  return { order, creditorExists: parseExists(fields.get("creditor_exists") ?? "") };
}

function requireCorridor(source: Wallet, target: Wallet, { hasCorridor }: FieldContext): void {
  if (source.id === target.id) throw new RefusedField("target", "another wallet than the source", "AG12");
  if (!hasCorridor(source.id, target.id)) {
    throw new RefusedField("target", `a wallet that ${source.name} has a corridor to`, "AG03");
  }
}

function parseOrderCurrency(fields: Fields, source: Wallet): Currency {
  const currency = refuseAs("AM11", () => parseCurrency(fields.get("currency") ?? ""));
  if (currency.code !== source.currency.code) {
    throw new RefusedField("currency", `${source.currency.code}, the currency of ${source.name}`, "AM03");
  }
  return currency;
}

function parseAmount(text: string, currency: Currency): Money {
  requireUndamaged("amount", text, "amount", "AM12");
  const tooManyDecimals = /^[0-9]+\.[0-9]+$/.test(text) && (text.split(".")[1]?.length ?? 0) > currency.minorDigits;
  const amount = refuseAs(tooManyDecimals ? "CH20" : "AM12", () => parseMoney(text, currency));
  if (amount.minor === 0n) throw new RefusedField("amount", `more than ${formatMoney(amount)}`, "AM01");
  return amount;
}

function parseParty(fields: Fields, role: "debtor" | "creditor", wallet: Wallet): Party {
  const given = fields.get(`${role}_name`) ?? "";
  if (given === "") throw new RefusedField(`${role}_name`, "not empty", role === "debtor" ? "BE08" : "BE22");
  const name = parseColumn(given, `${role}_name`, parseName, "BE21");
  const local = fields.get(`${role}_name_local`);
  const nameLocal = local === undefined ? name : parseColumn(local, `${role}_name_local`, parseName, "BE21");
  const phone = fields.get(`${role}_phone`) ?? "";
  requireUndamaged("phone", phone, `${role}_phone`, "BE23");
  return { name, nameLocal, phone: refuseAs("BE23", () => parseMobileNumber(phone, wallet, `${role}_phone`)) };
}

function parseOrMakeUetr(text: string, { uetrBytes }: FieldContext): Uetr {
  if (text === "") return uetrFromRandom(uetrBytes());
  requireUndamaged("id", text, "uetr", "FF08");
  return refuseAs("FF08", () => parseUetr(text));
}

function parsePurpose(text: string): string {
  const purpose = text === "" ? DEFAULT_PURPOSE : text;
  if (!PURPOSE_CODES.has(purpose)) {
    throw new RefusedField("purpose", `an ISO 20022 purpose code of ${[...PURPOSE_CODES].join(", ")}`, "FF07");
  }
  return purpose;
}

function parseRemittance(text: string): string {
  // Line breaks inside a cell are a spreadsheet's way to fit it in.
  const oneLine = text.replaceAll(/\r?\n/g, " ");
  return oneLine === "" ? "" : parseColumn(oneLine, "remittance", parseText, "RR07");
}

function parseTime(text: string): number {
  const match = /^([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])$/.exec(text === "" ? "00:00:00" : text);
  if (match === null) throw new RefusedField("at", "a time of day in UTC, HH:MM:SS", "DT02");
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((digits) => Number.parseInt(digits, 10));
  return (hours * 60 + minutes) * 60 + seconds;
}

function parseExists(text: string): boolean {
  if (text !== "" && text !== "yes" && text !== "no") {
    throw new RefusedField("creditor_exists", '"yes", "no" or empty', "CH16");
  }
  return text !== "no";
}

/** @param reason for all but characters that are not taken */
function parseColumn(
  text: string,
  field: string,
  parse: (text: string, field: string) => string,
  reason: OrderReason,
): string {
  requireUndamaged("text", text, field, reason);
  try {
    return parse(text, field);
  } catch (error) {
    if (!(error instanceof InvalidText)) throw error;
    throw new RefusedField(field, error.rule, error.fault === "hidden characters" ? "RR10" : reason);
  }
}

function requireUndamaged(
  kind: Parameters<typeof damageOf>[0],
  text: string,
  field: string,
  reason: OrderReason,
): void {
  const rule = damageOf(kind, text);
  if (rule !== undefined) throw new RefusedField(field, rule, reason);
}

/** Gives the reason code to a rule of the domain. */
function refuseAs<Value>(reason: OrderReason, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (error instanceof InvalidInput) throw new RefusedField(error.field, error.rule, reason);
    throw error;
  }
}
