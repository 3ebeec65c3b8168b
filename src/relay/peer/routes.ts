import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { maskName, readAlias } from "../../domain/alias.ts";
import { batchId, type BatchHeader } from "../../domain/batch.ts";
import { compareBytes } from "../../domain/bytes/bytes.ts";
import { fromHex, type Hex } from "../../domain/bytes/hex.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { MAX_HOLD_SECONDS } from "../../domain/opening.ts";
import type { PartnerId } from "../../domain/partner.ts";
import { payloadSchema, type BatchPayload } from "../../domain/payload.ts";
import { hexOf, parseWire } from "../../domain/wire.ts";
import { readCursor } from "../../store/ledger-projection.ts";
import { insertPayload, sealedPayloadOf } from "../../store/payloads.ts";
import type { RelayContext } from "../context.ts";
import { openPayloadBytes, payloadBytes, sealPayload } from "../sealed-payload.ts";
import { WalletError } from "../wallet/connector.ts";
import { recordConfirmation } from "./confirmations.ts";
import { decryptWith, encryptAnswer, JWE_MEDIA_TYPE, type Decrypted } from "./encryption.ts";
import {
  confirmationSchema,
  lookupSchema,
  MAX_BODY_BYTES,
  MESSAGE_TYPES,
  PEER_PATHS,
  PEER_PROBLEMS,
  type PeerProblem,
} from "./messages.ts";
import { contentDigest, verifyRequest } from "./signatures.ts";

/** What is answered with a problem document instead of what was asked for. */
class Refused extends Error {
  readonly problem: PeerProblem;

  /** @param detail nothing of what was sent: it may be personal data */
  constructor(problem: PeerProblem, detail: string) {
    super(detail);
    this.problem = problem;
  }
}

/**
 * What other partners' relays call. A request's signature is checked before its body is read, and the body against the
 * signed digest before anything is done with it.
 */
