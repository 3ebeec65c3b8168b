import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { isUetr, type Uetr } from "../../domain/uetr.ts";
import { auditActions } from "../access/audit.ts";
import { createAuthenticator } from "../access/auth.ts";
import type { KernelContext } from "../context.ts";
import { instanceOf, type HttpContext, type ServerOptions } from "./context.ts";
import { serveDocumentation } from "./openapi.ts";
import { problemSchema } from "../../schema/problems.ts";
import { Problem, PROBLEM_TYPE, problemJson, problemOf, submissionProblemJson } from "./problem.ts";
import { systemRoutes } from "./system.ts";
import { createStreams } from "./streams.ts";
import { parseStrictJson } from "./strict-json.ts";
import { serializerCompiler, validatorCompiler } from "./validation.ts";

const BODY_LIMIT_BYTES = 65_536;
const MAX_PARAM_LENGTH = 200;
/** A connection on which nothing moves for so long is closed; streams of events have a heartbeat. */
const IDLE_TIMEOUT_MS = 60_000;
/** What may arrive of a stream of transfers before it is read. */
const STREAM_BUFFER_BYTES = 262_144;
/** How long requests may take to end once the server is closing. */
const CLOSING_GRACE_MS = 5_000;
const FAILURES_PER_MINUTE = 60;
const STREAM_LIMITS = { perKey: 32, overall: 500 };
const REQUEST_ID_BYTES = 12;
/** Answers that say when to come again, and when, where nothing else is said. */
const PASSING: ReadonlySet<number> = new Set([429, 503]);
const RETRY_AFTER_SECONDS = "1";

/**
 * The relay's HTTP API, ready to listen. Any number of processes may serve it for one database. `close` lets requests
 * finish, ends streams, and refuses new requests with 503.
 */
export async function createServer(kernel: KernelContext, options: ServerOptions): Promise<FastifyInstance> {
  const closing = new AbortController();
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    connectionTimeout: IDLE_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    // What is served is the relay's own, and takes as long as the machine needs: a busy one is no reason not to start.
    pluginTimeout: 0,
    trustProxy: options.trustProxy ?? false,
    http: { highWaterMark: STREAM_BUFFER_BYTES },
    genReqId: () => `req_${Buffer.from(kernel.drawBytes(REQUEST_ID_BYTES)).toString("hex")}`,
    frameworkErrors: (error, request, reply) => void answerProblem(kernel, error, request, reply),
    clientErrorHandler: (error, socket) => refuseConnection(kernel, error, socket),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => answerProblem(kernel, error, request, reply));
  takeBodies(app);
  app.decorateRequest("caller", undefined);
  app.decorateRequest("audit");

  const auth = createAuthenticator(kernel, { failuresPerMinute: options.failuresPerMinute ?? FAILURES_PER_MINUTE });
  const streams = createStreams(kernel, auth, options.streamLimits ?? STREAM_LIMITS);
  app.addHook("onRequest", async (request, reply) => {
    request.audit = { data: {} };
    reply.header("x-request-id", request.id);
    if (closing.signal.aborted) {
      throw new Problem("unavailable", "the relay is stopping", { headers: { connection: "close" } });
    }
    const { scope } = request.routeOptions.config;
    if (scope !== undefined) await auth.authenticate(request, scope);
  });
  // A body may take its time to arrive: the key is one that works when it has.
  app.addHook("preValidation", async ({ caller }) => {
    const why = caller === undefined ? undefined : await auth.whyEnded(caller, "request");
    if (why !== undefined) throw Problem.of(why);
  });
  app.addHook("preClose", () => {
    closing.abort();
    streams.close();
    // Nobody holds up the stop by not reading what it has sent.
    setTimeout(() => app.server.closeAllConnections(), CLOSING_GRACE_MS).unref();
    return Promise.resolve();
  });
  observe(app, kernel);
  refuseUnknown(app);
  answerByStatus(app, kernel);

  await serveDocumentation(app, kernel.problems, options);
  const http: HttpContext = { auth, streams, closing: closing.signal };
  await app.register(async (api) => {
    auditActions(api, kernel);
    for (const routes of options.routes) await api.register(routes(http));
    await api.register(systemRoutes(kernel, options));
  });
  for (const routes of options.otherRoutes ?? []) await app.register(routes);
  return app;
}

/** JSON that can be understood one way only. What else a feature's routes take, they say themselves. */
function takeBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => {
    try {
      // Asked for as a buffer. An empty one is no body: clients send the type along with DELETE, too.
      done(null, body.length === 0 ? undefined : parseStrictJson(body as Buffer));
    } catch (failure) {
      done(failure instanceof Error ? failure : new Error("unreadable"), undefined);
    }
  });
}

