// What a wallet's engineer imports; docs/wallet-engineer.md shows it in use.
export type { AliasJson, MoneyJson } from "../src/schema/fields.ts";
export type {
  BalanceJson,
  CorridorJson,
  EventJson,
  EventsResponse,
  LookupResponse,
  Participant,
} from "../src/schema/network.ts";
export { PROBLEMS, type ProblemCode } from "./problems.ts";
export { TRANSFER_FATES, type TransferFate } from "../src/schema/problems.ts";
export type { Acceptance, LineResult, QuoteRequest, QuoteResponse, SubmitRequest } from "../src/schema/transfers.ts";
export type { TransferStatusName } from "../src/domain/lifecycle.ts";
export type { TransferStatusResponse } from "../src/schema/transfer-status.ts";
export { parseAlias, type Alias } from "../src/domain/alias.ts";
export { InvalidInput } from "../src/domain/errors.ts";
export { parseName, parseText } from "../src/domain/text.ts";
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
export { newUetr } from "./uetr.ts";
export {
  verifyWebhook,
  type WebhookHeaders,
  type WebhookOptions,
  type WebhookRefusal,
  type WebhookVerification,
} from "./webhooks.ts";
export type { WebhookBody } from "../src/schema/webhooks.ts";
