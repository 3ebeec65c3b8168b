import { Readable } from "node:stream";
import { z } from "zod/v4";
import { uetrSchema, uuidSchema } from "../../schema/fields.ts";
import {
  acceptanceSchema,
  quoteRequestSchema,
  quoteResponseSchema,
  receiptQuerySchema,
  receiptJsonSchema,
  submitRequestSchema,
  type Acceptance,
} from "../../schema/transfers.ts";
import { transferStatusSchema } from "../../schema/transfer-status.ts";
import { DETAIL_GROUPS } from "../../domain/details.ts";
import { receiptToJson } from "../../domain/receipt.ts";
import { parseUetr } from "../../domain/uetr.ts";
import { cancel } from "./intake/cancellation.ts";
import { acceptanceJson, quoteJson } from "./json.ts";
import { buildReceipt } from "./receipts.ts";
import { statusOf } from "./status.ts";
import { findQuotes } from "../pricing/store/quotes.ts";
import { findTransfer } from "./store/transfers.ts";
import { NDJSON_TYPE, submitLines } from "./intake/ndjson.ts";
import { Problem, submissionProblemJson } from "../../kernel/http/problem.ts";
import type { Refusal } from "../../kernel/refusal.ts";
import { sendStream } from "../../kernel/http/streams.ts";
import { readSubmission } from "./intake/submission.ts";
import { createIntake, type Intake } from "./intake/intake.ts";
import { shareCommits } from "./intake/shared-commits.ts";
import type { RelayContext } from "../context.ts";
import { callerOf, instanceOf, type HttpContext, type RoutesOf } from "../../kernel/http/context.ts";
import { OF_BODIES, responses, routes, type Routes } from "../../kernel/http/route.ts";

interface Context extends HttpContext {
  readonly relay: RelayContext;
  readonly intake: Intake;
}

const uetrParams = z.strictObject({ uetr: uetrSchema });
const quoteParams = z.strictObject({ id: uuidSchema });

/** From a quote to a receipt: what a wallet does for its customers. */
export function transferRoutes(relay: RelayContext): RoutesOf {
  const intake = createIntake(relay);
  return (http) =>
    routes((app) => {
      const context = { ...http, relay, intake };
      // Lines are read as they come, by the handler.
      app.addContentTypeParser(NDJSON_TYPE, (_request, payload, done) => done(null, payload));
      quoteRoutes(app, context);
      submitRoute(app, context);
      statusRoutes(app, context);
      receiptRoute(app, context);
    });
}

function quoteRoutes(app: Routes, { relay, intake }: Context): void {
  app.post(
    "/v1/quotes",
    {
      config: { scope: "submit" },
      schema: {
        operationId: "createQuote",
        "x-idempotent": true,
        summary: "What a transfer would cost",
        description:
          "Either what is sent is fixed, or what is received. Every cost is itemised; the amounts hold until the expiry.",
        tags: ["transfers"],
        body: quoteRequestSchema,
        ...responses({ 201: quoteResponseSchema }, [
          ...OF_BODIES,
          "unknown-partner",
          "corridor-closed",
          "amount-too-small",
          "amount-too-large",
          "no-quote",
          "quotes-unavailable",
        ]),
      },
    },
    async ({ body }, reply) => {
      const quoted = await intake.quote(body);
      if (quoted.kind === "refused") throw Problem.of(quoted);
      return reply.code(201).header("location", `/v1/quotes/${quoted.quote.id}`).send(quoteJson(quoted.quote));
    },
  );
  app.get(
    "/v1/quotes/:id",
    {
      config: { scope: "read" },
      schema: {
        operationId: "getQuote",
        summary: "A quote that was given",
        tags: ["transfers"],
        params: quoteParams,
        ...responses({ 200: quoteResponseSchema }, ["not-found"]),
      },
    },
    async ({ params }) => {
      const [quote] = await findQuotes(relay.db, [params.id]);
      if (quote === undefined) throw new Problem("not-found", "this relay has given no such quote");
      return quoteJson(quote);
    },
  );
}

