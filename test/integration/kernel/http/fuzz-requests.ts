import { request as httpRequest, type Agent } from "node:http";
import fc from "fast-check";

/** The part of an OpenAPI document that requests are made from. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly examples?: readonly unknown[];
  readonly example?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header" | "cookie";
  readonly required?: boolean;
  readonly schema?: Schema;
}

export interface OperationJson {
  readonly operationId?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> };
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationJson>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

export interface Operation {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** By media type. */
  readonly bodies: ReadonlyMap<string, Schema>;
}

export interface Request {
  /** Which address of this machine it comes from: who keeps failing from one of them is not listened to any more. */
  readonly from: string;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const METHODS = ["get", "post", "put", "patch", "delete"];

export function operationsOf({ paths }: OpenApi): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method): Operation[] => {
      const operation = item[method];
      if (operation === undefined) return [];
      const { parameters = [], requestBody } = operation;
      const bodies = Object.entries(requestBody?.content ?? {}).map(
        ([type, { schema = {} }]) => [type, schema] as const,
      );
      const name = `${method.toUpperCase()} ${path}`;
      return [{ name, method: method.toUpperCase(), path, parameters, bodies: new Map(bodies) }];
    }),
  );
}

// JSON as text, for what is sent need not be JSON.

const HUGE_DIGITS = "9".repeat(1_000_000);
const DEEP = 20_000;
/** What a program that is not careful stumbles over, as JSON text. */
const NASTY: readonly string[] = [
  ...["null", "true", "false", "0", "-1", "-0", "1.5", "1e308", "1e400", "-1e-400", "9007199254740993", "[]", "{}"],
  ...['""', '" "', '"0"', '"-1"', '"+1"', '"1.0"', '"1e3"', '"01"', '"0x10"', '"NaN"', '"١٢٣"', '"１２３"'],
  `"${"9".repeat(40)}"`,
  '"340282366920938463463374607431768211456"',
  '"\\u0000"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"a\\u0000b"',
  '"\\u202e\\u202dRTL مرحبا"',
  '"👩‍👩‍👧‍👦🇵🇭"',
  '"\\ufeff"',
  '"e\\u0301\\u0301\\u0301"',
  `"${"z\u0322\u0301".repeat(200)}"`,
  '"\'; DROP TABLE transfers; --"',
  '"../../etc/passwd"',
  '"${jndi:ldap://x}"',
  '"__proto__"',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{}}}',
  '{"toString":1,"then":1}',
  `"${"x".repeat(30_000)}"`,
  `[${"1,".repeat(5_000)}1]`,
  `${"[".repeat(40)}${"]".repeat(40)}`,
  '{"$ref":"#"}',
];
/** Whole bodies that are wrong in themselves. */
const BROKEN: readonly string[] = [
  ...[
    "",
    " ",
    "{",
    "}",
    "[",
    '"',
    "nul",
    "{]",
    "{,}",
    '{"a":}',
    "{'a':1}",
    "[1,]",
    "\u0000",
    "\ufeff{}",
    "// {}",
    "NaN",
  ],
  HUGE_DIGITS,
  `{"uetr":${HUGE_DIGITS}}`,
  `{"amount":{"send":{"currency":"HKD","minor":"${HUGE_DIGITS}"}}}`,
  "[".repeat(DEEP),
  `${"[".repeat(DEEP)}${"]".repeat(DEEP)}`,
  `${'{"a":'.repeat(8_000)}1${"}".repeat(8_000)}`,
  '{"a":1,"a":2}',
  '{"a":1,"\\u0061":2}',
];

/** JSON text that mostly follows a schema. */
function jsonText(schema: Schema, resolve: (ref: string) => Schema): fc.Arbitrary<string> {
  const nasty = fc.constantFrom(...NASTY);
  return fc.oneof({ weight: 12, arbitrary: validText(schema, resolve) }, { weight: 1, arbitrary: nasty });
}

function validText(schema: Schema, resolve: (ref: string) => Schema): fc.Arbitrary<string> {
  const { $ref, anyOf, oneOf, allOf, properties, items } = schema;
  if ($ref !== undefined) return validText(resolve($ref), resolve);
  const given = [...(schema.examples ?? []), ...(schema.example === undefined ? [] : [schema.example])];
  const choices = anyOf ?? oneOf;
  if (schema.const !== undefined) return fc.constant(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum.map((value) => JSON.stringify(value)));
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => jsonText(choice, resolve)));
  if (allOf !== undefined) return fc.oneof(...allOf.map((part) => jsonText(part, resolve)));
  if (properties !== undefined) return objectText(schema, properties, resolve);
  if (items !== undefined) {
    return fc.array(jsonText(items, resolve), { maxLength: 4 }).map((texts) => `[${texts.join(",")}]`);
  }
  const examples = given.map((value) => ({ weight: 4, arbitrary: fc.constant(JSON.stringify(value)) }));
  return fc.oneof(...examples, { weight: 1, arbitrary: scalarText(schema) });
}

