import { z } from "zod/v4";
import type { CurrencyCode } from "../domain/currency.ts";
import { ALIAS_TYPES, MAX_ALIAS_LENGTH } from "../domain/alias.ts";
import { parseCurrency } from "../domain/currency.ts";
import { parseDay } from "../domain/day.ts";
import { InvalidInput } from "../domain/errors.ts";
import { readInstant } from "../domain/instant.ts";
import { MAX_MINOR } from "../domain/money.ts";
import { REASONS } from "../domain/reason.ts";
import { MAX_LABEL_LENGTH, MAX_TEXT_LENGTH, parseLabel, parseName, parseText } from "../domain/text.ts";

// The fields that the schemas of the API are made of. Schemas check and do not convert, so that what is sent and what is
// read have one type, and one JSON schema: amounts stay decimal text, for JSON's numbers are floats, and times ISO 8601.

/** Whether a parser of the domain takes a value, so that its rule is told in the domain's words. */
function obeys<Given>(parse: (given: Given) => unknown): (context: z.core.ParsePayload<Given>) => void {
  return (context) => {
    try {
      parse(context.value);
    } catch (failure) {
      if (!(failure instanceof InvalidInput)) throw failure;
      // The value is left out of the problem that is told: it may be personal.
      context.issues.push({ code: "custom", message: failure.rule, input: undefined });
    }
  };
}

const MAX_MINOR_TEXT = String(MAX_MINOR);

/** Decimal text without leading zeros: the longer one is greater, and of two as long, the one that sorts last. */
function atMostMaxMinor(text: string): boolean {
  return text.length < MAX_MINOR_TEXT.length || (text.length === MAX_MINOR_TEXT.length && text <= MAX_MINOR_TEXT);
}

/** Minor units, from 0 to 2^128-1. */
export const minorText = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,38})$/, "minor units as decimal text without leading zeros")
  .refine(atMostMaxMinor, "at most 2^128-1")
  .meta({ description: "ISO 4217 minor units as decimal text, 0 to 2^128-1.", examples: ["150000"] });

const positiveMinorText = z
  .string()
  .regex(/^[1-9][0-9]{0,38}$/, "more than zero: minor units as decimal text without leading zeros")
  .refine(atMostMaxMinor, "at most 2^128-1")
  .meta({ description: "ISO 4217 minor units as decimal text, 1 to 2^128-1.", examples: ["150000"] });

export const currencyText = z
  .string()
  .regex(/^[A-Z]{3}$/, "an ISO 4217 alphabetic code in upper case")
  .check(obeys((text: string) => parseCurrency(text)))
  .meta({ description: "ISO 4217 alphabetic code.", examples: ["HKD"] });

export const moneySchema = z
  .strictObject({ currency: currencyText, minor: minorText })
  .meta({ id: "Money", description: "An amount, which may be zero." });
export type MoneyJson = z.infer<typeof moneySchema>;

export function moneyJson(minor: bigint, currency: CurrencyCode): MoneyJson {
  return { currency, minor: String(minor) };
}

export const positiveMoneySchema = z
  .strictObject({ currency: currencyText, minor: positiveMinorText })
  .meta({ id: "PositiveMoney", description: "An amount of more than zero." });

export const uetrSchema = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    "a UUID of version 4 in lower case (ISO 20022 UUIDv4Identifier)",
  )
  .meta({
    description:
      "Unique end-to-end transaction reference: a version 4 UUID in lower case. Made, and kept, by the caller.",
    examples: ["eb6305c9-1f7f-49de-aed0-16487c27b42d"],
  });

/** As it is told: the document lists those of this version, and a reader takes those of a later one, too. */
export const reasonSchema = z
  .string()
  .meta({ description: "ISO 20022 ExternalStatusReason1Code.", enum: Object.keys(REASONS), examples: ["AC03"] });

export const partnerIdSchema = z
  .number()
  .int()
  .min(1)
  .max(65_535)
  .meta({ description: "A partner's number in the network's registry.", examples: [4] });

