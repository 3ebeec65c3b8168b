import type { AliasJson, MoneyJson } from "../schema/fields.ts";
import { ALIAS_TYPES, parseAlias } from "../domain/alias.ts";
import { currencyOf, parseCurrency } from "../domain/currency.ts";
import { InvalidInput } from "../domain/errors.ts";
import { formatMoney, money, parseMoney } from "../domain/money.ts";
import { parsePartnerId, type PartnerId } from "../domain/partner.ts";
import { cleanText } from "../domain/text.ts";

/**
 * Reads an amount in major units, as a person writes it: `1500.00HKD`, `HKD1500` or `1500 HKD`.
 * @throws InvalidInput
 */
export function readAmount(text: string, option: string): MoneyJson {
  const parts = /^(?<before>\p{L}*)\s*(?<amount>\P{L}+?)\s*(?<after>\p{L}*)$/v.exec(text.trim());
  const { before = "", amount = "", after = "" } = parts?.groups ?? {};
  if ((before === "") === (after === "")) {
    const missing = parts !== null && before === "" ? "; the currency's three letters are missing" : "";
    throw new InvalidInput(option, `an amount and its currency, as 1500.00HKD${missing}`, text);
  }
  const currency = currencyOf(readCurrency(before + after, option));
  const { minor } = parseMoney(amount, currency, option);
  return { currency: currency.code, minor: String(minor) };
}

export function readCurrency(text: string, option: string): ReturnType<typeof parseCurrency>["code"] {
  return parseCurrency(text.toUpperCase(), option).code;
}

/** An amount of the API, for people: `1,500.00 HKD`. */
export function showMoney({ currency, minor }: MoneyJson): string {
  return formatMoney(money(BigInt(minor), parseCurrency(currency).code));
}

/** Digits and what people put between them. */
const BARE_NUMBER = /^[\p{Nd}\p{Pd}\s.\(\)\/]{5,}$/v;

/**
 * Reads an alias: `type:value`, or what its look says: an e-mail address, a phone number, else the wallet's own alias.
 * @throws InvalidInput that does not quote it: it is personal data
 */
export function readAlias(text: string, option: string): AliasJson {
  const [prefix = "", ...rest] = text.split(":");
  const named = ALIAS_TYPES.find((type) => type === prefix.toUpperCase());
  if (named !== undefined && rest.length > 0) return parseAlias({ type: named, value: rest.join(":") }, option);
  // Without what pasting has left around it.
  const value = cleanText(text);
  if (BARE_NUMBER.test(value)) {
    throw new InvalidInput(
      option,
      'a telephone number with its "+" and calling code, as +639171234567; or, where digits are the wallet\'s own, ' +
        "ACCOUNT_ID:… or ALIAS:…",
    );
  }
  const type = value.includes("@") ? "EMAIL" : /^[+\uff0b]/v.test(value) ? "MSISDN" : "ALIAS";
  return parseAlias({ type, value: text }, option);
}

export function readPartner(text: string): PartnerId {
  try {
    return parsePartnerId(text, "partner");
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    throw new InvalidInput("partner", `${error.rule}; feiqian partner list shows them`, text);
  }
}
