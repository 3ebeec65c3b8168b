import { z } from "zod/v4";
import {
  aliasSchema,
  currencyText,
  instantSchema,
  nameSchema,
  partnerIdSchema,
  positiveMoneySchema,
  rateSchema,
  textSchema,
  uetrSchema,
  uuidSchema,
} from "./fields.ts";
import { problemSchema } from "./problems.ts";
import { itemised } from "./transfer-status.ts";

/** What is priced: either end's amount is fixed, the other follows from the rate. */
const fixedSend = z.strictObject({
  send: positiveMoneySchema,
  receiveCurrency: currencyText.optional().meta({ description: "The target partner's home currency where left out." }),
});
const fixedReceive = z.strictObject({
  receive: positiveMoneySchema,
  sendCurrency: currencyText.optional().meta({ description: "This partner's home currency where left out." }),
});

export const quoteRequestSchema = z
  .strictObject({
    target: partnerIdSchema,
    amount: z.union([fixedSend, fixedReceive]),
  })
  .meta({
    id: "QuoteRequest",
    examples: [{ target: 4, amount: { send: { currency: "HKD", minor: "150000" } } }],
  });
export type QuoteRequest = z.infer<typeof quoteRequestSchema>;

export const quoteResponseSchema = z
  .object({
    id: uuidSchema,
    target: partnerIdSchema,
    ...itemised,
    rate: rateSchema.optional().meta({ description: "None where both currencies are the same." }),
    provider: partnerIdSchema.optional().meta({ description: "The liquidity provider whose quote it was priced on." }),
    createdAt: instantSchema,
    expiresAt: instantSchema.meta({ description: "Until then the amounts hold, for any number of transfers." }),
  })
  .meta({ id: "Quote", description: "What a transfer would cost: every cost, itemised." });
export type QuoteResponse = z.infer<typeof quoteResponseSchema>;

const debtorSchema = z.strictObject({
  name: nameSchema.meta({ description: "In Latin letters.", examples: ["Chan Tai Man"] }),
  nameLocal: nameSchema.optional().meta({ description: "In the person's own script.", examples: ["陳大文"] }),
  alias: aliasSchema,
});
const creditorSchema = z.strictObject({
  name: nameSchema.optional().meta({ description: "As the payer knows the payee.", examples: ["Maria Dela Cruz"] }),
  alias: aliasSchema,
});

export const submitRequestSchema = z
  .strictObject({
    uetr: uetrSchema,
    target: partnerIdSchema,
    amount: z.union([fixedSend, fixedReceive, z.strictObject({ quoteId: uuidSchema })]),
    debtor: debtorSchema,
    creditor: creditorSchema,
    purpose: z
      .string()
      .regex(/^[A-Z0-9]{4}$/, "an ISO 20022 purpose code: four upper-case letters or digits")
      .meta({ description: "ISO 20022 ExternalPurpose1Code.", examples: ["FAMI"] }),
    remittance: textSchema.optional().meta({
      description: "For the payee to read (Max140Text). Optional.",
    }),
    ifUnfunded: z.enum(["wait", "fail"]).default("fail").meta({
      description: "If the partner has too little money on the ledger: wait for it, or fail at once.",
    }),
    retryOf: uetrSchema.optional().meta({
      description:
        "The UETR of the order's latest attempt, where that was refused, rejected or cancelled, or has expired or failed: " +
        "both are one order. An attempt that may be paid yet, or was tried again, is not taken (`not-retryable`).",
    }),
  })
  .meta({
    id: "SubmitRequest",
    examples: [
      {
        uetr: "eb6305c9-1f7f-49de-aed0-16487c27b42d",
        target: 4,
        amount: { send: { currency: "HKD", minor: "150000" } },
        debtor: { name: "Chan Tai Man", alias: { type: "MSISDN", value: "+85291234567" } },
        creditor: { name: "Maria Dela Cruz", alias: { type: "MSISDN", value: "+639171234567" } },
        purpose: "FAMI",
      },
    ],
  });
/** As it is sent: what has a default may be left out. */
export type SubmitRequest = z.input<typeof submitRequestSchema>;
/** As it is understood. */
export type ParsedSubmitRequest = z.output<typeof submitRequestSchema>;

export const acceptanceSchema = z
  .object({
    uetr: uetrSchema,
    target: partnerIdSchema,
    ...itemised,
    acceptedAt: instantSchema,
    expiresAt: instantSchema.meta({ description: "A transfer that is not on its way by then fails." }),
  })
  .meta({
    id: "Acceptance",
    description: "The transfer is stored, with its amounts fixed. The same to every repeat of the request.",
  });
export type Acceptance = z.infer<typeof acceptanceSchema>;

/** One line of the answer to a stream of transfers. */
export const lineResultSchema = z
  .object({
    line: z.number().int().min(1).meta({ description: "Counted from 1; empty lines count." }),
    uetr: uetrSchema.optional().meta({ description: "Where it could be read." }),
    status: z.number().int().meta({ description: "The HTTP status that the line alone would have got." }),
    replayed: z.boolean().optional().meta({ description: "The transfer had been accepted before." }),
    acceptance: acceptanceSchema.optional(),
    problem: problemSchema.optional(),
  })
  .meta({ id: "LineResult" });
export type LineResult = z.infer<typeof lineResultSchema>;

export const receiptQuerySchema = z.strictObject({
  disclose: z
    .string()
    .regex(/^(?:debtor|creditor|remittance)(?:,(?:debtor|creditor|remittance))*$/, "debtor, creditor, remittance")
    .optional()
    .meta({ description: "The groups of details that the receipt reveals, with commas; none where left out." }),
});

export const receiptJsonSchema = z
  .record(z.string(), z.unknown())
  .meta({ id: "Receipt", description: "A receipt, as docs/receipts.md describes it." });
