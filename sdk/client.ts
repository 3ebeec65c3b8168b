import { setTimeout as delay } from "node:timers/promises";
import { lineResultSchema } from "../src/schema/transfers.ts";
import type { DetailGroup } from "../src/domain/details.ts";
import { askRoute, type AnswerOf, type Arguments, type RouteName } from "./ask.ts";
import { followEvents, type FollowOptions } from "./events.ts";
import {
  connect,
  problemOf,
  readAnswer,
  RelayProblem,
  RelayUnreachable,
  type Connection,
  type ConnectionOptions,
} from "./http.ts";
import type {
  Acceptance,
  AliasJson,
  BalanceJson,
  CorridorJson,
  CreateWebhook,
  DeliveryJson,
  EventJson,
  EventsResponse,
  LineResult,
  LookupResponse,
  NewWebhookJson,
  Participant,
  QuoteRequest,
  QuoteResponse,
  SubmitRequest,
  TransferStatusResponse,
  WebhookJson,
} from "./types.ts";

/** The relay has taken a transfer in: it is on its disk, with its amounts fixed. */
export interface Submitted {
  readonly acceptance: Acceptance;
  /** It had been taken in before; this is the same answer again. */
  readonly replayed: boolean;
}

export interface EventsPageQuery {
  /** The id of the event after which to go on; "0" for all. */
  readonly after?: string;
  /** From 1 to 1000; 100 by default. */
  readonly limit?: number;
  readonly types?: readonly string[];
}

/**
 * What a wallet asks of its relay. Every method throws `RelayProblem` when the relay refuses, `RelayUnreachable` when it
 * gives no answer; what can be repeated has been, by then.
 */
export interface RelayClient {
  /** Finds a payee at another partner, with the name masked. */
  lookupPayee(target: number, alias: AliasJson): Promise<LookupResponse>;
  participants(): Promise<readonly Participant[]>;
  corridors(): Promise<readonly CorridorJson[]>;
  quote(request: QuoteRequest): Promise<QuoteResponse>;
  findQuote(id: string): Promise<QuoteResponse>;
  /**
   * Submits a transfer. Safe to repeat with the same UETR and content, also after `RelayUnreachable`, and after a crash
   * if the request was kept: see `openOutbox`. What a `RelayProblem` means for the money is in its `transfer`.
   */
  submit(request: SubmitRequest): Promise<Submitted>;
  /**
   * Submits many, as a stream of chunks: as fast as they are taken, in order, one result each. What is repeated after a
   * failure has the results of the first time.
   */
  submitMany(requests: Iterable<SubmitRequest> | AsyncIterable<SubmitRequest>): AsyncIterable<LineResult>;
  /** Where a transfer stands, with all its steps. */
  transfer(uetr: string): Promise<TransferStatusResponse>;
  /** Takes a transfer back that is in no batch yet. */
  cancel(uetr: string): Promise<TransferStatusResponse>;
  /** The receipt of a transfer that has ended on the ledger: JSON, to be kept or handed on as it is. */
  receipt(uetr: string, disclose?: readonly DetailGroup[]): Promise<unknown>;
  balances(): Promise<readonly BalanceJson[]>;
  eventsPage(query?: EventsPageQuery): Promise<EventsResponse>;
  /** Events after one, in order, for as long as the caller takes them: each at least once, none left out. */
  events(options: FollowOptions): AsyncIterable<EventJson>;
  createWebhook(webhook: CreateWebhook): Promise<NewWebhookJson>;
  webhooks(): Promise<readonly WebhookJson[]>;
  deleteWebhook(id: string): Promise<void>;
  deliveries(state?: "dead" | "due", limit?: number): Promise<readonly DeliveryJson[]>;
  /** Has an event delivered to a webhook once more. */
  redeliver(webhook: string, event: string): Promise<void>;
  /**
   * Any route of the API's document, by its method and path: its parameters, its body and its answer are typed by it.
   * @example const { entries } = await relay.ask("GET /v1/audit", { query: { limit: "10" } });
   */
  ask<Name extends RouteName>(route: Name, ...given: Arguments<Name>): Promise<AnswerOf<Name>>;
  /** For what the document of this version does not have. */
  readonly connection: Connection;
}

/** As many as are sent, and kept in memory, at once. */
const CHUNK_SIZE = 500;
/** A chunk has as many transfers to store. */
const CHUNK_TIMEOUT_MS = 60_000;

/**
 * A client of one relay.
 * @example
 * const relay = createClient({ url: "http://127.0.0.1:7107", key: "fq_…" });
 * const { acceptance } = await relay.submit({ uetr: newUetr(), target: 4, amount: { send: { currency: "HKD", minor: "150000" } }, … });
 */