function scalarText({ type, minimum = 0, maximum = 1_000_000, ...text }: Schema): fc.Arbitrary<string> {
  if (type === "integer" || type === "number") return fc.integer({ min: minimum, max: maximum }).map(String);
  if (type === "boolean") return fc.boolean().map(String);
  return textOf(text).map((value) => JSON.stringify(value));
}

/** Text as a schema of strings has it. */
function textOf({ pattern, minLength = 0, maxLength = 60 }: Schema): fc.Arbitrary<string> {
  if (pattern !== undefined) {
    try {
      return fc.stringMatching(new RegExp(pattern));
    } catch {
      // A pattern that cannot be generated from: text of about the right length.
    }
  }
  return fc.string({ unit: "grapheme", minLength, maxLength: Math.max(minLength, Math.min(maxLength, 60)) });
}

/** Members as the schema's example has them, where there is one, or else made up; some left out, some twice. */
function objectText(
  { required = [], examples = [] }: Schema,
  properties: Readonly<Record<string, Schema>>,
  resolve: (ref: string) => Schema,
): fc.Arbitrary<string> {
  const example = new Map(Object.entries((examples[0] ?? {}) as Readonly<Record<string, unknown>>));
  const members = Object.entries(properties).map(([name, schema]) => {
    const usual = example.has(name) ? [{ weight: 9, arbitrary: fc.constant(JSON.stringify(example.get(name))) }] : [];
    const text = fc.oneof(...usual, { weight: 1, arbitrary: jsonText(schema, resolve) });
    const isRare = !required.includes(name) && example.size > 0;
    return fc.tuple(text, fc.nat(99)).map(([value, draw]) => {
      const member = `${JSON.stringify(name)}:${value}`;
      if (draw < (required.includes(name) ? 2 : isRare ? 80 : 40)) return [];
      return draw >= 99 ? [member, member] : [member];
    });
  });
  const extra = fc.oneof(
    { weight: 25, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: fc.constantFrom(...NASTY).map((text) => [`"unknown":${text}`]) },
  );
  return fc.tuple(fc.tuple(...members), extra).map(([parts, more]) => `{${[...parts.flat(), ...more].join(",")}}`);
}

/** How large a body the API takes: at the limit and above, padded with spaces, and text that is not UTF-8. */
function bodyBytes(text: string, limit: number): fc.Arbitrary<Uint8Array> {
  const bytes = Buffer.from(text, "utf8");
  const padded = (size: number) =>
    fc.constant(Buffer.concat([bytes, Buffer.alloc(Math.max(0, size - bytes.length), " ")]));
  return fc.oneof(
    { weight: 30, arbitrary: fc.constant(bytes) },
    { weight: 1, arbitrary: padded(limit) },
    { weight: 1, arbitrary: padded(limit + 1) },
    { weight: 1, arbitrary: padded(4 * limit) },
    { weight: 1, arbitrary: fc.constant(Buffer.concat([Buffer.from([0xff, 0xfe, 0xc0, 0x80]), bytes])) },
    { weight: 1, arbitrary: fc.constant(bytes.subarray(0, Math.floor(bytes.length / 2))) },
  );
}

