import { z } from "zod/v4";
import type { BatchHeader } from "./batch.ts";
import type { Hex } from "./bytes/hex.ts";
import { currencyByNumeric } from "./currency.ts";
import { InvalidInput } from "./errors.ts";
import { MAX_MINOR } from "./money.ts";
import { parsePartnerId } from "./partner.ts";
import type { Quote } from "./quote.ts";
import type { Transfer } from "./transfer.ts";
import type { SignedAcceptance } from "./typed-data.ts";
import { parseUetr } from "./uetr.ts";

// How the structs of the protocol travel as JSON, between relays and into receipts and stores: amounts as decimal text,
// for JSON's numbers are floats; hashes and keys as lower-case hexadecimal.

/** What JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export interface JsonObject {
  readonly [name: string]: Json;
}

/** Runs a parser of the domain inside a schema, so that its rule is what the sender is told. */
export function parsedBy<Input, Output>(input: z.ZodType<Input>, parse: (given: Input) => Output): z.ZodType<Output> {
  return input.transform((given, context): Output => {
    try {
      return parse(given);
    } catch (failure) {
      if (!(failure instanceof InvalidInput)) throw failure;
      context.addIssue({ code: "custom", message: failure.rule });
      return z.NEVER;
    }
  });
}

/** Minor units as decimal text, from 0 to 2^128-1. */
export const minorUnits = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,38})$/, "minor units as decimal text, for JSON's numbers are floats")
  .transform((text) => BigInt(text))
  .refine((amount) => amount <= MAX_MINOR, "at most 2^128-1");

/** @param bytes how many */
export function hexOf(bytes: number): z.ZodType<Hex> {
  return (
    z
      .string()
      .regex(new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`), `0x and ${bytes * 2} lower-case hexadecimal digits`)
      // The pattern is that of the type.
      .transform((text) => text as Hex)
  );
}

export const uetrText = parsedBy(z.string(), (text) => parseUetr(text));
export const partnerNumber = parsedBy(z.number(), (id) => parsePartnerId(id));

const currencyNumeric = parsedBy(z.number(), (numeric) => currencyByNumeric(numeric).numeric);
const uint48 = z
  .number()
  .int()
  .min(0)
  .max(2 ** 48 - 1);
const uint32 = z
  .number()
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const partnerOrNone = z.union([z.literal(0), partnerNumber], "the number of a partner, or 0 for none");
const currencyOrNone = z.union([z.literal(0), currencyNumeric], "an ISO 4217 number, or 0 for none");

export const quoteSchema: z.ZodType<Quote> = z.strictObject({
  provider: partnerOrNone,
  taker: partnerOrNone,
  sourceCurrency: currencyOrNone,
  targetCurrency: currencyOrNone,
  rateNumerator: minorUnits,
  rateDenominator: minorUnits,
  capacity: minorUnits,
  validUntil: uint48,
  maxHold: uint32,
  nonce: minorUnits.refine((nonce) => nonce < 2n ** 64n, "below 2^64"),
});

export const headerSchema: z.ZodType<BatchHeader> = z.strictObject({
  source: partnerNumber,
  target: partnerNumber,
  sourceCurrency: currencyNumeric,
  targetCurrency: currencyNumeric,
  count: uint32,
  sourceTotal: minorUnits,
  targetTotal: minorUnits,
  fee: minorUnits,
  expiresAt: uint48,
  root: hexOf(32),
  quote: quoteSchema,
});

export const transferSchema: z.ZodType<Transfer> = z.strictObject({
  uetr: uetrText,
  sourceAmount: minorUnits,
  targetAmount: minorUnits,
  detailsHash: hexOf(32),
});

/** A key and its signature, as the ledger takes them. ERC-1271 signatures may be of any length. */
export const authorizationSchema = z.object({
  key: hexOf(20),
  signature: z
    .string()
    .regex(/^0x(?:[0-9a-f]{2})*$/, "0x and lower-case hexadecimal digits")
    // The pattern is that of the type.
    .transform((text) => text as Hex),
});

/** A target partner's acceptance of a batch. */
export const signedAcceptanceSchema: z.ZodType<SignedAcceptance> = authorizationSchema.extend({ validUntil: uint48 });

/** A value of the protocol as JSON: bigints as decimal text, everything else as it is. */
export function toJson(value: object): JsonObject {
  const text = JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? String(member) : member));
  // What JSON.stringify made of an object is one.
  return JSON.parse(text) as JsonObject;
}

/**
 * Reads a value from JSON that somebody else made.
 * @param field what it is called, in errors
 * @throws InvalidInput naming the member by its path, and the rule; never the value, which may be personal data
 */
export function parseWire<Output>(schema: z.ZodType<Output>, json: unknown, field: string): Output {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path, message } = firstFault(parsed.error);
  throw new InvalidInput([field, ...path.map(String)].join("."), message);
}

/** What a schema has found first: where, and the rule that is broken. */
interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export function firstFault(error: z.ZodError): Fault {
  return deepest(error.issues);
}

/** Where there were alternatives, the one that was meant is that in which the fault is deepest. */
function deepest(issues: readonly z.core.$ZodIssue[]): Fault {
  const [issue] = issues;
  // The names of members are the caller's text, too: only what looks like a name is told.
  if (issue?.code === "unrecognized_keys") return { path: issue.path, message: notTaken(issue.keys) };
  if (issue?.code !== "invalid_union") return { path: issue?.path ?? [], message: issue?.message ?? "as documented" };
  const faults = issue.errors.map(deepest);
  const meant = faults.reduce<Fault | undefined>(
    (best, fault) => (best === undefined || fault.path.length > best.path.length ? fault : best),
    undefined,
  );
  if (meant === undefined || meant.path.length < 2) return { path: issue.path, message: ruleOf(issue) };
  return { path: [...issue.path, ...meant.path], message: meant.message };
}

/** What the schema says of its alternatives, where it says something. */
function ruleOf({ message }: z.core.$ZodIssue): string {
  return message === "Invalid input" ? "one of the alternatives" : message;
}

const MEMBER_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,39}$/;
const MOST_NAMED = 3;

function notTaken(keys: readonly string[]): string {
  const names = keys.filter((key) => MEMBER_NAME.test(key)).slice(0, MOST_NAMED);
  return names.length === 0 ? "has an unknown member" : `takes no member ${names.join(", ")}`;
}
