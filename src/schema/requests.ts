import { z } from "zod/v4";
import {
  aliasSchema,
  currencyText,
  givenInstantSchema,
  hexSchema,
  instantSchema,
  minorText,
  nameSchema,
  partnerIdSchema,
  textSchema,
  uetrSchema,
} from "./fields.ts";

const requestId = uetrSchema.meta({
  description: "A version 4 UUID in lower case. Made, and kept, by the payee's wallet.",
  examples: ["5f4b8a52-7a3c-4c1e-9a0d-0b6f1c2d3e4f"],
});

const purposeSchema = z
  .string()
  .regex(/^[A-Z0-9]{4}$/, "four upper-case letters or digits")
  .meta({ description: "ISO 20022 ExternalPurpose1Code.", examples: ["GDDS"] });

/** Minor units, or none where the payer says how much. */
const askedSchema = z.strictObject({
  currency: currencyText,
  minor: minorText.refine((text) => text !== "0", "more than zero").optional(),
});

export const createRequestSchema = z
  .strictObject({
    id: requestId,
    payee: z.strictObject({
      name: nameSchema.meta({ description: "As payers are to see it: it is shown whole, and stands in the code." }),
      alias: aliasSchema,
    }),
    amount: askedSchema.meta({ description: "Without minor the payer says how much." }),
    purpose: purposeSchema.default("GDDS"),
    reference: textSchema.optional().meta({ description: "What it is for, for the payer to read." }),
    single: z.boolean().default(true).meta({ description: "Whether it can be paid once only." }),
    expiresAt: givenInstantSchema
      .optional()
      .meta({ description: "A day from now unless given; for one that can be paid many times, never." }),
  })
  .meta({ id: "CreateRequest" });
export type ParsedCreateRequest = z.output<typeof createRequestSchema>;

const STATUSES = {
  open: "it can be paid",
  pending: "it can be paid once, and a payment is on its way",
  paid: "it could be paid once, and was",
  cancelled: "its payee has withdrawn it",
  expired: "its time is over",
} as const;
/** How a request stands at its payee's relay. */
export type RequestStatus = keyof typeof STATUSES;

// Its own keys, in the order in which it has them.
const STATUS_NAMES = Object.keys(STATUSES) as [RequestStatus, ...RequestStatus[]];

export const requestStatusSchema = z.enum(STATUS_NAMES).meta({
  description: STATUS_NAMES.map((name) => `${name}: ${STATUSES[name]}`).join("; "),
});

const shown = {
  id: requestId,
  status: requestStatusSchema,
  name: z.string().meta({ description: "The payee's name, as payers see it.", examples: ["Anji Office Chairs"] }),
  amount: z.object({ currency: currencyText, minor: minorText.optional() }),
  purpose: z.string(),
  reference: z.string().optional(),
  single: z.boolean(),
  expiresAt: instantSchema.optional(),
};

export const paymentRequestSchema = z
  .object({
    ...shown,
    createdAt: instantSchema,
    code: z.string().meta({ description: "To be shown as a QR code (EMV QRCPS, merchant-presented mode)." }),
    payments: z
      .array(z.object({ uetr: uetrSchema, minor: minorText, creditedAt: instantSchema.optional() }))
      .meta({ description: "The latest, at most 20, the last one first: credited, or on their way." }),
  })
  .meta({ id: "PaymentRequest", description: "What a customer of this partner asks to be paid." });
export type PaymentRequestJson = z.infer<typeof paymentRequestSchema>;

export const resolveRequestSchema = z
  .strictObject({
    code: z.string().min(1).max(512).meta({ description: "What a scanner has read from a QR code." }),
  })
  .meta({ id: "ResolveRequest" });

export const billLookupSchema = z
  .strictObject({
    target: partnerIdSchema,
    biller: z
      .string()
      .min(1)
      .max(32)
      .meta({ description: "Its id, from the list of billers.", examples: ["power"] }),
    reference: z
      .string()
      .min(1)
      .max(64)
      .meta({ description: "As it stands on the bill; spaces and hyphens do not count." }),
  })
  .meta({ id: "BillLookup" });
export type BillLookup = z.infer<typeof billLookupSchema>;

export const billersResponseSchema = z
  .object({
    billers: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        category: z.string().meta({ examples: ["electricity"] }),
        reference: z
          .object({
            characters: z.enum(["digits", "letters and digits"]),
            min: z.number().int(),
            max: z.number().int(),
            check: z.enum(["luhn", "mod97"]).optional(),
          })
          .meta({ description: "What its references look like; check digits by Luhn, or by ISO 7064, MOD 97-10." }),
      }),
    ),
  })
  .meta({ id: "Billers" });
export type BillersJson = z.infer<typeof billersResponseSchema>;

export const resolvedRequestSchema = z
  .object({
    ...shown,
    target: partnerIdSchema,
    signed: z
      .object({ key: hexSchema(20), signature: z.string() })
      .meta({ description: "Of the payee's partner, under all of it but the status (EIP-712 PaymentRequest)." }),
  })
  .meta({
    id: "ResolvedRequest",
    description:
      "A request of another partner's customer, as that partner's relay tells and signs it. It is paid by a transfer to " +
      "the target, with the creditor's alias of type REQUEST and its id.",
  });
export type ResolvedRequestJson = z.infer<typeof resolvedRequestSchema>;
