import { z } from "zod/v4";
import { TRANSFER_STATUSES, type TransferStatusName } from "../domain/lifecycle.ts";
import { hexSchema, instantSchema, moneySchema, partnerIdSchema, reasonSchema, uetrSchema } from "./fields.ts";

/** The amounts of a quote or a transfer: every cost, itemised. */
export const itemised = {
  send: moneySchema.meta({ description: "What is exchanged for the payee." }),
  fee: moneySchema.meta({ description: "The network's fee, on top." }),
  total: moneySchema.meta({ description: "All that the payer is charged: send and fee." }),
  receive: moneySchema.meta({ description: "What the payee gets, to the minor unit." }),
};

// Its own keys, in the order in which it has them.
const STATUSES = Object.keys(TRANSFER_STATUSES) as readonly TransferStatusName[];

export const transferStatusSchema = z
  .object({
    uetr: uetrSchema,
    status: z.enum(STATUSES),
    pacs002: z.string().meta({ description: "ISO 20022 ExternalPaymentTransactionStatus1Code.", examples: ["ACSC"] }),
    reason: reasonSchema.optional(),
    isFinal: z.boolean().meta({ description: "Whether the money has reached its end: paid out, or refunded." }),
    target: partnerIdSchema,
    ...itemised,
    acceptedAt: instantSchema,
    expiresAt: instantSchema,
    batch: hexSchema(32).optional().meta({ description: "The batch that it is in: its id on the ledger." }),
    steps: z.array(
      z.object({
        status: z.enum(STATUSES),
        at: instantSchema,
        reason: reasonSchema.optional(),
        block: z.number().int().optional().meta({ description: "Where it stands on the ledger, if it does." }),
        transaction: hexSchema(32).optional(),
      }),
    ),
  })
  .meta({ id: "TransferStatus", description: "Where a transfer stands, and every step on the way there." });
export type TransferStatusResponse = z.infer<typeof transferStatusSchema>;
