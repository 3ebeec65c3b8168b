import type { components } from "./api.ts";

// What is sent to a relay and what it answers, by the names that this package has for them. Each is what the API's document
// says of it.

type Schemas = components["schemas"];

export type AliasJson = Schemas["Alias"];
export type MoneyJson = Schemas["Money"];

export type Participant = Schemas["Participant"];
export type CorridorJson = Schemas["Corridor"];
export type BalanceJson = Schemas["Balance"];
export type LookupResponse = Schemas["Payee"];

export type QuoteRequest = Schemas["QuoteRequest"];
export type QuoteResponse = Schemas["Quote"];
export type SubmitRequest = Schemas["SubmitRequest"];
export type Acceptance = Schemas["Acceptance"];
export type LineResult = Schemas["LineResult"];
export type TransferStatusResponse = Schemas["TransferStatus"];

export type EventJson = Schemas["Event"];
export type EventsResponse = Schemas["Events"];
export type CreateWebhook = Schemas["CreateWebhook"];
export type WebhookJson = Schemas["Webhook"];
export type NewWebhookJson = Schemas["NewWebhook"];
export type DeliveryJson = Schemas["Delivery"];
export type WebhookBody = Schemas["WebhookBody"];
