import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { format, resolveConfig } from "prettier";
import { z } from "zod/v4";
import { renderRoutes } from "../../../../scripts/lib/api-routes.ts";
import { renderApiTypes } from "../../../../scripts/lib/api-types.ts";
import { renderOpenApi } from "../../../../scripts/openapi.ts";
import "../../../../src/schema/operator.ts";
import { eventTypesOf } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";
import { PROBLEMS } from "../../../../sdk/problems.ts";
import { ROUTES } from "../../../../sdk/routes.ts";
import { REASONS } from "../../../../src/domain/reason.ts";

interface Operation {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>;
  readonly security?: readonly object[];
}
interface Schema {
  readonly enum?: readonly string[];
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, { readonly enum?: readonly string[] }>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly webhooks: Readonly<Record<string, object>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

describe("OpenAPI document", () => {
  let text: string;
  let document: Document;

  before(async function () {
    text = await renderOpenApi();
    document = JSON.parse(text) as Document;
  });

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
    );

  it("is what is committed", async () => {
    expect(await readFile("docs/openapi.json", "utf8"), "run node scripts/openapi.ts").to.equal(text);
  });

  it("is OpenAPI 3.1, and every reference leads somewhere", () => {
    expect(document.openapi).to.match(/^3\.1\./);
    const names = new Set(Object.keys(document.components.schemas));
    const references = [...text.matchAll(/"\$ref": "([^"]+)"/g)].map(([, reference]) => reference ?? "");
    expect(references).not.to.have.length(0);
    for (const reference of references) {
      const [, name = ""] = /^#\/components\/schemas\/(.+)$/.exec(reference) ?? [];
      expect(names.has(name), reference).to.equal(true);
    }
  });

  it("lists the codes, reasons and types of events that there are, and a webhook for each of those", () => {
    const { Problem: problem, EventType: eventType } = document.components.schemas;
    expect(problem?.properties?.["code"]?.enum).to.deep.equal(Object.keys(PROBLEMS));
    expect(problem?.properties?.["reason"]?.enum).to.deep.equal(Object.keys(REASONS));
    expect(eventType?.enum).to.deep.equal(eventTypesOf(FEATURES));
    expect(Object.keys(document.webhooks)).to.deep.equal(eventTypesOf(FEATURES));
    expect(text).to.include('"$ref": "#/components/schemas/WebhookBody"');
  });

  it("names every operation once, with its parameters, answers and problems", () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).to.equal(ids.length);
    expect(ids).to.include.members(["submitTransfer", "streamEvents", "createKey", "lookupPayee", "getReceipt"]);
    const statuses = new Set(Object.values(PROBLEMS).map(({ status }) => String(status)));
    for (const { name, path, operation } of operations()) {
      expect(operation.operationId, name).to.be.a("string");
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const declared = operation.parameters
        ?.filter((parameter) => parameter.in === "path")
        .map((parameter) => parameter.name);
      expect(declared ?? [], name).to.have.members(inPath);
      const codes = Object.keys(operation.responses);
      expect(
        codes.some((code) => code.startsWith("2")),
        name,
      ).to.equal(true);
      if (operation.tags?.includes("system") === true) continue;
      expect(codes, name).to.include.members(["401", "403", "429", "500", "503"]);
      for (const [code, { content }] of Object.entries(operation.responses)) {
        if (!statuses.has(code)) continue;
        expect(Object.keys(content ?? {}), `${name} ${code}`).to.deep.equal(["application/problem+json"]);
      }
    }
  });

  it("is what the SDK's types and routes are made from", async () => {
    for (const [file, made] of [
      ["sdk/api.ts", await renderApiTypes(text)],
      ["sdk/routes.ts", await renderRoutes(text)],
    ] as const) {
      const laidOut = await format(made, { ...(await resolveConfig(file)), filepath: file });
      expect(await readFile(file, "utf8"), `${file}: run npm run openapi`).to.equal(laidOut);
    }
  });

  it("has every route that asks for a key among those of the SDK, but for the stream of events", () => {
    const asked = operations().filter(({ operation }) => operation.security?.length !== 0);
    const names = asked.map(({ name }) => name.replace(/^\w+/, (method) => method.toUpperCase()));
    expect(Object.keys(ROUTES)).to.have.members(names.filter((name) => name !== "GET /v1/events/stream"));
    const notTwice = Object.entries(ROUTES).filter(([, { canRepeat }]) => !canRepeat);
    expect(notTwice.map(([name]) => name)).to.have.members([
      "POST /v1/webhooks",
      "DELETE /v1/webhooks/{id}",
      "POST /v1/keys",
      "POST /v1/keys/{id}/rotate",
      "DELETE /v1/keys/{id}",
    ]);
  });

  it("has a route whose answer the SDK cannot check refused, by its name", async () => {
    const other = structuredClone(document) as { paths: Record<string, object> };
    other.paths = {
      "/v1/moods": { get: { responses: { 200: { content: { "application/json": { schema: { type: "string" } } } } } } },
    };
    const failure: unknown = await renderRoutes(JSON.stringify(other)).catch((caught: unknown) => caught);
    expect(failure)
      .to.be.instanceOf(Error)
      .with.property("message")
      .that.matches(/^GET \/v1\/moods: export /);
  });

  it("has examples that its own schemas take", () => {
    let examples = 0;
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      for (const example of schema.examples ?? []) {
        const [own] = [...registered()].filter(({ id }) => id === name || `${id}Input` === name);
        expect(own?.schema.safeParse(example).success, `${name}: ${JSON.stringify(example)}`).to.equal(true);
        examples += 1;
      }
    }
    expect(examples).to.be.at.least(4);
  });

  function* registered(): Generator<{ readonly id: string; readonly schema: z.ZodType }> {
    // The registry keeps what its schemas were described with, by id.
    const ids = (z.globalRegistry as unknown as { _idmap: Map<string, z.ZodType> })._idmap;
    for (const [id, schema] of ids) yield { id, schema };
  }
});