const PATH_GARBAGE = [
  ...["%00", "%ff", "%c0%af", "..%2f..%2fetc", "%", "%zz", "-", "0", "null", "undefined", "__proto__", "%F0%9F%92%A9"],
  ...["x".repeat(199), "x".repeat(201), "x".repeat(20_000), "%E2%80%AE", "a%0d%0ab", "*", "~", ":id", "1e9", "-1"],
];
const QUERY_GARBAGE = [
  ...["after=-1", "after=1e9", "after=99999999999999999999", "after=0&after=1", "limit=0", "limit=1001", "limit=%00"],
  ...["type=", "type=%ff", "unknown=1", "__proto__[x]=1", "a[b][c]=d", "=", "&&&", "%", `x=${"y".repeat(10_000)}`],
];
const CONTENT_TYPES = [
  ...["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/json; charset=utf-16", "json"],
  ...["application/x-www-form-urlencoded", "APPLICATION/JSON", "application/json;", "application/x-ndjson", "*/*", ";"],
];
const OTHER_METHODS = ["PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "DELETE", "GET", "POST"];

export interface Callers {
  /** May do everything. */
  readonly full: string;
  /** Whose header is wrong, or who lacks the scope. */
  readonly others: readonly string[];
}

/** A request to an operation: mostly well-formed, often wrong in one thing. */
export function requestTo(
  operation: Operation,
  { components }: OpenApi,
  callers: Callers,
  idsOf: (parameter: string) => readonly string[],
  bodyLimit: number,
): fc.Arbitrary<Request> {
  const resolve = (ref: string): Schema => components?.schemas?.[ref.split("/").at(-1) ?? ""] ?? {};
  const rarely = (usual: fc.Arbitrary<string>, garbage: readonly string[], weight = 8) =>
    fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: fc.constantFrom(...garbage) });

  const target = fc.tuple(pathOf(operation, idsOf), queryOf(operation)).map(([path, query]) => `${path}${query}`);
  const [[type, schema] = [undefined, {}], ...more] = operation.bodies;
  const contentType = rarely(
    fc.constantFrom(...[type ?? "application/json", ...more.map(([name]) => name)]),
    CONTENT_TYPES,
    12,
  );
  const text = fc.oneof(
    { weight: 10, arbitrary: jsonText(schema, resolve) },
    { weight: 1, arbitrary: fc.constantFrom(...BROKEN) },
  );
  const body = text.chain((sent) => bodyBytes(sent, bodyLimit));
  const hasBody = type !== undefined;
  return fc
    .record({
      from: fc
        .tuple(fc.nat(255), fc.nat(255), fc.integer({ min: 1, max: 254 }))
        .map((parts) => `127.${parts.join(".")}`),
      method: rarely(fc.constant(operation.method), OTHER_METHODS, 20),
      target,
      authorization: rarely(fc.constant(callers.full), callers.others),
      contentType: fc.option(contentType, { freq: 20 }),
      // Bodies where none belongs, too; and none where one does.
      body: fc.option(body, { freq: hasBody ? 20 : 1 }),
    })
    .map(({ from, method, target, authorization, contentType, body }) => ({
      from,
      method,
      target,
      headers: {
        ...(authorization === "" ? {} : { authorization }),
        ...(contentType === null || (body === null && !hasBody) ? {} : { "content-type": contentType }),
      },
      body: body ?? undefined,
    }));
}

function pathOf({ path }: Operation, idsOf: (parameter: string) => readonly string[]): fc.Arbitrary<string> {
  const parts = path.split("/").map((part): fc.Arbitrary<string> => {
    const name = /^\{(.+)\}$/.exec(part)?.[1];
    if (name === undefined) return fc.constant(part);
    return fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...idsOf(name)) },
      { weight: 1, arbitrary: fc.constantFrom(...PATH_GARBAGE) },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }).map(encodeLoosely) },
    );
  });
  return fc.tuple(...parts).map((all) => all.join("/"));
}

function queryOf({ parameters }: Operation): fc.Arbitrary<string> {
  const query = parameters.filter((parameter) => parameter.in === "query");
  const texts = query.map(({ name, schema = {} }) => {
    const usual = textOf(schema).map(encodeURIComponent);
    const odd = fc.string({ unit: "binary" }).map(encodeLoosely);
    const value = fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: odd });
    return fc.option(value.map((text) => `${name}=${text}`));
  });
  const garbage = fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constantFrom(...QUERY_GARBAGE) },
  );
  return fc.tuple(fc.tuple(...texts), garbage).map(([given, more]) => {
    const all = [...given, more].filter((text) => text !== null);
    return all.length === 0 ? "" : `?${all.join("&")}`;
  });
}

/** Any text as bytes that are mostly not UTF-8: lone surrogates could not be encoded otherwise. */
function encodeLoosely(text: string): string {
  return [...Buffer.from(text, "utf16le")].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}

/** Sends a request as it is, and waits for the whole answer, or for the head of a stream of events. */
export function send(
  base: URL,
  agent: Agent,
  { from, method, target, headers, body }: Request,
  timeoutMs: number,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        agent,
        localAddress: from,
        host: base.hostname,
        port: base.port,
        method,
        path: target,
        headers: withLength(headers, body),
      },
      (response) => {
        const type = response.headers["content-type"] ?? "";
        const chunks: Buffer[] = [];
        const finish = (): void => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, type, text: Buffer.concat(chunks).toString("utf8") });
        };
        if (type.startsWith("text/event-stream")) {
          finish();
          response.destroy();
          return;
        }
        response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", finish);
        response.on("error", reject);
      },
    );
    const timer = setTimeout(() => {
      outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    outgoing.on("error", (failure: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(failure);
    });
    outgoing.end(body);
  });
}

function withLength(headers: Readonly<Record<string, string>>, body: Uint8Array | undefined): Record<string, string> {
  return { ...headers, ...(body === undefined ? {} : { "content-length": String(body.length) }) };
}
