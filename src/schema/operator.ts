import { z } from "zod/v4";
import {
  currencyText,
  givenInstantSchema,
  instantSchema,
  labelSchema,
  minorText,
  uetrSchema,
  uuidSchema,
} from "./fields.ts";
import { eventCursor, eventSchema } from "./network.ts";

/** What an API key may do: look; send money; run the relay. */
export const SCOPES = ["read", "submit", "operate"] as const;
export type Scope = (typeof SCOPES)[number];

/** Requests per minute; each transfer of a stream counts as one. */
export const DEFAULT_RATE_LIMIT = 6_000;
export const MAX_RATE_LIMIT = 10_000_000;

export const createKeySchema = z
  .strictObject({
    label: labelSchema,
    scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
    rateLimit: z
      .number()
      .int()
      .min(1)
      .max(MAX_RATE_LIMIT)
      .optional()
      .meta({
        description: `Requests per minute; each transfer of a stream counts as one. ${DEFAULT_RATE_LIMIT} where it is left out.`,
      }),
    expiresAt: givenInstantSchema.optional(),
  })
  .meta({ id: "CreateKey" });

export const rotateKeySchema = z
  .strictObject({
    overlapSeconds: z
      .number()
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(86_400)
      .meta({ description: "For how long the old key still works beside the new one." }),
  })
  .meta({ id: "RotateKey" });

export const apiKeySchema = z
  .object({
    id: z.string(),
    label: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    rateLimit: z.number().int(),
    createdAt: instantSchema,
    expiresAt: instantSchema.optional(),
    revokedAt: instantSchema.optional(),
    successor: z.string().optional().meta({ description: "The id of its successor." }),
  })
  .meta({ id: "ApiKey" });
export type ApiKeyJson = z.infer<typeof apiKeySchema>;

export const newKeySchema = apiKeySchema
  .extend({ key: z.string().meta({ description: "The key itself. It is shown once, and not stored." }) })
  .meta({ id: "NewApiKey" });
export type NewKeyJson = z.infer<typeof newKeySchema>;

export const apiKeysResponseSchema = z.object({ keys: z.array(apiKeySchema) }).meta({ id: "ApiKeys" });
export const keyIdParams = z.strictObject({ id: z.string().regex(/^[0-9a-z]{1,32}$/, "an API key's id") });

export const createWebhookSchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: "an http or https URL" })
      .max(2_000)
      .meta({ examples: ["https://wallet.example/hooks/feiqian"] }),
    types: z
      .array(z.string().regex(/^[a-z]{1,32}(?:\.[a-z]{1,32}){1,3}$/, "a type of events"))
      .max(32)
      .default([])
      .meta({ description: "The types of events to deliver; all if empty." }),
  })
  .meta({ id: "CreateWebhook" });

export const webhookSchema = z
  .object({
    id: uuidSchema,
    url: z.string(),
    types: z.array(z.string()),
    createdAt: instantSchema,
    disabledAt: instantSchema.optional(),
  })
  .meta({ id: "Webhook" });
export type WebhookJson = z.infer<typeof webhookSchema>;

export const newWebhookSchema = webhookSchema
  .extend({ secret: z.string().meta({ description: "The Standard Webhooks secret, shown once." }) })
  .meta({ id: "NewWebhook" });
export type NewWebhookJson = z.infer<typeof newWebhookSchema>;

export const webhooksResponseSchema = z.object({ webhooks: z.array(webhookSchema) }).meta({ id: "Webhooks" });
export const webhookIdParams = z.strictObject({ id: uuidSchema });
export const deliveryParams = z.strictObject({
  id: uuidSchema,
  event: eventCursor,
});

export const deliveriesQuerySchema = z.strictObject({
  state: z.enum(["dead", "due"]).default("dead"),
  limit: z
    .string()
    .regex(/^(?:[1-9][0-9]{0,2}|1000)$/, "from 1 to 1000")
    .default("100"),
});

