import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { isUetr, type Uetr } from "../domain/uetr.ts";
import type { RelayContext } from "../relay/context.ts";
import { createIntake } from "../relay/intake.ts";
import { auditActions } from "./audit.ts";
import { createAuthenticator } from "./auth.ts";
import { instanceOf, type ApiContext, type ServerExtras } from "./context.ts";
import { createEventFeed } from "./event-feed.ts";
import { NDJSON_TYPE } from "./ndjson.ts";
import { serveDocumentation } from "./openapi.ts";
import { Problem, PROBLEM_TYPE, problemJson, problemOf, submissionProblemJson } from "./problem.ts";
import { eventRoutes } from "./routes/events.ts";
import { networkRoutes } from "./routes/network.ts";
import { operatorRoutes } from "./routes/operator.ts";
import { systemRoutes } from "./routes/system.ts";
import { transferRoutes } from "./routes/transfers.ts";
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
export async function createServer(relay: RelayContext, extras: ServerExtras): Promise<FastifyInstance> {
  const closing = new AbortController();
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    connectionTimeout: IDLE_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    trustProxy: extras.trustProxy ?? false,
    http: { highWaterMark: STREAM_BUFFER_BYTES },
    genReqId: () => `req_${Buffer.from(relay.drawBytes(REQUEST_ID_BYTES)).toString("hex")}`,
    frameworkErrors: (error, request, reply) => void answerProblem(relay, error, request, reply),
    clientErrorHandler: refuseConnection,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => answerProblem(relay, error, request, reply));
  takeBodies(app);
  app.decorateRequest("caller", undefined);
  app.decorateRequest("audit");

  const intake = createIntake(relay);
  const feed = createEventFeed(relay);
  const auth = createAuthenticator(relay, { failuresPerMinute: extras.failuresPerMinute ?? FAILURES_PER_MINUTE });
  const streams = createStreams(relay, auth, extras.streamLimits ?? STREAM_LIMITS);
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
    feed.close();
    streams.close();
    // Nobody holds the relay up by not reading what it has sent.
    setTimeout(() => app.server.closeAllConnections(), CLOSING_GRACE_MS).unref();
    return Promise.resolve();
  });
  observe(app, relay);
  refuseUnknown(app);

  await serveDocumentation(app);
  const context: ApiContext = { relay, extras, intake, auth, feed, streams, closing: closing.signal };
  await app.register(async (api) => {
    auditActions(api, relay);
    await api.register(networkRoutes(context));
    await api.register(transferRoutes(context));
    await api.register(eventRoutes(context));
    await api.register(operatorRoutes(context));
    await api.register(systemRoutes(context));
  });
  if (extras.peerRoutes !== undefined) await app.register(extras.peerRoutes);
  return app;
}

/** JSON that can be understood one way only, and streams of lines as they come. Nothing else is taken. */
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
  app.addContentTypeParser(NDJSON_TYPE, (_request, payload, done) => done(null, payload));
}

/** Every request is counted and logged: by its route, never by what is in it. */
function observe(app: FastifyInstance, { metrics, log }: RelayContext): void {
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
  { log }: RelayContext,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { refusal, headers } = problemOf(error);
  if (refusal.code === "internal") log.error({ request: request.id, error }, "a request failed");
  else if (refusal.code === "unavailable") log.warn({ request: request.id, error }, "a request cannot be served now");
  return sendProblem(request, reply, new Problem(refusal.code, refusal.detail, { ...refusal, headers }));
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, { refusal, headers }: Problem): FastifyReply {
  const document = request.routeOptions.config.submits === true ? submissionProblemJson : problemJson;
  const problem = document(refusal, instanceOf(request));
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

/** 404, or 405 where the path is one of ours with other methods. */
function refuseUnknown(app: FastifyInstance): void {
  const routes: { readonly methods: readonly string[]; readonly path: RegExp }[] = [];
  app.addHook("onRoute", ({ method, url }) => {
    if (url.includes("*")) return;
    const pattern = url.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/:[A-Za-z]+/g, "[^/]+");
    routes.push({ methods: [method].flat(), path: new RegExp(`^${pattern}$`) });
  });
  app.setNotFoundHandler((request) => {
    const [path = ""] = request.url.split("?");
    const methods = routes.filter((route) => route.path.test(path)).flatMap((route) => route.methods);
    if (methods.length === 0) throw new Problem("not-found", "no such resource");
    const allow = [...new Set(methods)].sort().join(", ");
    throw new Problem("method-not-allowed", `the resource has ${allow}`, { headers: { allow } });
  });
}

/** What cannot be read as HTTP at all, or takes too long to arrive. */
function refuseConnection(
  error: Error & { code?: string },
  socket: NodeJS.WritableStream & { destroyed?: boolean },
): void {
  if (error.code === "ECONNRESET" || socket.destroyed === true || !socket.writable) return;
  const known = problemOf(error).refusal.code;
  const code = known === "internal" || known === "unavailable" ? "malformed-request" : known;
  const problem = problemJson({ kind: "refused", code, detail: "not HTTP that can be read" }, "about:blank");
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} \r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