export function createClient(options: ConnectionOptions): RelayClient {
  const connection = connect(options);
  const ask: RelayClient["ask"] = async (route, ...given) => (await askRoute(connection, route, ...given)).value;

  return {
    connection,
    ask,
    lookupPayee: (target, alias) => ask("POST /v1/payees/lookup", { body: { target, alias } }),
    participants: async () => (await ask("GET /v1/participants")).participants,
    corridors: async () => (await ask("GET /v1/corridors")).corridors,
    quote: (body) => ask("POST /v1/quotes", { body }),
    findQuote: (id) => ask("GET /v1/quotes/{id}", { path: { id } }),
    async submit(body) {
      const { value, headers } = await askRoute(connection, "POST /v1/transfers", { body });
      return { acceptance: value, replayed: headers.get("idempotent-replayed") === "true" };
    },
    submitMany: (requests) => submitChunks(connection, requests),
    transfer: (uetr) => ask("GET /v1/transfers/{uetr}", { path: { uetr } }),
    cancel: (uetr) => cancel(connection, uetr),
    receipt: (uetr, disclose = []) =>
      ask("GET /v1/transfers/{uetr}/receipt", {
        path: { uetr },
        query: { disclose: disclose.length === 0 ? undefined : disclose.join(",") },
      }),
    balances: async () => (await ask("GET /v1/balances")).balances,
    eventsPage: ({ after, limit, types } = {}) =>
      ask("GET /v1/events", { query: { after, limit: limit?.toString(), type: types?.join(",") } }),
    events: (follow) => followEvents(connection, follow),
    createWebhook: (body) => ask("POST /v1/webhooks", { body }),
    webhooks: async () => (await ask("GET /v1/webhooks")).webhooks,
    deleteWebhook: (id) => ask("DELETE /v1/webhooks/{id}", { path: { id } }),
    deliveries: async (state, limit) =>
      (await ask("GET /v1/webhooks/deliveries", { query: { state, limit: limit?.toString() } })).deliveries,
    async redeliver(webhook, event) {
      await ask("POST /v1/webhooks/{id}/deliveries/{event}/replay", { path: { id: webhook, event } });
    },
  };
}

/** A repetition may meet the cancellation that the first attempt made and could not tell of. */
async function cancel(connection: Connection, uetr: string): Promise<TransferStatusResponse> {
  try {
    return (await askRoute(connection, "POST /v1/transfers/{uetr}/cancel", { path: { uetr } })).value;
  } catch (failure) {
    if (!(failure instanceof RelayProblem) || failure.stored?.status !== "cancelled") throw failure;
    return failure.stored;
  }
}

async function* submitChunks(
  connection: Connection,
  requests: Iterable<SubmitRequest> | AsyncIterable<SubmitRequest>,
): AsyncIterable<LineResult> {
  let linesBefore = 0;
  let chunk: SubmitRequest[] = [];
  for await (const request of requests) {
    chunk.push(request);
    if (chunk.length < CHUNK_SIZE) continue;
    yield* submitChunk(connection, chunk, linesBefore);
    linesBefore += chunk.length;
    chunk = [];
  }
  if (chunk.length > 0) yield* submitChunk(connection, chunk, linesBefore);
}

const MAX_CUT_SHORT = 3;
/** What a relay says of the line at which it ends a stream: that nothing was done with it and those after it. */
const ENDING_STATUSES = new Set([401, 429, 503]);

/** Where the relay says at which line it ended the stream, that line and those after it are sent again. */
async function* submitChunk(
  connection: Connection,
  chunk: readonly SubmitRequest[],
  linesBefore: number,
): AsyncGenerator<LineResult> {
  let answered = 0;
  for (let failures = 0; answered < chunk.length;) {
    const rest = chunk.slice(answered);
    const answer = await connection.send("POST", "/v1/transfers", {
      canRepeat: true,
      timeoutMs: CHUNK_TIMEOUT_MS,
      body: { type: "application/x-ndjson", text: rest.map((request) => `${JSON.stringify(request)}\n`).join("") },
    });
    const lines = answer.text.split("\n").filter((line) => line !== "");
    const results = lines.map((line) => readAnswer(lineResultSchema, line));
    const last = results.at(-1);
    const ending = last?.uetr === undefined && ENDING_STATUSES.has(last?.status ?? 0) ? last?.problem : undefined;
    if (ending !== undefined) results.pop();
    // A relay that stops in the middle ends its answer there, by which time the status has been sent.
    const isWhole = ending !== undefined || results.length >= rest.length;
    if (isWhole) for (const result of results) yield { ...result, line: result.line + linesBefore + answered };
    failures = isWhole && results.length > 0 ? 0 : failures + 1;
    if (isWhole) answered += results.length;
    if (ending?.status === 401) throw problemOf(ending, ending.retryAfterSeconds);
    if (failures >= MAX_CUT_SHORT) throw new RelayUnreachable(failures, new Error("the answer was cut short"));
    if (ending?.retryAfterSeconds !== undefined) await delay(ending.retryAfterSeconds * 1_000);
  }
}
