import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { InvalidInput } from "../../domain/errors.ts";
import { parsePartnerId, type PartnerId } from "../../domain/partner.ts";
import type { RelayContext } from "../context.ts";
import type { PeerMessage } from "../../kernel/peer-message.ts";
import { WalletError } from "../wallet/connector.ts";
import { createAdmission, type Admission, type PeerLimits } from "./admission.ts";
import { JWE_MEDIA_TYPE } from "./encryption.ts";
import { PEER_PROBLEMS, type PeerProblem } from "./messages.ts";
import { Refused } from "./refused.ts";
import { digestOf, verifyRequest } from "./signatures.ts";

/** A body that has arrived, with its digest as the header `content-digest` has it. */
interface Body {
  readonly bytes: Buffer;
  readonly digest: string;
}

/**
 * What other partners' relays call. Whether a request is let in, and whose signature it has, is decided before its body is
 * read, and the body is checked against the signed digest before it is used.
 */
export function peerRoutes(
  context: RelayContext,
  messages: readonly PeerMessage[],
  limits?: PeerLimits,
): FastifyPluginAsync {
  const admission = createAdmission(context, limits);
  const counters = new Map(messages.map(({ path, count }) => [path, count]));
  /** Whose signature a request has. */
  const senders = new WeakMap<FastifyRequest, PartnerId>();
  const senderOf = (request: FastifyRequest): PartnerId => {
    const sender = senders.get(request);
    if (sender === undefined) throw new Error("a request got past its signature's check");
    return sender;
  };

  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(JWE_MEDIA_TYPE, takeBody);
    app.setErrorHandler((error, request, reply) => {
      const refused = noteProblem(context, error, request, senders.get(request));
      counters.get(request.routeOptions.url ?? "")?.(refused.problem);
      return sendProblem(request, reply, refused);
    });
    app.addHook("onRequest", async (request, reply) => {
      const sender = await authenticate(context, admission, request);
      senders.set(request, sender);
      const done = admission.admit(request.ip, sender, announcedBytes(request));
      reply.raw.once("close", done);
    });
    app.addHook("preHandler", (request, _reply, done) => {
      const { digest } = (request.body ?? {}) as Partial<Body>; // of the parser above, if there was a body
      const isWhole = digest !== undefined && digest === request.headers["content-digest"];
      done(isWhole ? undefined : new Refused("unauthenticated", "the body is not what was signed"));
    });
    app.addHook("onClose", async () => {
      for (const { close } of messages) await close?.();
    });

    for (const { path, bodyLimit, answer } of messages) {
      app.post(path, { bodyLimit }, (request, reply) =>
        context.tracer.extract(request.headers, async () => {
          const { bytes } = request.body as Body; // as its digest's check has seen
          const answered = await answer(senderOf(request), bytes);
          if (answered === undefined) return reply.code(202).send();
          return reply.type(JWE_MEDIA_TYPE).send(answered);
        }),
      );
    }
    await Promise.resolve();
  };
}

const KEY_ID = /keyid="partner:([1-9][0-9]{0,4})"/;

/** How many bytes it says to have; the most that it may have where it does not say. */
function announcedBytes({ headers, routeOptions }: FastifyRequest): number {
  const announced = Number.parseInt(headers["content-length"] ?? "", 10);
  const most = routeOptions.bodyLimit;
  return Number.isSafeInteger(announced) ? Math.min(announced, most) : most;
}

/**
 * Reads a body as it comes, so that no part of it takes long.
 * @throws Refused where it is longer than the route takes, by its announced length before any of it is read
 */
async function takeBody(request: FastifyRequest, payload: IncomingMessage): Promise<Body> {
  const most = request.routeOptions.bodyLimit;
  const announced = Number.parseInt(request.headers["content-length"] ?? "0", 10);
  if (announced > most) throw new Refused("payload-too-large", `at most ${most} bytes`);
  const hash = createHash("sha256");
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Left as it is where it is too long: to destroy it would destroy the connection, and the answer.
  for await (const chunk of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > most) throw new Refused("payload-too-large", `at most ${most} bytes`);
    hash.update(chunk);
    chunks.push(chunk);
  }
  return { bytes: Buffer.concat(chunks), digest: digestOf(hash) };
}