export const deliverySchema = z
  .object({
    webhook: uuidSchema,
    attempts: z.number().int(),
    lastError: z.string().optional(),
    nextAttemptAt: instantSchema.optional(),
    deadAt: instantSchema.optional(),
    event: eventSchema,
  })
  .meta({ id: "Delivery" });
export type DeliveryJson = z.infer<typeof deliverySchema>;
export const deliveriesResponseSchema = z.object({ deliveries: z.array(deliverySchema) }).meta({ id: "Deliveries" });

export const redeliverySchema = z.object({ webhook: z.string(), event: z.string() }).meta({ id: "Redelivery" });

export const auditQuerySchema = z.strictObject({
  after: z
    .string()
    .regex(/^(?:aud_(?:[0-9a-f]{12}_)?)?[0-9]{1,15}$/, "the id of an entry, or 0")
    .default("0"),
  limit: z
    .string()
    .regex(/^(?:[1-9][0-9]{0,2}|1000)$/, "from 1 to 1000")
    .default("100"),
});
export const auditResponseSchema = z
  .object({
    entries: z.array(
      z
        .object({
          id: z.string().meta({ description: "Its permanent name, never given to another entry." }),
          seq: z.number().int(),
          at: instantSchema,
          actor: z.string().meta({ description: "An API key's id, or the operating system's user." }),
          action: z.string(),
          subject: z.string().optional(),
          outcome: z.string().meta({
            description:
              "`begun` while it is under way, or if it was interrupted. The same entry shows the result later.",
          }),
          data: z.record(z.string(), z.unknown()),
        })
        .meta({ id: "AuditEntry" }),
    ),
    next: z.string().meta({ description: "Ask for what comes after it." }),
  })
  .meta({ id: "Audit" });

export const erasureSchema = z
  .strictObject({
    uetr: uetrSchema
      .optional()
      .meta({ description: "One transfer, once it is finished: refunded, or credited as far as is known." }),
    acceptedBefore: givenInstantSchema
      .optional()
      .meta({ description: "All that is finished and was accepted before; not in the future." }),
  })
  .refine(({ uetr, acceptedBefore }) => (uetr === undefined) !== (acceptedBefore === undefined), {
    message: "either uetr or acceptedBefore",
  })
  .meta({ id: "Erasure", description: "Personal data to erase. The ledger's salted commitments become unlinkable." });

export const erasureResponseSchema = z
  .object({
    erased: z.number().int().meta({ description: "Transfers whose details are gone." }),
    payloads: z.number().int().meta({ description: "Batches received whose payloads are gone." }),
  })
  .meta({ id: "Erased" });

const treasuryMoney = z.object({ available: minorText, held: minorText });

export const reconciliationSchema = z
  .object({
    at: z.number().int().meta({ description: "Milliseconds since the epoch." }),
    block: z.number().int().optional().meta({
      description: "The block that everything is compared with; none where the ledger has not been read.",
    }),
    balances: z.array(
      z.object({
        treasury: z
          .string()
          .optional()
          .meta({ description: "Its address. Relays from before there could be several do not say it." }),
        currency: currencyText,
        expected: treasuryMoney.meta({ description: "What the ledger's events make of it." }),
        found: treasuryMoney.meta({ description: "What the treasury has." }),
      }),
    ),
    checked: z.record(z.string(), z.number().int()).meta({ description: "How much of what was gone through." }),
    differences: z
      .array(
        z.object({
          kind: z.string(),
          subject: z.string().meta({
            description: "What it is about: a currency, a batch, a UETR, an event, a webhook.",
          }),
          sentence: z.string().meta({ description: "For people." }),
        }),
      )
      .meta({ description: "None: all is sound." }),
    omitted: z.number().int().optional().meta({ description: "How many more differences there are than are named." }),
  })
  .meta({ id: "Reconciliation", description: "The store compared with the ledger. A difference is an alarm." });
export type ReconciliationJson = z.infer<typeof reconciliationSchema>;