/** Every request is counted and logged: by its route, never by what is in it. */
function observe(app: FastifyInstance, { metrics, log }: KernelContext): void {
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "none";
    const status = String(reply.statusCode);
    metrics.httpSeconds.observe({ method: request.method, route, status }, reply.elapsedTime / 1_000);
    const fields = {
      request: request.id,
      method: request.method,
      route,
      status: reply.statusCode,
      uetr: uetrOf(request),
    };
    log.debug(
      { ...fields, ms: Math.round(reply.elapsedTime), key: request.caller?.id, code: request.audit.code },
      "request",
    );
    done();
  });
}

/** Of a request about a transfer. Anybody can send anything in its place, as a phone number: only a UETR is told. */
function uetrOf({ params }: FastifyRequest): Uetr | undefined {
  // The router makes an object of text.
  const { uetr } = (params ?? {}) as { readonly uetr?: string };
  return uetr !== undefined && isUetr(uetr) ? uetr : undefined;
}

function answerProblem(
  { log, problems }: KernelContext,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { refusal, headers } = problemOf(error);
  if (refusal.code === "internal") log.error({ request: request.id, error }, "a request failed");
  else if (refusal.code === "unavailable") log.warn({ request: request.id, error }, "a request cannot be served now");
  return sendProblem(problems, request, reply, new Problem(refusal.code, refusal.detail, { ...refusal, headers }));
}

function sendProblem(
  problems: KernelContext["problems"],
  request: FastifyRequest,
  reply: FastifyReply,
  { refusal, headers }: Problem,
): FastifyReply {
  const document = request.routeOptions.config.submits === true ? submissionProblemJson : problemJson;
  const problem = document(problems, refusal, instanceOf(request));
  // The hooks, and what they set, have not run for what the framework itself refuses.
  const begun = request.audit as FastifyRequest["audit"] | undefined;
  request.audit = { data: {}, ...begun, code: refusal.code };
  return reply
    .code(problem.status)
    .headers({ ...(PASSING.has(problem.status) ? { "retry-after": RETRY_AFTER_SECONDS } : {}), ...headers })
    .type(PROBLEM_TYPE)
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(problem);
}

/** Each route's problems, by their statuses, among what it answers. */
function answerByStatus(app: FastifyInstance, { problems }: KernelContext): void {
  app.addHook("onRoute", ({ schema }) => {
    if (schema === undefined) return;
    const codes = schema["x-problems"] ?? [];
    const refusals = Object.fromEntries(codes.map((code) => [problems[code].status, problemSchema]));
    // Routes say what they answer by schemas by status; the framework lets it be anything.
    if (codes.length > 0) schema.response = { ...refusals, ...(schema.response as object) };
  });
}

/** A path's version, and what stands before it: every interface that is reached from outside has one. */
const VERSIONED = /^(.*?)\/v([1-9][0-9]{0,4})\//;

/** 404, or 405 where the path is one of ours with other methods. */
function refuseUnknown(app: FastifyInstance): void {
  const routes: { readonly methods: readonly string[]; readonly path: RegExp }[] = [];
  const versions = new Map<string, Set<number>>();
  app.addHook("onRoute", ({ method, url }) => {
    const [, before, version = ""] = VERSIONED.exec(url) ?? [];
    if (before !== undefined) {
      versions.set(before, (versions.get(before) ?? new Set()).add(Number.parseInt(version, 10)));
    }
    if (url.includes("*")) return;
    const pattern = url.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/:[A-Za-z]+/g, "[^/]+");
    routes.push({ methods: [method].flat(), path: new RegExp(`^${pattern}$`) });
  });
  app.setNotFoundHandler((request) => {
    const [path = ""] = request.url.split("?");
    const methods = routes.filter((route) => route.path.test(path)).flatMap((route) => route.methods);
    if (methods.length === 0) {
      const [, before = "", version = ""] = VERSIONED.exec(path) ?? [];
      const spoken = versions.get(before);
      if (spoken === undefined || spoken.has(Number.parseInt(version, 10))) {
        throw new Problem("not-found", "no such resource");
      }
      const known = [...spoken].sort((left, right) => left - right);
      throw new Problem("unsupported-version", `this relay speaks ${before}/v${known.join(`, ${before}/v`)}`, {
        versions: known,
      });
    }
    const allow = [...new Set(methods)].sort().join(", ");
    throw new Problem("method-not-allowed", `the resource has ${allow}`, { headers: { allow } });
  });
}

/** What cannot be read as HTTP at all, or takes too long to arrive. */
function refuseConnection(
  { problems }: KernelContext,
  error: Error & { code?: string },
  socket: NodeJS.WritableStream & { destroyed?: boolean },
): void {
  if (error.code === "ECONNRESET" || socket.destroyed === true || !socket.writable) return;
  const known = problemOf(error).refusal.code;
  const code = known === "internal" || known === "unavailable" ? "malformed-request" : known;
  const problem = problemJson(problems, { kind: "refused", code, detail: "not readable as HTTP" }, "about:blank");
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} \r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
