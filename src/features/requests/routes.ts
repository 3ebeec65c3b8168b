import { z } from "zod/v4";
import { isPartnerId, parsePartnerId } from "../../domain/partner.ts";
import { uetrSchema } from "../../schema/fields.ts";
import {
  createRequestSchema,
  paymentRequestSchema,
  billersResponseSchema,
  billLookupSchema,
  resolvedRequestSchema,
  resolveRequestSchema,
} from "../../schema/requests.ts";
import { callerOf, type RoutesOf } from "../../kernel/http/context.ts";
import { Problem } from "../../kernel/http/problem.ts";
import { OF_BODIES, responses, routes, type Routes } from "../../kernel/http/route.ts";
import type { RelayContext } from "../context.ts";
import { cancelRequest, createRequest, findRequest } from "./requests.ts";
import { findBillers, resolveBill, resolveCode } from "./resolve.ts";

const partnerParams = z.strictObject({
  partner: z.string().refine(isPartnerId, "a partner's number, from 1 to 65535"),
});
const requestParams = z.strictObject({ id: uetrSchema });

/** What a payee's wallet asks for, and what a payer's wallet makes of a code. */
export function requestRoutes(relay: RelayContext): RoutesOf {
  return () =>
    routes((app) => {
      ownRoutes(app, relay);
      resolveRoute(app, relay);
      billRoutes(app, relay);
    });
}

function ownRoutes(app: Routes, relay: RelayContext): void {
  app.post(
    "/v1/requests",
    {
      config: { scope: "submit" },
      schema: {
        operationId: "createRequest",
        "x-idempotent": true,
        summary: "Ask to be paid by anybody in the network",
        description:
          "Its code is shown as a QR code, or sent. Customers of other partners pay it by a transfer; the payee's relay " +
          "compares each with the request before the wallet is asked. The same id with the same content has the same answer.",
        tags: ["requests"],
        body: createRequestSchema,
        ...responses({ 201: paymentRequestSchema }, [...OF_BODIES, "request-conflict", "corridor-closed", "erased"]),
      },
    },
    async ({ body }, reply) => {
      const made = await createRequest(relay, body);
      if (made.kind === "refused") throw Problem.of(made);
      if (!made.isNew) reply.header("idempotent-replayed", "true");
      return reply.code(201).header("location", `/v1/requests/${body.id}`).send(made.request);
    },
  );
  app.get(
    "/v1/requests/:id",
    {
      config: { scope: "read" },
      schema: {
        operationId: "getRequest",
        summary: "How a request stands, and what has paid it",
        tags: ["requests"],
        params: requestParams,
        ...responses({ 200: paymentRequestSchema }, ["request-not-found", "erased"]),
      },
    },
    async ({ params }) => {
      const found = await findRequest(relay, params.id);
      if (found.kind === "refused") throw Problem.of(found);
      return found.request;
    },
  );
  app.post(
    "/v1/requests/:id/cancel",
    {
      config: { scope: "submit" },
      schema: {
        operationId: "cancelRequest",
        "x-idempotent": true,
        summary: "Withdraw a request",
        description:
          "Repeated, it answers the same. One that is paid once, and is or is being paid, cannot be withdrawn.",
        tags: ["requests"],
        params: requestParams,
        ...responses({ 200: paymentRequestSchema }, ["request-not-found", "request-not-cancellable", "erased"]),
      },
    },
    async ({ params }) => {
      const cancelled = await cancelRequest(relay, params.id);
      if (cancelled.kind === "refused") throw Problem.of(cancelled);
      return cancelled.request;
    },
  );
}

function resolveRoute(app: Routes, relay: RelayContext): void {
  app.post(
    "/v1/requests/resolve",
    {
      config: { scope: "submit", action: "requests.resolve" },
      schema: {
        operationId: "resolveRequest",
        "x-idempotent": true,
        summary: "What a scanned code asks to be paid",
        description:
          "Told and signed by the payee's partner: of the code itself nothing is believed. Show the payer name and amount " +
          "before you send a transfer for it. Counted with look-ups of payees.",
        tags: ["requests"],
        body: resolveRequestSchema,
        ...responses({ 200: resolvedRequestSchema }, [
          ...OF_BODIES,
          "request-not-found",
          "code-altered",
          "unknown-partner",
          "partner-unavailable",
        ]),
      },
    },
    async (request) => {
      const resolved = await resolveCode(relay, `key:${callerOf(request).id}`, request.body.code);
      if (resolved.kind === "refused") throw Problem.of(resolved);
      const { id, target } = resolved.request;
      request.audit.subject = id;
      request.audit.data = { target };
      return resolved.request;
    },
  );
}

function billRoutes(app: Routes, relay: RelayContext): void {
  app.get(
    "/v1/billers/:partner",
    {
      config: { scope: "submit" },
      schema: {
        operationId: "listBillers",
        summary: "Whose bills are paid at a partner, and what their references look like",
        tags: ["requests"],
        params: partnerParams,
        ...responses({ 200: billersResponseSchema }, ["unknown-partner", "partner-unavailable"]),
      },
    },
    async (request) => {
      const asker = `key:${callerOf(request).id}`;
      const found = await findBillers(relay, asker, parsePartnerId(request.params.partner, "partner"));
      if (found.kind === "refused") throw Problem.of(found);
      return { billers: found.billers.map((biller) => ({ ...biller })) };
    },
  );
  app.post(
    "/v1/bills/lookup",
    {
      config: { scope: "submit", action: "bills.lookup" },
      schema: {
        operationId: "lookupBill",
        "x-idempotent": true,
        summary: "What is due on a bill",
        description:
          "As a request, signed by the biller's partner, that is paid as any other; its purpose is UBIL as a rule. Counted with " +
          "look-ups of payees.",
        tags: ["requests"],
        body: billLookupSchema,
        ...responses({ 200: resolvedRequestSchema }, [
          ...OF_BODIES,
          "bill-not-found",
          "unknown-partner",
          "partner-unavailable",
        ]),
      },
    },
    async (request) => {
      const { body, audit } = request;
      audit.data = { target: body.target };
      const found = await resolveBill(relay, `key:${callerOf(request).id}`, body);
      if (found.kind === "refused") throw Problem.of(found);
      audit.subject = found.request.id;
      return found.request;
    },
  );
}
