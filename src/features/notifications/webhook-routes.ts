import type { RelayContext } from "../context.ts";
import { z } from "zod/v4";
import {
  createWebhookSchema,
  deliveriesQuerySchema,
  deliveriesResponseSchema,
  deliveryParams,
  newWebhookSchema,
  redeliverySchema,
  webhookIdParams,
  webhooksResponseSchema,
  type DeliveryJson,
} from "../../schema/operator.ts";
import { formatInstant as instant } from "../../domain/instant.ts";
import { eventJson } from "./event-json.ts";
import { registerWebhook, replayDelivery, webhookJson } from "./webhooks.ts";
import { deleteWebhook, listDeliveries, listWebhooks, type Delivery } from "./store.ts";
import type { RoutesOf } from "../../kernel/http/context.ts";
import { Problem } from "../../kernel/http/problem.ts";
import { OF_BODIES, responses, routes, type Routes } from "../../kernel/http/route.ts";

/** Where events are delivered to, and what could not be. Every action is in the audit log. */
export function webhookRoutes(relay: RelayContext): RoutesOf {
  return () =>
    routes((app) => {
      endpointRoutes(app, relay);
      deliveryRoutes(app, relay);
    });
}

function endpointRoutes(app: Routes, relay: RelayContext): void {
  app.post(
    "/v1/webhooks",
    {
      config: { scope: "operate", action: "webhooks.create" },
      schema: {
        operationId: "createWebhook",
        summary: "Deliver events from now on",
        tags: ["operator"],
        body: createWebhookSchema,
        ...responses({ 201: newWebhookSchema }, OF_BODIES),
      },
    },
    async ({ body, audit }, reply) => {
      const webhook = await registerWebhook(relay, body);
      audit.subject = webhook.id;
      audit.data = { host: new URL(webhook.url).host, types: body.types };
      return reply.code(201).send(webhook);
    },
  );
  app.get(
    "/v1/webhooks",
    {
      config: { scope: "operate" },
      schema: {
        operationId: "listWebhooks",
        summary: "Where events are delivered to",
        tags: ["operator"],
        ...responses({ 200: webhooksResponseSchema }),
      },
    },
    async () => ({ webhooks: (await listWebhooks(relay.db)).map(webhookJson) }),
  );
  app.delete(
    "/v1/webhooks/:id",
    {
      config: { scope: "operate", action: "webhooks.delete" },
      schema: {
        operationId: "deleteWebhook",
        summary: "Stop delivering, and drop what was not delivered",
        tags: ["operator"],
        params: webhookIdParams,
        ...responses({ 204: z.null() }, ["not-found"]),
      },
    },
    async ({ params }, reply) => {
      if (!(await relay.db.transaction((tx) => deleteWebhook(tx, params.id)))) {
        throw new Problem("not-found", "there is no webhook with this id");
      }
      return reply.code(204).send(null);
    },
  );
}

function deliveryRoutes(app: Routes, relay: RelayContext): void {
  app.get(
    "/v1/webhooks/deliveries",
    {
      config: { scope: "operate" },
      schema: {
        operationId: "listDeliveries",
        summary: "Deliveries that were given up, or are still due",
        tags: ["operator"],
        querystring: deliveriesQuerySchema,
        ...responses({ 200: deliveriesResponseSchema }),
      },
    },
    async ({ query }) => {
      const deliveries = await listDeliveries(relay.db, query.state, Number.parseInt(query.limit, 10));
      return { deliveries: deliveries.map(deliveryJson) };
    },
  );
  app.post(
    "/v1/webhooks/:id/deliveries/:event/replay",
    {
      config: { scope: "operate", action: "deliveries.replay" },
      schema: {
        operationId: "replayDelivery",
        "x-idempotent": true,
        summary: "Deliver an event once more",
        tags: ["operator"],
        params: deliveryParams,
        ...responses({ 202: redeliverySchema }, ["not-found"]),
      },
    },
    async ({ params, audit }, reply) => {
      audit.data = { event: params.event };
      if (!(await replayDelivery(relay, params.id, params.event))) {
        throw new Problem("not-found", "there is no such active webhook, or no such event");
      }
      return reply.code(202).send({ webhook: params.id, event: params.event });
    },
  );
}

function deliveryJson({ webhook, event, attempts, lastError, nextAttemptAt, deadAt }: Delivery): DeliveryJson {
  return {
    webhook,
    attempts,
    ...(lastError === undefined ? {} : { lastError }),
    ...(deadAt === undefined ? { nextAttemptAt: instant(nextAttemptAt) } : { deadAt: instant(deadAt) }),
    event: eventJson(event),
  };
}
