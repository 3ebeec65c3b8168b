import { z } from "zod/v4";
import { NO_LIMIT } from "../domain/corridor.ts";
import { aliasSchema, currencyText, instantSchema, minorText, moneySchema, partnerIdSchema } from "./fields.ts";

export const lookupRequestSchema = z.strictObject({ target: partnerIdSchema, alias: aliasSchema }).meta({
  id: "LookupRequest",
  examples: [{ target: 4, alias: { type: "MSISDN", value: "+639171234567" } }],
});
export type LookupRequest = z.infer<typeof lookupRequestSchema>;

export const lookupResponseSchema = z
  .object({
    target: partnerIdSchema,
    alias: aliasSchema.meta({ description: "As it was understood." }),
    name: z.string().meta({ description: "The payee's name, masked.", examples: ["M**** D*** C***"] }),
  })
  .meta({ id: "Payee" });
export type LookupResponse = z.infer<typeof lookupResponseSchema>;

export const participantSchema = z
  .object({
    id: partnerIdSchema,
    name: z
      .string()
      .optional()
      .meta({ description: "What this relay's operator calls the partner.", examples: ["GCash"] }),
    country: z.string().meta({ description: "ISO 3166-1 alpha-2.", examples: ["PH"] }),
    homeCurrency: currencyText,
    roles: z.array(z.enum(["wallet", "liquidityProvider"])),
    status: z.enum(["active", "suspended", "frozen"]),
    isSelf: z.boolean().meta({ description: "Whether this relay is theirs." }),
  })
  .meta({ id: "Participant" });
export type Participant = z.infer<typeof participantSchema>;

export const participantsResponseSchema = z
  .object({ participants: z.array(participantSchema) })
  .meta({ id: "Participants" });

export const corridorSchema = z
  .object({
    target: partnerIdSchema,
    sourceCurrency: currencyText,
    targetCurrency: currencyText,
    isOpen: z.boolean(),
    feeBps: z.number().int().meta({ description: "The network's fee on top, in basis points, rounded up." }),
    maxPerTransfer: minorText.meta({
      description: `In source minor units: the ledger's limit for a batch. ${NO_LIMIT} is none.`,
    }),
    maxPerDay: minorText.meta({
      description: `In source minor units, for all of a UTC day's transfers together. ${NO_LIMIT} is none.`,
    }),
    requiredFields: z.array(z.string()).meta({ description: "Members of a submission that may not be left out." }),
    aliasTypes: z.array(z.string()),
  })
  .meta({ id: "Corridor", description: "A direction in which this partner's customers can send." });
export type CorridorJson = z.infer<typeof corridorSchema>;

export const corridorsResponseSchema = z.object({ corridors: z.array(corridorSchema) }).meta({ id: "Corridors" });

export const balanceSchema = z
  .object({
    available: moneySchema.meta({ description: "On the ledger, free." }),
    held: moneySchema.meta({ description: "On the ledger, held for open batches." }),
    committed: moneySchema.meta({ description: "Promised to accepted transfers that are not on the ledger yet." }),
    spendable: moneySchema.meta({ description: "Available and not committed." }),
    elsewhere: z.object({ available: moneySchema, held: moneySchema }).optional().meta({
      description:
        "In treasuries of the ledger where this relay's new batches do not open, if there is any: it can be moved, and is not spendable.",
    }),
    lowWater: moneySchema.optional().meta({ description: "Below this amount there is an alarm." }),
    block: z.number().int().meta({ description: "The block at which it was read." }),
  })
  .meta({ id: "Balance" });
export type BalanceJson = z.infer<typeof balanceSchema>;

export const balancesResponseSchema = z.object({ balances: z.array(balanceSchema) }).meta({ id: "Balances" });

/** What the schema of event types is called in the API's document, which lists those that there are. */
export const EVENT_TYPE = "EventType";

const eventType = z.string().regex(/^[a-z]{1,32}(?:\.[a-z]{1,32}){1,3}$/, "names with points, as transfer.settled");

/** As it is told: the document lists those of this version, and a reader takes those of a later one, too. */
export const eventTypeSchema = eventType.meta({ id: EVENT_TYPE });

export const eventSchema = z
  .object({
    id: z.string().meta({
      description: "Its permanent name, never given to another event. Ask for what comes after it.",
      examples: ["evt_3f9c2a71b04e_42"],
    }),
    seq: z.number().int().meta({
      description: "The relay's own count. A relay whose database was restored gives numbers out again: use the id.",
    }),
    type: eventTypeSchema,
    at: instantSchema,
    uetr: z.string().optional(),
    batch: z.string().optional(),
    block: z.number().int().optional().meta({ description: "Where it stands on the ledger, if it is from there." }),
    logIndex: z.number().int().optional(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "Event", description: "Something that happened. Webhooks carry the same." });
export type EventJson = z.infer<typeof eventSchema>;

/** An event's id; 0 for before all; or, of relays from before events had ids, its seq. */
export const eventCursor = z.string().regex(/^(?:evt_(?:[0-9a-f]{12}_)?)?[0-9]{1,15}$/, "the id of an event, or 0");

export const eventsQuerySchema = z.strictObject({
  after: eventCursor.default("0"),
  limit: z
    .string()
    .regex(/^(?:[1-9][0-9]{0,2}|1000)$/, "from 1 to 1000")
    .default("100"),
  type: z
    .string()
    .regex(/^[a-z.]{1,64}(?:,[a-z.]{1,64}){0,31}$/, "types of events, with commas")
    .optional(),
});

export const eventStreamQuerySchema = eventsQuerySchema.omit({ limit: true, after: true }).extend({
  after: eventCursor
    .optional()
    .meta({ description: "Last-Event-ID has priority. Without either, the stream starts now." }),
});

export const eventsResponseSchema = z
  .object({
    events: z.array(eventSchema),
    next: z.string().meta({ description: "Ask for what comes after it." }),
  })
  .meta({ id: "Events" });
export type EventsResponse = z.infer<typeof eventsResponseSchema>;
