import { z } from "zod/v4";
import type { Alias } from "../../domain/alias.ts";
import { toHex, type Hex } from "../../domain/bytes/hex.ts";
import type { BatchPayload } from "../../domain/payload.ts";
import { billersSchema, type Biller } from "../../domain/biller.ts";
import { InvalidInput } from "../../domain/errors.ts";
import type { PartnerId } from "../../domain/partner.ts";
import { MAX_VERSIONS_TOLD } from "../../domain/versions.ts";
import { parseWire } from "../../domain/wire.ts";
import type { RelayContext } from "../context.ts";
import { parseJson } from "../../kernel/http/body.ts";
import type { OutsideAnswer } from "../../kernel/outside/outside.ts";
import { payeeLookupSchema, type PayeeLookup } from "../wallet/connector.ts";
import type { Peer } from "./directory.ts";
import { decryptAnswer, encryptTo, JWE_MEDIA_TYPE } from "./encryption.ts";
import {
  MESSAGE_TYPES,
  PEER_PATHS,
  proposalAnswerSchema,
  requestAnswerSchema,
  type Confirmation,
  type ProposalAnswer,
  type RequestAnswer,
} from "./messages.ts";
import { signRequest } from "./signatures.ts";

/**
 * Another relay did not take a message, or is not known to have taken it. All messages are idempotent, so each can be
 * sent again; after "refused" it is most likely refused again.
 */
