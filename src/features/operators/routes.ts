import type { RelayContext } from "../context.ts";
import {
  apiKeySchema,
  apiKeysResponseSchema,
  auditQuerySchema,
  auditResponseSchema,
  createKeySchema,
  DEFAULT_RATE_LIMIT,
  erasureResponseSchema,
  erasureSchema,
  keyIdParams,
  newKeySchema,
  rotateKeySchema,
  SCOPES,
  type ApiKeyJson,
} from "../../schema/operator.ts";
import { parseLabel } from "../../domain/text.ts";
import { parseUetr } from "../../domain/uetr.ts";
import { exceeds, issueApiKey, rotateApiKey } from "../../kernel/access/api-keys.ts";
import { eraseByAge, eraseOne } from "./erasure.ts";
import { formatInstant as instant } from "../../domain/instant.ts";
import { findApiKey, listApiKeys, revokeApiKey, type ApiKey } from "../../kernel/access/store.ts";
import { auditAfter } from "../../kernel/access/audit-store.ts";
import { placeOf } from "../../kernel/http/cursors.ts";
import { numberOf } from "../../kernel/store/values.ts";
import { callerOf, type HttpContext, type RoutesOf } from "../../kernel/http/context.ts";
import { Problem } from "../../kernel/http/problem.ts";
import { OF_BODIES, responses, routes, type Routes } from "../../kernel/http/route.ts";

interface Context extends HttpContext {
  readonly relay: RelayContext;
}

/** What the operator of the relay does. Every action is in the audit log, whatever its result. */
export function operatorRoutes(relay: RelayContext): RoutesOf {
  return (http) =>
    routes((app) => {
      const context = { ...http, relay };
      keyRoutes(app, context);
      keyChangeRoutes(app, context);
      auditRoute(app, context);
      dataRoutes(app, context);
    });
}

function keyRoutes(app: Routes, { relay, auth }: Context): void {
  app.post(
    "/v1/keys",
    {
      config: { scope: "operate", action: "keys.create" },
      schema: {
        operationId: "createKey",
        summary: "Make an API key",
        tags: ["operator"],
        body: createKeySchema,
        description:
          "It cannot have more scopes, a higher rate limit or a later end than the key that creates it. If rateLimit or expiresAt is left out, that key's own is used.",
        ...responses({ 201: newKeySchema }, OF_BODIES),
      },
    },
    async (request, reply) => {
      const { body, audit } = request;
      const maker = callerOf(request);
      const label = parseLabel(body.label);
      audit.data = { label, scopes: body.scopes };
      const rateLimit = body.rateLimit ?? Math.min(DEFAULT_RATE_LIMIT, maker.rateLimit);
      const expiresAt = body.expiresAt === undefined ? maker.expiresAt : Date.parse(body.expiresAt);
      const wanted = { label, scopes: body.scopes, rateLimit, expiresAt };
      requireCovered(maker, wanted);
      const { key, text } = await issueApiKey(relay, wanted);
      auth.forget();
      audit.subject = key.id;
      return reply.code(201).send({ ...keyJson(key), key: text });
    },
  );
  app.get(
    "/v1/keys",
    {
      config: { scope: "operate" },
      schema: {
        operationId: "listKeys",
        summary: "All API keys, without their secrets",
        tags: ["operator"],
        ...responses({ 200: apiKeysResponseSchema }),
      },
    },
    async () => ({ keys: (await listApiKeys(relay.db)).map(keyJson) }),
  );
}

