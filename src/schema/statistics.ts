import { z } from "zod/v4";
import { REASON_CLASSES, type ReasonClass } from "../domain/reason-class.ts";
import { DAYS_TO_END, LEAST_ENDED } from "../domain/success.ts";
import { currencyText, daySchema, instantSchema, partnerIdSchema } from "./fields.ts";

const count = z.number().int().min(0);
// Its own keys, in the order in which it has them.
const CLASSES = Object.keys(REASON_CLASSES) as [ReasonClass, ...ReasonClass[]];

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
  unpaid: z
    .array(
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
    )
    .meta({ description: "Those rejected and expired, the most frequent reason first." }),
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
