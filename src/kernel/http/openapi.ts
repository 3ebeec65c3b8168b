import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { OpenAPIV3_1 } from "openapi-types";
import { EVENT_TYPE } from "../../schema/network.ts";
import { PROBLEM, type ProblemCode, type ProblemTable } from "../../schema/problems.ts";
import "../../schema/webhooks.ts";
import type { ServerOptions } from "./context.ts";
import { PROBLEM_TYPE } from "./problem.ts";

const DESCRIPTION = `Cross-border transfers between the wallets of the network. One relay serves one partner.

Amounts are ISO 4217 minor units as decimal text. Errors are problem documents (RFC 9457), by whose \`code\` machines go,
with the ISO 20022 reason where one fits. The UETR, made and kept by the caller before it is sent, makes submitting
idempotent: after any doubt send the same again.`;

/** Serves the OpenAPI document at /openapi.json and a page to read it at /docs. Before the routes are registered. */
export async function serveDocumentation(
  app: FastifyInstance,
  problems: ProblemTable,
  { eventTypes, tags }: Pick<ServerOptions, "eventTypes" | "tags">,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Feiqian relay",
        version: "1",
        description: DESCRIPTION,
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: "/" }],
      tags: [...tags, { name: "system", description: "For those who run the process" }],
      components: {
        securitySchemes: {
          key: { type: "http", scheme: "bearer", bearerFormat: "fq_<id>_<secret>" },
        },
      },
      security: [{ key: [] }],
    },
    // What other relays call is no part of this document.
    hideUntagged: true,
    transform: jsonSchemaTransform,
    // Version 3.1 is what is asked for above.
    transformObject: (input) => finish(jsonSchemaTransformObject(input) as OpenAPIV3_1.Document, problems, eventTypes),
  });
  await app.register(swaggerUi, { routePrefix: "/docs", staticCSP: true });
  app.get("/openapi.json", { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()));
}

type Schemas = NonNullable<OpenAPIV3_1.ComponentsObject["schemas"]>;
type Operation = OpenAPIV3_1.OperationObject & {
  "x-problems"?: readonly ProblemCode[];
  /** Answers of another media type than the route's schema has. */
  "x-also-answers"?: OpenAPIV3_1.ResponsesObject;
};

/** What schemas of routes cannot say: which problems there are, and the media types of problems and streams. */
function finish(
  document: OpenAPIV3_1.Document,
  problems: ProblemTable,
  eventTypes: readonly string[],
): OpenAPIV3_1.Document {
  for (const path of Object.values(document.paths ?? {})) {
    for (const operation of [path?.get, path?.post, path?.delete]) {
      if (operation !== undefined) finishOperation(operation, problems);
    }
  }
  const { schemas = {} } = document.components ?? {};
  for (const name of [EVENT_TYPE, `${EVENT_TYPE}Input`]) {
    if (name in schemas) schemas[name] = { ...schemas[name], enum: [...eventTypes] };
  }
  const { code } = schemas[PROBLEM]?.properties ?? {};
  if (code !== undefined) Object.assign(code, { enum: Object.keys(problems) });
  return withFewerSchemas({ ...document, webhooks: webhooks(eventTypes) });
}

/** What the relay sends to the URLs that a wallet has registered (Standard Webhooks), by type of event. */
function webhooks(eventTypes: readonly string[]): NonNullable<OpenAPIV3_1.Document["webhooks"]> {
  const header = (name: string, description: string): OpenAPIV3_1.ParameterObject => ({
    ...{ name, in: "header", required: true, description },
    schema: { type: "string" },
  });
  const post = (type: string): OpenAPIV3_1.OperationObject => ({
    summary: `The event ${type}`,
    tags: ["events"],
    security: [],
    parameters: [
      header("webhook-id", "The same in every delivery of one event."),
      header("webhook-timestamp", "UTC seconds of this delivery."),
      header("webhook-signature", "HMAC-SHA-256 by the webhook's secret over id, timestamp and body."),
    ],
    requestBody: {
      required: true,
      content: { "application/json": { schema: { $ref: `${SCHEMAS}WebhookBody` } } },
    },
    responses: {
      "2XX": { description: "Accepted. After any other answer it is delivered again, less and less often." },
      "410": { description: "No longer wanted: the relay disables the webhook." },
    },
  });
  const items = eventTypes.map((type) => [type, { post: post(type) }]);
  // The package's types of a path item are those of version 3.0 in places.
  return Object.fromEntries(items) as NonNullable<OpenAPIV3_1.Document["webhooks"]>;
}

function finishOperation(operation: Operation, table: ProblemTable): void {
  const problems = operation["x-problems"] ?? [];
  const also = operation["x-also-answers"] ?? {};
  delete operation["x-problems"];
  delete operation["x-also-answers"];
  for (const [status, response] of Object.entries(operation.responses ?? {})) {
    if ("$ref" in response) continue;
    const codes = problems.filter((code) => String(table[code].status) === status);
    const [content] = Object.values(response.content ?? {});
    response.description = codes.length === 0 ? "As asked for" : `A problem: ${codes.join(", ")}`;
    if (content !== undefined && codes.length > 0) response.content = { [PROBLEM_TYPE]: content };
  }
  operation.responses = { ...also, ...operation.responses };
}

const SCHEMAS = "#/components/schemas/";

/** Of the two that are made of each schema, as it is sent and as it is given, only what is referred to, and differs. */
function withFewerSchemas(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const schemas = document.components?.schemas ?? {};
  const bases = Object.keys(schemas).filter((name) => `${name}Input` in schemas);
  const used = reachable(document, schemas);
  const merged = bases.filter((base) => !used.has(base) || isSame(schemas, base));
  const pattern = new RegExp(`"${SCHEMAS}(${merged.join("|")})Input"`, "g");
  const kept = Object.entries(schemas).flatMap(([name, schema]): [string, Schemas[string]][] => {
    if (!used.has(name)) return [];
    const base = name.replace(/Input$/, "");
    // The document says which dialect its schemas are in; a fragment cannot be the id of one.
    const { $schema: _dialect, $id: _id, ...plain } = schema as Readonly<Record<string, unknown>>; // any schema has members
    return [[merged.includes(base) ? base : name, plain]];
  });
  // In one order, whichever file was loaded first.
  kept.sort(([left], [right]) => (left < right ? -1 : 1));
  const text = JSON.stringify({
    ...document,
    components: { ...document.components, schemas: Object.fromEntries(kept) },
  });
  // The same document, with some names changed.
  return JSON.parse(text.replace(pattern, (_, base: string) => `"${SCHEMAS}${base}"`)) as OpenAPIV3_1.Document;
}

/** Whether what is sent may be whatever is given, but for what JSON schema says of members that are not known. */
function isSame(schemas: Schemas, base: string): boolean {
  const [given, sent] = [base, `${base}Input`].map((name) =>
    JSON.stringify(schemas[name]).replaceAll('Input"', '"').replaceAll(',"additionalProperties":false', ""),
  );
  return given === sent;
}

function reachable(document: OpenAPIV3_1.Document, schemas: Schemas): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [JSON.stringify([document.paths, document.webhooks])];
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    for (const [, name = ""] of text.matchAll(new RegExp(`"${SCHEMAS}([^"]+)"`, "g"))) {
      if (found.has(name)) continue;
      found.add(name);
      open.push(JSON.stringify(schemas[name] ?? {}));
    }
  }
  return found;
}