export class PeerError extends Error {
  readonly code: "NO_RELAY" | "UNREACHABLE" | "REFUSED";
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** Code of the problem document that it answered with, if it did. */
  readonly problem: string | undefined;
  /** How long it asked to be left alone. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: PeerError["code"],
    message: string,
    details: Partial<Pick<PeerError, "status" | "problem" | "retryAfterSeconds">> & { readonly cause?: unknown } = {},
  ) {
    const { status, problem, retryAfterSeconds, cause } = details;
    super(message, cause === undefined ? {} : { cause });
    this.name = "PeerError";
    this.code = code;
    this.status = status;
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Messages to other partners' relays. Everything throws PeerError, or Error when the registry cannot be read. */
export interface PeerClient {
  /** Asks the target relay what it refuses of a batch that is not signed, or whether it accepts it. */
  propose(to: PartnerId, batch: Hex, payload: BatchPayload, timeoutMs: number): Promise<ProposalAnswer>;
  /** Tells the target relay what is in a batch. Resolves when it is on its disk. */
  sendPayload(to: PartnerId, batch: Hex, payload: BatchPayload): Promise<void>;
  /** Tells the source relay who has been credited. Resolves when it is on its disk. */
  sendConfirmation(to: PartnerId, batch: Hex, confirmation: Confirmation): Promise<void>;
  /** Asks a partner for one of its customers: the name comes masked. */
  lookup(to: PartnerId, alias: Alias): Promise<PayeeLookup>;
  /** Asks a partner for a request that its customer has made. Whether it is signed, and is the one asked for, is not checked. */
  findRequest(to: PartnerId, id: string): Promise<RequestAnswer>;
  /** Asks a partner for the request that is a bill. As above. */
  findBill(to: PartnerId, biller: string, reference: string): Promise<RequestAnswer>;
  /** Asks a partner who sends bills that are paid there. */
  billers(to: PartnerId): Promise<readonly Biller[]>;
}

const TIMEOUT_MS = {
  proposal: 2_000,
  payload: 20_000,
  confirmation: 10_000,
  lookup: 5_000,
  request: 5_000,
  bill: 5_000,
  billers: 5_000,
} as const;
const MAX_ANSWER_BYTES = {
  proposal: 2 ** 20,
  payload: 2 ** 16,
  confirmation: 2 ** 16,
  lookup: 2 ** 16,
  request: 2 ** 16,
  bill: 2 ** 16,
  billers: 2 ** 18,
} as const;
const SUBJECT_BYTES = 16;
const ANSWER_KEY_BYTES = 32;

type Kind = keyof typeof PEER_PATHS;

export function peerClient(context: Pick<RelayContext, Needed>): PeerClient {
  const { partner, drawBytes, tracer } = context;

  const post = async (
    kind: Kind,
    to: PartnerId,
    subject: string,
    message: object,
    timeoutMs: number = TIMEOUT_MS[kind],
  ): Promise<OutsideAnswer> => {
    const peer = await context.peers.find(to);
    if (peer === undefined) throw new PeerError("NO_RELAY", `partner ${to} has no relay in the registry`);
    const envelope = { type: MESSAGE_TYPES[kind], from: partner, to, subject };
    const body = Buffer.from(await encryptTo(peer.encryptionKey, message, envelope), "ascii");
    return send(context, kind, { ...peer, partner: to }, body, timeoutMs);
  };
  /** Asks what is answered under a key that goes along. */
  const ask = async <Answer>(
    kind: Kind,
    to: PartnerId,
    subject: string,
    question: object,
    schema: z.ZodType<Answer>,
    timeoutMs?: number,
  ): Promise<Answer> => {
    const answerKey = drawBytes(ANSWER_KEY_BYTES);
    const response = await post(kind, to, subject, { ...question, answerKey: toHex(answerKey) }, timeoutMs);
    const envelope = { type: MESSAGE_TYPES.answer, from: to, to: partner };
    return understand(async () => {
      const jwe = Buffer.from(response.body).toString("latin1");
      const answer = await decryptAnswer(answerKey, jwe, envelope);
      if (answer.subject !== subject) throw new InvalidInput("answer.sub", "what was asked");
      return parseWire(schema, answer.message, "answer");
    });
  };

  /** Asks what is about no batch. */
  const askAnew = <Answer>(kind: Kind, to: PartnerId, question: object, schema: z.ZodType<Answer>): Promise<Answer> =>
    tracer.span(`peer.${kind}`, { to }, () => ask(kind, to, toHex(drawBytes(SUBJECT_BYTES)), question, schema));

  return {
    propose: (to, batch, payload, timeoutMs) =>
      tracer.span("peer.proposal", { batch, to }, () =>
        ask("proposal", to, batch, payload, proposalAnswerSchema, timeoutMs),
      ),
    sendPayload: (to, batch, payload) =>
      tracer.span("peer.payload", { batch, to }, async () => {
        await post("payload", to, batch, payload);
      }),
    sendConfirmation: (to, batch, confirmation) =>
      tracer.span("peer.confirmation", { batch, to }, async () => {
        await post("confirmation", to, batch, confirmation);
      }),
    lookup: (to, alias) => askAnew("lookup", to, { alias }, payeeLookupSchema),
    findRequest: (to, id) => askAnew("request", to, { id }, requestAnswerSchema),
    findBill: (to, biller, reference) => askAnew("bill", to, { biller, reference }, requestAnswerSchema),
    billers: async (to) => (await askAnew("billers", to, {}, billersSchema)).billers,
  };
}

type Needed = "partner" | "peers" | "peerKeys" | "outside" | "clock" | "clockSkew" | "drawBytes" | "tracer";

async function send(
  { partner, peerKeys, outside, clock, clockSkew, tracer }: Pick<RelayContext, Needed>,
  kind: Kind,
  peer: Peer & { readonly partner: PartnerId },
  body: Uint8Array<ArrayBuffer>,
  timeoutMs: number,
): Promise<OutsideAnswer> {
  const request = { method: "POST", url: peer.url + PEER_PATHS[kind], body };
  const headers = await signRequest(
    { ...request, headers: tracer.inject({ "content-type": JWE_MEDIA_TYPE }) },
    { partner, key: peerKeys.signing },
    clock.nowMs(),
  );
  const sending = { headers, body, timeoutMs, maxAnswerBytes: MAX_ANSWER_BYTES[kind] };
  const askedAtMs = clock.nowMs();
  const answer = await outside.post(request.url, sending).catch((cause: unknown) => {
    if (cause instanceof InvalidInput && cause.field === "url") {
      throw new PeerError("NO_RELAY", `the peer's URL in the registry is not sent to: ${cause.rule}`, { cause });
    }
    throw new PeerError("UNREACHABLE", "the peer's relay does not answer", { cause });
  });
  // Refusals tell the time, too: a relay whose clock is wrong is believed by nobody.
  if (answer.theirSeconds !== undefined) clockSkew.heard(peer.partner, answer.theirSeconds, askedAtMs);
  const { status, retryAfterSeconds } = answer;
  if (status >= 200 && status < 300) return answer;
  const { code: problem, versions } = problemOf(answer.body);
  // A redirect is not followed, and whoever sends one may have been put in front for a while.
  const isPassing = status >= 500 || status < 400 || status === 429 || status === 408;
  const spoken =
    versions === undefined ? "" : `: it speaks versions ${versions.join(", ")}, and this relay ${PEER_PATHS[kind]}`;
  const message = `the peer's relay answered ${status}${problem === undefined ? "" : ` ${problem}`}${spoken}`;
  throw new PeerError(isPassing ? "UNREACHABLE" : "REFUSED", message, { status, problem, retryAfterSeconds });
}

const problemSchema = z.object({
  code: z.string().regex(/^[a-z-]{1,64}$/),
  versions: z.array(z.number().int()).max(MAX_VERSIONS_TOLD).optional(),
});

function problemOf(body: Uint8Array): Partial<z.infer<typeof problemSchema>> {
  try {
    return problemSchema.parse(parseJson(body, "answer"));
  } catch {
    // Whatever is in front of the relay may answer, too, and in any way.
    return {};
  }
}

/** An answer that is none is a peer that cannot be reached. */
async function understand<Answer>(read: () => Promise<Answer>): Promise<Answer> {
  try {
    return await read();
  } catch (cause) {
    throw new PeerError("UNREACHABLE", "the peer's relay gave an unusable answer", { cause });
  }
}
