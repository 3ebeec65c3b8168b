// What a wallet's engineer imports; docs/wallet-engineer.md shows it in use.
export type { AliasJson, MoneyJson } from "../contract/fields.ts";
export type {
  BalanceJson,
  CorridorJson,
  EventJson,
  EventsResponse,
  LookupResponse,
  Participant,
} from "../contract/network.ts";
export { PROBLEMS, TRANSFER_FATES, type ProblemCode, type TransferFate } from "../contract/problems.ts";
export type { Acceptance, LineResult, QuoteRequest, QuoteResponse, SubmitRequest } from "../contract/transfers.ts";
export type { TransferStatusName, TransferStatusResponse } from "../contract/transfer-status.ts";
export { parseAlias, type Alias } from "../domain/alias.ts";
export { InvalidInput } from "../domain/errors.ts";
export { parseName, parseText } from "../domain/text.ts";
export { createClient, type EventsPageQuery, type RelayClient, type Submitted } from "./client.ts";
export type { FollowOptions } from "./events.ts";
export { NOT_THE_RELAY, RelayProblem, RelayUnreachable, type Connection, type ConnectionOptions } from "./http.ts";
export {
  InvalidSubmission,
  openOutbox,
  OutboxConflict,
  type Outbox,
  type OutboxOptions,
  type SubmissionOutcome,
} from "./outbox.ts";
export * from "./receipt.ts";
export { newUetr } from "./uetr.ts";
export {
  verifyWebhook,
  type WebhookHeaders,
  type WebhookOptions,
  type WebhookRefusal,
  type WebhookVerification,
} from "./webhooks.ts";
export type { WebhookBody } from "../contract/webhooks.ts";