export const uuidSchema = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, "a UUID in lower case");

/** @param bytes how many */
export function hexSchema(bytes: number): z.ZodString {
  return z
    .string()
    .regex(new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`), `0x and ${bytes * 2} lower-case hexadecimal digits`);
}

export const instantSchema = z.iso
  .datetime({ precision: 3 })
  .meta({ description: "UTC, with milliseconds.", examples: ["2026-11-22T08:30:00.000Z"] });

/** A time that a caller tells. */
export const givenInstantSchema = z.iso
  .datetime({ precision: 3 })
  .refine((text) => readInstant(text) !== undefined, "a time in UTC with milliseconds, from 2020 to 2099")
  .meta({ description: "UTC, with milliseconds; from 2020 to 2099.", examples: ["2026-11-22T08:30:00.000Z"] });

export const daySchema = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d$/, "a day, YYYY-MM-DD")
  .check(obeys((text: string) => parseDay(text, "day")))
  .meta({ description: "A day in UTC.", examples: ["2026-11-22"] });

/** What a pattern can tell of the rule: something to read, and most of what is refused. */
const TEXT_PATTERN = (() => {
  const taken =
    "[^\\p{Cc}\\p{Co}\\p{Zl}\\p{Zp}\\u061c\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\ufffc\\ufffd]*";
  return `^${taken}[\\p{L}\\p{N}\\p{P}\\p{S}]${taken}$`;
})();

const TEXT_DESCRIPTION =
  "One line of Unicode text. It is kept and compared in one form: composed (NFC), without white space or invisible " +
  "characters around it, runs of spaces as one. Its length is counted in code points, in that form. Inside, control " +
  "characters, line breaks, characters that change the reading order, invisible ones and private use are refused, but " +
  "for those that scripts and emoji need.";

function textOf(maxLength: number, parse: (text: string) => string): z.ZodString {
  return z.string().check(obeys(parse)).meta({ minLength: 1, maxLength, pattern: TEXT_PATTERN });
}

/** What a key or the like is called. */
export const labelSchema = textOf(MAX_LABEL_LENGTH, parseLabel);

export const textSchema = textOf(MAX_TEXT_LENGTH, (text) => parseText(text, "text")).meta({
  id: "Text",
  description: TEXT_DESCRIPTION,
});

export const nameSchema = textOf(MAX_TEXT_LENGTH, (text) => parseName(text, "name")).meta({
  id: "Name",
  description: "A person's name: text, as Text has it, with at least one letter or digit.",
});

export const aliasSchema = z
  .strictObject({
    type: z.enum(ALIAS_TYPES),
    value: z
      .string()
      .check(obeys((text) => parseText(text, "value", MAX_ALIAS_LENGTH)))
      .meta({
        minLength: 1,
        maxLength: MAX_ALIAS_LENGTH,
        description:
          "MSISDN: a telephone number in international form, with its + and calling code, punctuated in any way; it is " +
          "kept as E.164, without a national prefix: `+63 (0) 917 123 4567` is `+639171234567`. A number that is possible in " +
          "its country is taken, whether or not its range is known to be in use; a national one, without its calling code, " +
          "is not. EMAIL: an address. ACCOUNT_ID, ALIAS: as the wallet gives them out, at most 140 characters. REQUEST: the " +
          "id of a request, which pays whom it is for; of a creditor only.",
      }),
  })
  .meta({
    id: "Alias",
    description: "What identifies a payee or payer at a wallet.",
    examples: [{ type: "MSISDN", value: "+639171234567" }],
  });
export type AliasJson = z.infer<typeof aliasSchema>;

export const rateSchema = z
  .object({
    numerator: minorText.meta({ description: "Target minor units…" }),
    denominator: minorText.meta({ description: "…for this many source minor units." }),
    decimal: z.string().meta({
      description: "Major units of the target currency for one of the source currency, rounded down.",
      examples: ["7.2814500000"],
    }),
  })
  .meta({ id: "Rate", description: "An exact exchange rate, and how it reads." });
