import { z } from "zod/v4";
import { REASON_CLASSES, type ReasonClass } from "../domain/reason-class.ts";
import { DAYS_TO_END, LEAST_ENDED } from "../domain/success.ts";
import { currencyText, daySchema, instantSchema, partnerIdSchema } from "./fields.ts";

const count = z.number().int().min(0);
// Its own keys, in the order in which it has them.
const CLASSES = Object.keys(REASON_CLASSES) as [ReasonClass, ...ReasonClass[]];

const unpaidSchema = z.array(
  z.object({
    reason: z.string().meta({
      description:
        "ISO 20022 ExternalStatusReason1Code; AB03 for what expired. The four bytes that were published where they are " +
        "no code of the network's, `none` where none were.",
      examples: ["AC03"],
    }),
    class: z.enum(CLASSES).meta({
      description: Object.entries(REASON_CLASSES)
        .map(([name, meaning]) => `${name}: ${meaning}`)
        .join(" "),
    }),
    transfers: count,
  }),
);

const figures = {
  opened: count.meta({ description: "Transfers that came onto the ledger." }),
  settled: count.meta({ description: "Paid to the target partner." }),
  rejected: count.meta({ description: "Refused by the target partner, and refunded." }),
  expired: count.meta({ description: "Not settled in time, and refunded." }),
  open: count.meta({ description: "Not ended, or only after the day's figures were fixed: in no rate." }),
  rate: z
    .string()
    .optional()
    .meta({
      description:
        `Settled of those that have ended, in percent, rounded down. None where fewer than ${LEAST_ENDED} have: of so few ` +
        "a rate says nothing.",
      examples: ["97.42"],
    }),
  unpaid: unpaidSchema.meta({ description: "Those rejected and expired, the most frequent reason first." }),
};

export const successQuerySchema = z.strictObject({
  from: daySchema.optional().meta({ description: "The first day; six days before the last one where it is left out." }),
  to: daySchema.optional().meta({ description: "The last day; the ledger's day where it is left out." }),
});

export const successSchema = z
  .object({
    block: z.number().int().meta({ description: "The block as of which it is counted." }),
    at: instantSchema.meta({ description: "Its time." }),
    from: daySchema,
    to: daySchema,
    corridors: z
      .array(
        z.object({
          day: daySchema.meta({ description: "Of the block in which a transfer's batch was opened." }),
          source: partnerIdSchema,
          target: partnerIdSchema,
          sourceCurrency: currencyText,
          targetCurrency: currencyText,
          isProvisional: z.boolean().meta({
            description: `Whether figures can change yet: they are fixed when the day is over for ${DAYS_TO_END} days.`,
          }),
          ...figures,
        }),
      )
      .meta({ description: "By day and corridor; none where nothing was opened." }),
    total: z.object(figures).meta({ description: "All of them together." }),
  })
  .meta({
    id: "Success",
    description: "How many of the transfers that came onto the ledger were paid, and why the others were not.",
  });
export type SuccessJson = z.infer<typeof successSchema>;

const orderFigures = {
  orders: count.meta({ description: "All that have ended: each once, however many attempts it had." }),
  credited: count.meta({ description: "The customer is credited, as the target's relay has told in time." }),
  recovered: count.meta({ description: "Of those credited, the ones that were not paid by their first attempt." }),
  uncredited: count.meta({ description: "Settled on the ledger, and no credit told." }),
  rejected: count.meta({ description: "Refused by the target partner on the ledger, and refunded." }),
  expired: count.meta({ description: "Not settled in time, and refunded." }),
  failed: count.meta({
    description: "Never on the ledger: without money in time, or refused by the target beforehand.",
  }),
  cancelled: count,
  refused: count.meta({ description: "Refused for good by this relay when they were submitted." }),
  retried: count.meta({
    description:
      "Attempts among the rejected to refused ones that were tried again: their orders are counted with the next.",
  }),
  open: count.meta({ description: "On the ledger, and not ended: in no figure above." }),
  rate: z
    .string()
    .optional()
    .meta({
      description: `Credited of all that have ended, in percent, rounded down. None where fewer than ${LEAST_ENDED} have.`,
      examples: ["96.10"],
    }),
  firstTryRate: z
    .string()
    .optional()
    .meta({ description: "The same, of those credited by their first attempt.", examples: ["94.02"] }),
  unpaid: unpaidSchema.meta({
    description: "All attempts but those credited or uncredited, the most frequent reason first.",
  }),
};

export const ordersSchema = z
  .object({
    block: z.number().int().meta({ description: "The block as of which what is on the ledger is counted." }),
    at: instantSchema.meta({ description: "Its time." }),
    from: daySchema,
    to: daySchema,
    days: z
      .array(
        z.object({
          day: daySchema.meta({
            description: "Of the block in which an order's batch was opened; of its end where it never was.",
          }),
          target: partnerIdSchema.optional().meta({ description: "None for what was refused: it need not say it." }),
          isProvisional: z.boolean(),
          ...orderFigures,
        }),
      )
      .meta({ description: "By day and target; none where there was nothing." }),
    total: z.object(orderFigures).meta({ description: "All of them together." }),
  })
  .meta({
    id: "Orders",
    description: "How many of the orders of this partner's own customers were paid, and why the others were not.",
  });
export type OrdersJson = z.infer<typeof ordersSchema>;
