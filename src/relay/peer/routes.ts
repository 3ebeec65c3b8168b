import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { maskName, readAlias } from "../../domain/alias.ts";
import type { BatchHeader } from "../../domain/batch.ts";
import { compareBytes } from "../../domain/bytes/bytes.ts";
import { fromHex, type Hex } from "../../domain/bytes/hex.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { MAX_HOLD_SECONDS } from "../../domain/opening.ts";
import { parsePartnerId, type PartnerId } from "../../domain/partner.ts";
import { hexOf, parseWire } from "../../domain/wire.ts";
import { concludeAudit, insertAudit } from "../../store/audit.ts";
import { readCursor } from "../../store/ledger-projection.ts";
import { insertPayload, sealedPayloadOf, unopenedPayloads } from "../../store/payloads.ts";
import type { RelayContext } from "../context.ts";
import { LOOKUP_ACTION, mayLookUp, pseudonymOf } from "../lookups.ts";
import { openPayloadBytes, sealPayload } from "../sealed-payload.ts";
import { WalletError } from "../wallet/connector.ts";
import { createAdmission, type Admission, type PeerLimits } from "./admission.ts";
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
import { createPayloadReader } from "./payload-reader.ts";
import type { ReadPayload } from "./read-payload.ts";
import { Refused, tooMuch } from "./refused.ts";
import { digestOf, verifyRequest } from "./signatures.ts";

/** A body that has arrived, with its digest as the header `content-digest` has it. */
interface Body {
  readonly bytes: Buffer;
  readonly digest: string;
}

/**
 * What other partners' relays call. Whether a request is let in, and whose signature it has, is decided before its body is
 * read, and the body is held against the signed digest before anything is done with it.
 */
export function peerRoutes(context: RelayContext, limits?: PeerLimits): FastifyPluginAsync {
  const admission = createAdmission(context, limits);
  const payloads = createPayloadReader();
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
    app.setErrorHandler((error, request, reply) => answerProblem(context, error, request, reply, senders.get(request)));
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
    app.addHook("onClose", () => payloads.close());

    app.post(PEER_PATHS.payload, { bodyLimit: MAX_BODY_BYTES.payload }, (request, reply) =>
      context.tracer.extract(request.headers, async () => {
        const sender = senderOf(request);
        const { ledger, partner, peerKeys } = context;
        const envelope = { type: MESSAGE_TYPES.payload, from: sender, to: partner };
        const { bytes } = request.body as Body; // as its digest's check has seen
        const encrypted = { jwe: bytes, own: peerKeys.encryption, envelope, chain: ledger.chain };
        await takePayload(context, sender, await payloads.read(encrypted));
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
  { partner, peers, registry, clock }: RelayContext,
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
  const own = await peers.find(partner);
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

async function decrypted(
  { partner, peerKeys }: RelayContext,
  kind: keyof typeof PEER_PATHS,
  request: FastifyRequest,
  from: PartnerId,
): Promise<Decrypted> {
  const jwe = (request.body as Body).bytes.toString("latin1"); // as its digest's check has seen
  return decryptWith(peerKeys.encryption, jwe, { type: MESSAGE_TYPES[kind], from, to: partner });
}

async function takePayload(context: RelayContext, from: PartnerId, payload: ReadPayload): Promise<void> {
  const { db, sealer, clock, partner, metrics, log, wake } = context;
  const { header, batch, bytes, subject, transfers } = payload;
  // A batch's id is its header's digest, so nobody can take the place of another source's batch with a payload.
  if (batch !== subject) throw new Refused("wrong-sender", "the header is not that of the batch");
  if (header.source !== from) throw new Refused("wrong-sender", "the batch is another partner's");
  if (header.target !== partner) throw new Refused("wrong-sender", "the batch is for another partner");
  const unopened = await unopenedPayloads(db, from, MAX_UNOPENED);
  if (unopened.count >= MAX_UNOPENED.count || unopened.bytes + bytes.length > MAX_UNOPENED.bytes) {
    throw tooMuch("more payloads than are kept of batches that are not on the ledger", UNOPENED_WAIT_MS);
  }
  const nowMs = clock.nowMs();
  const sealed = sealPayload(sealer, batch, bytes);
  const expiresAtSeconds = await lastChance(context, header, nowMs);
  const isNew = await insertPayload(db, { batch, source: from, sealed, expiresAtSeconds }, nowMs);
  if (!isNew) await requireSame(context, batch, bytes);
  context.checkpoint("payload.stored");
  metrics.payloads.inc({ direction: "received", outcome: isNew ? "stored" : "repeated" });
  if (isNew) log.info({ batch, source: from, transfers }, "payload received");
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

/** What is kept of one partner's payloads while the ledger does not have their batches. */
const MAX_UNOPENED = { count: 1_000, bytes: 2 ** 28 };
const UNOPENED_WAIT_MS = 10_000;

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
async function answerLookup(context: RelayContext, from: PartnerId, { subject, message }: Decrypted): Promise<string> {
  const { db, clock, peers, partner, wallet, metrics } = context;
  const { alias, answerKey } = parseWire(lookupSchema, message, "lookup");
  const wanted = readAlias(alias);
  // Who cannot send has no business with the names of those who could be sent to.
  if ((await peers.find(from))?.isActive !== true) throw new Refused("sender-not-active", "no payees are looked up");
  const asker = `partner:${from}`;
  const waitMs = await mayLookUp(context, asker);
  if (waitMs > 0) {
    metrics.lookups.inc({ direction: "received", outcome: "rate-limited" });
    throw tooMuch("more payees are looked up than one partner may", waitMs);
  }
  const entry = { at: clock.nowMs(), actor: asker, action: LOOKUP_ACTION, subject: pseudonymOf(context, wanted) };
  const seq = await insertAudit(db, { ...entry, outcome: "begun", data: {} });
  const found = await wallet.lookup(wanted);
  const outcome = found.found ? "found" : "not-found";
  await concludeAudit(db, seq, { subject: undefined, outcome, data: {} });
  metrics.lookups.inc({ direction: "received", outcome });
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
