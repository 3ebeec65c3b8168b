import { z } from "zod/v4";
import type { Alias } from "../../domain/alias.ts";
import { toHex, type Hex } from "../../domain/bytes/hex.ts";
import type { BatchPayload } from "../../domain/payload.ts";
import { InvalidInput } from "../../domain/errors.ts";
import type { PartnerId } from "../../domain/partner.ts";
import { parseWire } from "../../domain/wire.ts";
import type { RelayContext } from "../context.ts";
import { readBody, readJson } from "../http.ts";
import { payeeLookupSchema, type PayeeLookup } from "../wallet/connector.ts";
import type { Peer } from "./directory.ts";
import { decryptAnswer, encryptTo, JWE_MEDIA_TYPE } from "./encryption.ts";
import { MESSAGE_TYPES, PEER_PATHS, type Confirmation } from "./messages.ts";
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

  constructor(
    code: PeerError["code"],
    message: string,
    {
      status,
      problem,
      cause,
    }: { readonly status?: number; readonly problem?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.name = "PeerError";
    this.code = code;
    this.status = status;
    this.problem = problem;
  }
}

/** Messages to other partners' relays. Everything throws PeerError, or Error when the registry cannot be read. */
export interface PeerClient {
  /** Tells the target relay what is in a batch. Resolves when it is on its disk. */
  sendPayload(to: PartnerId, batch: Hex, payload: BatchPayload): Promise<void>;
  /** Tells the source relay who has been credited. Resolves when it is on its disk. */
  sendConfirmation(to: PartnerId, batch: Hex, confirmation: Confirmation): Promise<void>;
  /** Asks a partner for one of its customers: the name comes masked. */
  lookup(to: PartnerId, alias: Alias): Promise<PayeeLookup>;
}

const TIMEOUT_MS = { payload: 20_000, confirmation: 10_000, lookup: 5_000 } as const;
const MAX_ANSWER_BYTES = 2 ** 16;
const SUBJECT_BYTES = 16;
const ANSWER_KEY_BYTES = 32;

type Kind = keyof typeof PEER_PATHS;

export function peerClient(context: Pick<RelayContext, Needed>): PeerClient {
  const { partner, drawBytes, tracer } = context;

  const post = async (kind: Kind, to: PartnerId, subject: string, message: object): Promise<Response> => {
    const peer = await context.peers.find(to);
    if (peer === undefined) throw new PeerError("NO_RELAY", `partner ${to} has no relay in the registry`);
    const envelope = { type: MESSAGE_TYPES[kind], from: partner, to, subject };
    const body = Buffer.from(await encryptTo(peer.encryptionKey, message, envelope), "ascii");
    return send(context, kind, peer, body);
  };

  return {
    sendPayload: (to, batch, payload) =>
      tracer.span("peer.payload", { batch, to }, async () => {
        await discard(await post("payload", to, batch, payload));
      }),
    sendConfirmation: (to, batch, confirmation) =>
      tracer.span("peer.confirmation", { batch, to }, async () => {
        await discard(await post("confirmation", to, batch, confirmation));
      }),
    lookup: (to, alias) =>
      tracer.span("peer.lookup", { to }, async () => {
        const subject = toHex(drawBytes(SUBJECT_BYTES));
        const answerKey = drawBytes(ANSWER_KEY_BYTES);
        const response = await post("lookup", to, subject, { alias, answerKey: toHex(answerKey) });
        const envelope = { type: MESSAGE_TYPES.answer, from: to, to: partner };
        return understand(async () => {
          const jwe = Buffer.from(await readBody(response, MAX_ANSWER_BYTES)).toString("latin1");
          const answer = await decryptAnswer(answerKey, jwe, envelope);
          if (answer.subject !== subject) throw new InvalidInput("answer.sub", "what was asked");
          return parseWire(payeeLookupSchema, answer.message, "answer");
        });
      }),
  };
}

type Needed = "partner" | "peers" | "peerKeys" | "clock" | "drawBytes" | "tracer";

async function send(
  { partner, peerKeys, clock, tracer }: Pick<RelayContext, Needed>,
  kind: Kind,
  peer: Peer,
  body: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  const request = { method: "POST", url: peer.url + PEER_PATHS[kind], body };
  const headers = await signRequest(
    { ...request, headers: tracer.inject({ "content-type": JWE_MEDIA_TYPE }) },
    { partner, key: peerKeys.signing },
    clock.nowMs(),
  );
  const response = await fetch(request.url, {
    ...request,
    headers,
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS[kind]),
  }).catch((cause: unknown) => {
    throw new PeerError("UNREACHABLE", "the peer's relay does not answer", { cause });
  });
  if (response.ok) return response;
  const { status } = response;
  const problem = await problemOf(response);
  const isPassing = status >= 500 || status === 429 || status === 408;
  const message = `the peer's relay answered ${status}${problem === undefined ? "" : ` ${problem}`}`;
  throw new PeerError(isPassing ? "UNREACHABLE" : "REFUSED", message, { status, problem });
}

const problemSchema = z.object({ code: z.string().regex(/^[a-z-]{1,64}$/) });

async function problemOf(response: Response): Promise<string | undefined> {
  try {
    return problemSchema.parse(await readJson(response, MAX_ANSWER_BYTES)).code;
  } catch {
    // Whatever is in front of the relay may answer, too, and in any way.
    return undefined;
  }
}

async function discard(response: Response): Promise<void> {
  await response.body?.cancel();
}

/** An answer that is none is a peer that cannot be reached. */
async function understand<Answer>(read: () => Promise<Answer>): Promise<Answer> {
  try {
    return await read();
  } catch (cause) {
    throw new PeerError("UNREACHABLE", "the peer's relay gave no answer that can be gone by", { cause });
  }
}
