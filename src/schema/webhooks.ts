import { z } from "zod/v4";
import { instantSchema, moneySchema } from "./fields.ts";
import { eventSchema, eventTypeSchema } from "./network.ts";

/** The body of every webhook: `data` is the event as the API has it, with what it says about an own transfer. */
export const webhookBodySchema = z
  .object({
    version: z.number().int().default(1).meta({ description: "Of what the body has; 1 where it is missing." }),
    type: eventTypeSchema,
    timestamp: instantSchema,
    data: eventSchema.extend({
      transfer: z.object({ status: z.string(), send: moneySchema, receive: moneySchema }).optional(),
    }),
  })
  .meta({ id: "WebhookBody", description: "What a webhook carries: ids, statuses, amounts and times; nobody's name." });
