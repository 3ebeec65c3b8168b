// What a wallet's engineer imports; docs/wallet-engineer.md shows it in use.
export type {
  Acceptance,
  AliasJson,
  BalanceJson,
  CorridorJson,
  EventJson,
  EventsResponse,
  LineResult,
  LookupResponse,
  MoneyJson,
  Participant,
  QuoteRequest,
  QuoteResponse,
  SubmitRequest,
  TransferStatusResponse,
  WebhookBody,
} from "./types.ts";
export { PROBLEMS, type ProblemCode } from "./problems.ts";
export { TRANSFER_FATES, type TransferFate } from "../src/schema/problems.ts";
export type { TransferStatusName } from "../src/domain/lifecycle.ts";
export { parseAlias, type Alias } from "../src/domain/alias.ts";
export { InvalidInput } from "../src/domain/errors.ts";
export { parseName, parseText } from "../src/domain/text.ts";
export type { AnswerOf, RouteName } from "./ask.ts";
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
export {
  formatPaymentCode,
  parsePaymentCode,
  type CodeAccount,
  type PaymentCode,
} from "../src/domain/payment-code/payment-code.ts";
export { newUetr } from "./uetr.ts";
export {
  verifyWebhook,
  type WebhookHeaders,
  type WebhookOptions,
  type WebhookRefusal,
  type WebhookVerification,
} from "./webhooks.ts";