export function peerRoutes(context: RelayContext): FastifyPluginAsync {
  /** Whose signature a request has. */
  const senders = new WeakMap<FastifyRequest, PartnerId>();
  const senderOf = (request: FastifyRequest): PartnerId => {
    const sender = senders.get(request);
    if (sender === undefined) throw new Error("a request got past its signature's check");
    return sender;
  };

  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(JWE_MEDIA_TYPE, { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    app.setErrorHandler((error, request, reply) => answerProblem(context, error, request, reply, senders.get(request)));
    app.addHook("onRequest", async (request) => void senders.set(request, await authenticate(context, request)));
    app.addHook("preHandler", (request, _reply, done) => {
      const isWhole =
        Buffer.isBuffer(request.body) && contentDigest(request.body) === request.headers["content-digest"];
      done(isWhole ? undefined : new Refused("unauthenticated", "the body is not what was signed"));
    });

    app.post(PEER_PATHS.payload, { bodyLimit: MAX_BODY_BYTES.payload }, (request, reply) =>
      context.tracer.extract(request.headers, async () => {
        await takePayload(context, senderOf(request), await decrypted(context, "payload", request, senderOf(request)));
        return reply.code(202).send();
      }),
    );
    app.post(PEER_PATHS.confirmation, { bodyLimit: MAX_BODY_BYTES.confirmation }, (request, reply) =>
      context.tracer.extract(request.headers, async () => {
        const sender = senderOf(request);
        await takeConfirmation(context, sender, await decrypted(context, "confirmation", request, sender));
        return reply.code(202).send();
      }),
    );
    app.post(PEER_PATHS.lookup, { bodyLimit: MAX_BODY_BYTES.lookup }, (request, reply) =>
      context.tracer.extract(request.headers, async () => {
        const sender = senderOf(request);
        const answer = await answerLookup(context, sender, await decrypted(context, "lookup", request, sender));
        return reply.type(JWE_MEDIA_TYPE).send(answer);
      }),
    );
    await Promise.resolve();
  };
}

async function authenticate({ partner, peers, clock }: RelayContext, request: FastifyRequest): Promise<PartnerId> {
  const own = await peers.find(partner);
  if (own === undefined) throw new Refused("unavailable", "the registry has no endpoint of this relay");
  const head = {
    method: request.method,
    // As the sender addressed it: whatever proxies are in between, that is the endpoint in the registry.
    url: own.url + request.url,
    headers: request.headers,
  };
  const verification = await verifyRequest(
    head,
    async (sender) => (await peers.find(sender))?.signingKey,
    clock.nowMs(),
  );
  if (verification.kind === "refused") throw new Refused("unauthenticated", verification.why);
  return verification.partner;
}

async function decrypted(
  { partner, peerKeys }: RelayContext,
  kind: keyof typeof PEER_PATHS,
  request: FastifyRequest,
  from: PartnerId,
): Promise<Decrypted> {
  // The content type's parser gives a buffer, as the digest's check has seen.
  const jwe = (request.body as Buffer).toString("latin1");
  return decryptWith(peerKeys.encryption, jwe, { type: MESSAGE_TYPES[kind], from, to: partner });
}

async function takePayload(context: RelayContext, from: PartnerId, { subject, message }: Decrypted): Promise<void> {
  const { db, sealer, clock, ledger, partner, metrics, log, wake } = context;
  const payload = parseWire(payloadSchema, message, "payload");
  const { header } = payload;
  // A batch's id is its header's digest, so nobody can take the place of another source's batch with a payload.
  const batch = batchId(header, ledger.chain);
  if (batch !== subject) throw new Refused("wrong-sender", "the header is not that of the batch");
  if (header.source !== from) throw new Refused("wrong-sender", "the batch is another partner's");
  if (header.target !== partner) throw new Refused("wrong-sender", "the batch is for another partner");
  const bytes = payloadBytes(payload);
  const nowMs = clock.nowMs();
  const sealed = sealPayload(sealer, batch, bytes);
  const isNew = await insertPayload(
    db,
    { batch, source: from, sealed, expiresAtSeconds: await lastChance(context, header, nowMs) },
    nowMs,
  );
  if (!isNew) await requireSame(context, batch, bytes);
  context.checkpoint("payload.stored");
  metrics.payloads.inc({ direction: "received", outcome: isNew ? "stored" : "repeated" });
  if (isNew) log.info({ batch, source: from, transfers: countOf(payload) }, "payload received");
  // Its batch is being opened at this moment.
  wake("watcher");
  wake("responder");
}

/**
 * Until when, in seconds of ledger time, a batch can be opened. The ledger takes none that would hold its money for
 * longer than it allows: one that says so cannot keep its payload here for ever. A day is left for clocks that differ.
 */
async function lastChance({ db }: RelayContext, { expiresAt }: BatchHeader, nowMs: number): Promise<number> {
  const read = await readCursor(db);
  const latestSeconds = Math.max(Math.floor(nowMs / 1_000), read?.timeSeconds ?? 0);
  return Math.min(expiresAt, latestSeconds + 2 * MAX_HOLD_SECONDS);
}

function countOf({ transfers }: BatchPayload): number {
  return transfers.length;
}

async function requireSame({ db, sealer }: RelayContext, batch: Hex, bytes: Uint8Array): Promise<void> {
  const sealed = await sealedPayloadOf(db, batch);
  // Erased: all that was to be done with it has been done.
  if (sealed === null || sealed === undefined) return;
  if (compareBytes(openPayloadBytes(sealer, batch, sealed), bytes) !== 0) {
    throw new Refused("payload-conflict", "what came first is kept");
  }
}

async function takeConfirmation(
  context: RelayContext,
  from: PartnerId,
  { subject, message }: Decrypted,
): Promise<void> {
  const batch = parseWire(hexOf(32), subject, "body.sub");
  const confirmation = parseWire(confirmationSchema, message, "confirmation");
  const outcome = await recordConfirmation(context, from, batch, confirmation);
  if (outcome === "not settled") throw new Refused("not-settled", "to be sent again once the ledger has been read");
  if (outcome === "not theirs") {
    throw new Refused("wrong-sender", "not all of these are transfers to the sender that the ledger has settled");
  }
  context.metrics.confirmations.inc({ direction: "received", outcome: "recorded" });
}

/** @returns the answer, encrypted; the name masked, for the payer needs to tell no more than whether it is the right one */
async function answerLookup(
  { peers, partner, wallet }: RelayContext,
  from: PartnerId,
  { subject, message }: Decrypted,
): Promise<string> {
  const { alias, answerKey } = parseWire(lookupSchema, message, "lookup");
  const wanted = readAlias(alias);
  // Who cannot send has no business with the names of those who could be sent to.
  if ((await peers.find(from))?.isActive !== true) throw new Refused("sender-not-active", "no payees are looked up");
  const found = await wallet.lookup(wanted);
  const answer = found.found ? { found: true, name: maskName(found.name) } : found;
  return encryptAnswer(fromHex(answerKey), answer, { type: MESSAGE_TYPES.answer, from: partner, to: from, subject });
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

function answerProblem(
  { log, metrics }: RelayContext,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  sender: PartnerId | undefined,
): FastifyReply {
  const known = refusalOf(error);
  const refused = known ?? new Refused("unavailable", "the relay failed");
  const fields = { route: request.routeOptions.url, sender, code: refused.problem };
  if (known === undefined) log.error({ ...fields, error }, "a peer's message failed");
  else log.warn({ ...fields, why: known.message }, "a peer's message was refused");
  const counter = { direction: "received", outcome: refused.problem };
  if (request.routeOptions.url === PEER_PATHS.payload) metrics.payloads.inc(counter);
  if (request.routeOptions.url === PEER_PATHS.confirmation) metrics.confirmations.inc(counter);
  const { status, title } = PEER_PROBLEMS[refused.problem];
  if (status === UNAVAILABLE) reply.header("retry-after", "1");
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