function submitRoute(app: Routes, { relay, intake, auth, streams, closing }: Context): void {
  const submit = shareCommits(intake);
  app.post(
    "/v1/transfers",
    {
      config: { scope: "submit", submits: true },
      // Read by the handler: a request that breaks a rule may be the repeat of one that is stored.
      validatorCompiler: () => (data: unknown) => ({ value: data }),
      // Made member by member, as the lines of a stream are: to hold it to its schema takes as long as to read the request.
      serializerCompiler: () => (data: unknown) => JSON.stringify(data),
      schema: {
        operationId: "submitTransfer",
        "x-idempotent": true,
        summary: "Submit a transfer, or a stream of them",
        description: `A 202 means that the transfer is stored, with its amounts fixed. A UETR has one answer forever. Accepted, the same content gets the same answer again (then with the header "idempotent-replayed: true"), and another content gets 409 with how the stored transfer stands. Refused for good, it stays refused, whatever is sent under it. Each problem tells in "transfer" which it is: only "none" means that the payer can have the money back. As ${NDJSON_TYPE}, each line is a submission and the answer, 200, has a LineResult for each, in order, while the lines arrive: read it as you send.`,
        tags: ["transfers"],
        consumes: ["application/json", NDJSON_TYPE],
        body: submitRequestSchema,
        ...responses({ 202: acceptanceSchema }, [
          ...OF_BODIES,
          "uetr-unreadable",
          "uetr-conflict",
          "unknown-partner",
          "corridor-closed",
          "amount-too-small",
          "amount-too-large",
          "quote-not-found",
          "quote-expired",
          "quote-mismatch",
          "quote-used-up",
          "no-quote",
          "insufficient-liquidity",
          "quotes-unavailable",
          "content-uncheckable",
        ]),
        "x-also-answers": {
          "200": {
            description: "For a stream of submissions: a result a line",
            content: { [NDJSON_TYPE]: { schema: { $ref: "#/components/schemas/LineResult" } } },
          },
        },
      },
    },
    async (request, reply) => {
      // Whatever the parsers of bodies have made: JSON, or the stream that the parser of lines hands on.
      const body: unknown = request.body;
      if (body instanceof Readable) {
        const caller = callerOf(request);
        const stream = streams.open(caller);
        reply.raw.once("close", () => stream.close());
        const problem = (refusal: Refusal) => submissionProblemJson(relay.problems, refusal, instanceOf(request));
        const options = { stopping: closing, problem, stream, grant: auth.grants(caller), clock: relay.clock };
        const results = submitLines(body, intake, options);
        // Whatever of the request is left unread then goes with the connection.
        reply.header("connection", "close");
        return sendStream(reply.type(NDJSON_TYPE), Readable.from(results, { objectMode: true, highWaterMark: 1 }));
      }
      const read = readSubmission(body);
      if ("kind" in read) throw Problem.of(read);
      const { uetr } = read;
      const submission = await relay.tracer.span("intake", { uetr }, () => submit(read));
      if (submission.kind === "refused") throw Problem.of(submission);
      if (submission.replayed) reply.header("idempotent-replayed", "true");
      reply.header("location", `/v1/transfers/${uetr}`);
      const acceptance: Acceptance = acceptanceJson(submission.transfer);
      return reply.code(202).send(acceptance);
    },
  );
}

function statusRoutes(app: Routes, { relay }: Context): void {
  app.get(
    "/v1/transfers/:uetr",
    {
      config: { scope: "read" },
      schema: {
        operationId: "getTransfer",
        summary: "Where a transfer stands, and every step on the way there",
        tags: ["transfers"],
        params: uetrParams,
        ...responses({ 200: transferStatusSchema }, ["not-found"]),
      },
    },
    async ({ params }) => {
      const record = await findTransfer(relay.db, relay.ledger.addresses.treasury, parseUetr(params.uetr));
      if (record === undefined) throw new Problem("not-found", "this relay has accepted no such transfer");
      return statusOf(record);
    },
  );
  app.post(
    "/v1/transfers/:uetr/cancel",
    {
      config: { scope: "submit" },
      schema: {
        operationId: "cancelTransfer",
        "x-idempotent": true,
        summary: "Cancel a transfer that is not on its way yet",
        description:
          "Until it is signed into a batch. Repeated, it answers the same; too late, 409 tells where the transfer stands.",
        tags: ["transfers"],
        params: uetrParams,
        ...responses({ 200: transferStatusSchema }, ["not-found", "not-cancellable"]),
      },
    },
    async ({ params }) => {
      const outcome = await cancel(relay, parseUetr(params.uetr));
      if (outcome.kind === "refused") throw Problem.of(outcome);
      return outcome.status;
    },
  );
}

function receiptRoute(app: Routes, { relay }: Context): void {
  app.get(
    "/v1/transfers/:uetr/receipt",
    {
      config: { scope: "read" },
      schema: {
        operationId: "getReceipt",
        summary: "Proof that a transfer settled",
        description:
          "A file that anyone with an RPC endpoint can verify. It reveals the groups of details that are asked for, and no others.",
        tags: ["transfers"],
        params: uetrParams,
        querystring: receiptQuerySchema,
        ...responses({ 200: receiptJsonSchema }, ["not-found", "receipt-not-ready", "erased"]),
      },
    },
    async ({ params, query }) => {
      const wanted = new Set(query.disclose?.split(","));
      const disclose = DETAIL_GROUPS.filter((group) => wanted.has(group));
      const outcome = await buildReceipt(relay, parseUetr(params.uetr), { disclose });
      if (outcome.kind === "refused") throw Problem.of(outcome);
      return receiptToJson(outcome.receipt);
    },
  );
}