function keyChangeRoutes(app: Routes, { relay, auth }: Context): void {
  app.post(
    "/v1/keys/:id/rotate",
    {
      config: { scope: "operate", action: "keys.rotate" },
      schema: {
        operationId: "rotateKey",
        summary: "Rotate a key",
        description:
          "It may do the same, as often, and for as long as the other might have: so only a key that may do all of that itself can ask for it. The other goes on working for the overlap, so that nothing stops while the new one is put in place; streams that were opened with it end, and can be opened again. A key has one successor at most: where the answer was lost, rotate the successor.",
        tags: ["operator"],
        params: keyIdParams,
        body: rotateKeySchema,
        ...responses({ 201: newKeySchema }, [...OF_BODIES, "not-found", "already-rotated"]),
      },
    },
    async (request, reply) => {
      const { params, body, audit } = request;
      const old = await findApiKey(relay.db, params.id);
      // What a key may do does not change, so that what was looked at is what is rotated.
      if (old !== undefined && old.successor === undefined) requireCovered(callerOf(request), old);
      const rotation = await rotateApiKey(relay, params.id, body.overlapSeconds);
      if (rotation.kind === "unknown") throw new Problem("not-found", "no usable API key has this id");
      if (rotation.kind === "has successor") {
        throw new Problem("already-rotated", `its successor is ${rotation.successor}: rotate that one`);
      }
      const { issued } = rotation;
      auth.forget();
      audit.data = { successor: issued.key.id, overlapSeconds: body.overlapSeconds };
      return reply.code(201).send({ ...keyJson(issued.key), key: issued.text });
    },
  );
  app.delete(
    "/v1/keys/:id",
    {
      config: { scope: "operate", action: "keys.revoke" },
      schema: {
        operationId: "revokeKey",
        summary: "End a key, for good",
        description:
          "At once here; within a second in other processes on the same database. Streams that were opened with it end.",
        tags: ["operator"],
        params: keyIdParams,
        ...responses({ 200: apiKeySchema }, ["not-found"]),
      },
    },
    async ({ params }) => {
      const key = await revokeApiKey(relay.db, params.id, relay.clock.nowMs());
      if (key === undefined) throw new Problem("not-found", "there is no API key with this id");
      auth.forget();
      return keyJson(key);
    },
  );
}

function auditRoute(app: Routes, { relay }: Context): void {
  app.get(
    "/v1/audit",
    {
      config: { scope: "operate" },
      schema: {
        operationId: "listAudit",
        summary: "What operators did, and tried to do",
        tags: ["operator"],
        querystring: auditQuerySchema,
        ...responses({ 200: auditResponseSchema }, ["cursor-lost"]),
      },
    },
    async ({ query }) => {
      const { seq: after, cursor } = await placeOf(relay.db, "audit_log", query.after, "after");
      const entries = await auditAfter(relay.db, after, Number.parseInt(query.limit, 10));
      return {
        entries: entries.map(({ seq, at, subject, data, ...rest }) => ({
          ...rest,
          seq: numberOf(seq),
          at: instant(at),
          ...(subject === undefined ? {} : { subject }),
          data: { ...data },
        })),
        next: entries.at(-1)?.id ?? cursor,
      };
    },
  );
}

function dataRoutes(app: Routes, { relay }: Context): void {
  app.post(
    "/v1/erasures",
    {
      config: { scope: "operate", action: "erasures.run" },
      schema: {
        operationId: "erase",
        "x-idempotent": true,
        summary: "Erase personal data",
        description:
          "Of one transfer, or of all that were accepted before a time, which may not be in the future. Only of what is " +
          "finished on both sides: refunded, or credited as far as is known. Everything else is left.",
        tags: ["operator"],
        body: erasureSchema,
        ...responses({ 200: erasureResponseSchema }, [...OF_BODIES, "not-found", "not-final"]),
      },
    },
    async ({ body, audit }) => {
      if (body.uetr === undefined) {
        audit.data = { acceptedBefore: body.acceptedBefore ?? "" };
        const { transfers = 0, payloads = 0 } = await eraseByAge(relay, Date.parse(body.acceptedBefore ?? ""));
        return { erased: transfers, payloads };
      }
      audit.subject = body.uetr;
      const erasure = await eraseOne(relay, parseUetr(body.uetr));
      if (erasure === "unknown") throw new Problem("not-found", "this relay knows no such transfer");
      if (erasure === "in flight") throw new Problem("not-final", "unfinished data still needs its details");
      return { erased: 1, payloads: 0 };
    },
  );
}

/** A key can only hand out what it has itself. */
function requireCovered(maker: ApiKey, wanted: Pick<ApiKey, "scopes" | "rateLimit" | "expiresAt">): void {
  const excess = exceeds(maker, wanted);
  if (excess !== undefined) throw new Problem("forbidden", excess.rule, { field: excess.field });
}

function keyJson({ id, label, scopes, rateLimit, createdAt, expiresAt, revokedAt, successor }: ApiKey): ApiKeyJson {
  return {
    id,
    label,
    scopes: SCOPES.filter((scope) => scopes.includes(scope)),
    rateLimit,
    createdAt: instant(createdAt),
    ...(expiresAt === undefined ? {} : { expiresAt: instant(expiresAt) }),
    ...(revokedAt === undefined ? {} : { revokedAt: instant(revokedAt) }),
    ...(successor === undefined ? {} : { successor }),
  };
}
