import { z } from "zod/v4";
import { parseCurrency } from "../domain/currency.ts";
import { InvalidInput } from "../domain/errors.ts";
import { MAX_MINOR } from "../domain/money.ts";

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

/** One line of text for people: no control characters, and no half of a surrogate pair. */
export function lineSchema(maxLength: number): z.ZodString {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, "well-formed Unicode without control characters");
}

export const aliasSchema = z
  .strictObject({
    type: z.enum(["MSISDN", "EMAIL", "ACCOUNT_ID", "ALIAS"]),
    value: lineSchema(256).meta({
      description: "MSISDN: E.164, with its +. EMAIL: an address. ACCOUNT_ID, ALIAS: as the wallet gives them out.",
    }),
  })
  .meta({
    id: "Alias",
    description: "What a customer is found by at a wallet.",
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