async function authenticate(
  { partner, peers, registry, clock }: Pick<RelayContext, "partner" | "peers" | "registry" | "clock">,
  admission: Admission,
  request: FastifyRequest,
): Promise<PartnerId> {
  const { ip, headers } = request;
  const claimed = claimedSender(headers["signature-input"]);
  // Who is not in the registry is told so from memory: nothing is asked of the ledger, and nothing is worked out.
  const isKnown = claimed !== undefined && (await registry.read()).partners.has(claimed);
  if (claimed !== undefined) admission.knock(ip, claimed);
  if (!isKnown) {
    admission.failed(ip);
    throw new Refused("unauthenticated", "signed by no partner of the network");
  }
  // The sender's key is fetched meanwhile; what is wrong with that is told below.
  const [own] = await Promise.all([peers.find(partner), peers.find(claimed).catch(() => undefined)]);
  if (own === undefined) throw new Refused("unavailable", "the registry has no endpoint of this relay");
  const head = {
    method: request.method,
    // As the sender addressed it: whatever proxies are in between, that is the endpoint in the registry.
    url: own.url + request.url,
    headers,
  };
  const verification = await verifyRequest(
    head,
    async (sender) => (await peers.find(sender))?.signingKey,
    clock.nowMs(),
  );
  if (verification.kind === "verified") return verification.partner;
  admission.failed(ip);
  throw new Refused("unauthenticated", verification.why);
}

function claimedSender(input: string | string[] | undefined): PartnerId | undefined {
  const [, id] = (typeof input === "string" ? KEY_ID.exec(input) : null) ?? [];
  try {
    return id === undefined ? undefined : parsePartnerId(id);
  } catch {
    return undefined;
  }
}

const UNAVAILABLE = 503;

/** Codes of errors of Fastify's own, about what is read before a handler has it. */
const FASTIFY_PROBLEMS: Readonly<Record<string, PeerProblem>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "payload-too-large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported-media-type",
  FST_ERR_CTP_EMPTY_TYPE: "unsupported-media-type",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "malformed-message",
};

function refusalOf(error: unknown): Refused | undefined {
  if (error instanceof Refused) return error;
  if (error instanceof InvalidInput) return new Refused("malformed-message", `${error.field}: ${error.rule}`);
  if (error instanceof WalletError) return new Refused("wallet-unavailable", "to be tried again");
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  const problem = FASTIFY_PROBLEMS[code];
  return problem === undefined ? undefined : new Refused(problem, "see docs/peer-protocol.md");
}

/** Logs why a message was not taken. */
function noteProblem(
  { log }: Pick<RelayContext, "log">,
  error: unknown,
  request: FastifyRequest,
  sender: PartnerId | undefined,
): Refused {
  const known = refusalOf(error);
  const refused = known ?? new Refused("unavailable", "the relay failed");
  const fields = { route: request.routeOptions.url, sender, code: refused.problem };
  if (known === undefined) log.error({ ...fields, error }, "a peer's message failed");
  else log.warn({ ...fields, why: known.message }, "a peer's message was refused");
  return refused;
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, refused: Refused): FastifyReply {
  const { status, title } = PEER_PROBLEMS[refused.problem];
  const retryAfter = refused.retryAfterSeconds ?? (status === UNAVAILABLE ? 1 : undefined);
  if (retryAfter !== undefined) reply.header("retry-after", String(retryAfter));
  // What has not been read of a body goes with the connection.
  if (!request.raw.complete) reply.header("connection", "close");
  return reply
    .code(status)
    .type("application/problem+json")
    .serializer((document: unknown) => JSON.stringify(document))
    .send({
      type: `urn:feiqian:problem:${refused.problem}`,
      title,
      status,
      detail: refused.message,
      code: refused.problem,
    });
}
