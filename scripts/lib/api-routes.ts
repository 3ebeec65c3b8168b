import { readdir } from "node:fs/promises";
import type { OpenAPIV3_1 } from "openapi-types";
import { z } from "zod/v4";

// What the SDK's client can ask for, made from the API's document: a table of routes, with the schemas that their answers
// are checked by.

const METHODS = ["get", "post", "put", "patch", "delete"] as const;
const JSON_TYPE = "application/json";
const SCHEMAS = "../../src/schema/";

type Operation = OpenAPIV3_1.OperationObject & { readonly "x-idempotent"?: true };
interface Route {
  readonly method: (typeof METHODS)[number];
  readonly path: string;
  readonly operation: Operation;
}

/**
 * The routes whose answers are JSON, or nothing. Streams are read by code of their own.
 * @throws Error for one whose answer is checked by no schema that the SDK can import
 */
export async function renderRoutes(document: string): Promise<string> {
  const known = await schemasById();
  const entries: Record<string, string> = {};
  const imported = new Map<string, string>();
  for (const { method, path, operation } of routesOf(readDocument(document))) {
    const name = `${method.toUpperCase()} ${path}`;
    const canRepeat = method === "get" || operation["x-idempotent"] === true;
    const answer = answerOf(operation);
    if (operation.security?.length === 0 || answer.kind === "not json") continue;
    if (answer.kind === "nothing") {
      entries[name] = `{ canRepeat: ${canRepeat} }`;
      continue;
    }
    const found = known.get(answer.schema ?? "");
    if (found === undefined) throw new Error(`${name}: export its answer's schema, with an id, from src/schema`);
    imported.set(found.name, found.file);
    entries[name] = `{ canRepeat: ${canRepeat}, answer: ${found.name} }`;
  }
  const byFile = Map.groupBy(imported, ([, file]) => file);
  const imports = [...byFile].sort().map(([file, names]) => {
    const list = names.map(([name]) => name).sort();
    return `import { ${list.join(", ")} } from "../src/schema/${file}";`;
  });
  const rows = Object.entries(entries).map(([name, entry]) => `${JSON.stringify(name)}: ${entry},`);
  return `// Made by \`npm run openapi\` from docs/openapi.json: change the routes' schemas, not this.
${imports.join("\n")}

/** What can be asked, whether to ask it twice changes nothing, and what its answer is. */
export const ROUTES = {
${rows.join("\n")}
} as const;`;
}

export function readDocument(text: string): OpenAPIV3_1.Document {
  // The document as the server gives it.
  return JSON.parse(text) as OpenAPIV3_1.Document;
}

export function routesOf({ paths = {} }: OpenAPIV3_1.Document): readonly Route[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item?.[method];
      return operation === undefined ? [] : [{ method, path, operation }];
    }),
  );
}

/** Its answers when all is well. */
export function answersOf({ responses = {} }: Operation): [status: string, OpenAPIV3_1.ResponseObject][] {
  return Object.entries(responses).flatMap(([status, response]): [string, OpenAPIV3_1.ResponseObject][] =>
    status.startsWith("2") && !("$ref" in response)
      ? [[status, status === "204" ? withoutBody(response) : response]]
      : [],
  );
}

function withoutBody({ description }: OpenAPIV3_1.ResponseObject): OpenAPIV3_1.ResponseObject {
  return { description };
}

/** What it answers: JSON by the schema of that name, which is undefined where the schema has none. */
type Answer =
  | { readonly kind: "nothing" }
  | { readonly kind: "not json" }
  | { readonly kind: "json"; readonly schema: string | undefined };

function answerOf(operation: Operation): Answer {
  const answers = answersOf(operation);
  if (answers.every(([, { content }]) => content === undefined)) return { kind: "nothing" };
  const [schema, ...more] = answers.flatMap(([, { content }]) => {
    const found = content?.[JSON_TYPE]?.schema;
    return found === undefined ? [] : [found];
  });
  if (schema === undefined) return { kind: "not json" };
  return { kind: "json", schema: more.length === 0 && "$ref" in schema ? schema.$ref.replace(/^.*\//, "") : undefined };
}

/** What src/schema exports, by the names that the document has for it. */
async function schemasById(): Promise<ReadonlyMap<string, { readonly name: string; readonly file: string }>> {
  const found = new Map<string, { readonly name: string; readonly file: string }>();
  for (const file of await readdir(new URL(SCHEMAS, import.meta.url))) {
    const exported = (await import(`${SCHEMAS}${file}`)) as Readonly<Record<string, unknown>>; // a module's exports
    for (const [name, value] of Object.entries(exported)) {
      const id = value instanceof z.ZodType ? value.meta()?.id : undefined;
      if (id !== undefined) found.set(id, { name, file });
    }
  }
  return found;
}
