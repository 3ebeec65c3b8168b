import { z } from "zod/v4";
import { MAX_PAYLOAD_TRANSFERS } from "../../domain/payload.ts";
import { parseReason } from "../../domain/reason.ts";
import { paymentRequestSchema } from "../../domain/payment-request.ts";
import { isUetr } from "../../domain/uetr.ts";
import { authorizationSchema, signedAcceptanceSchema, hexOf, parsedBy, uetrText } from "../../domain/wire.ts";
import { requestStatusSchema } from "../../schema/requests.ts";
import type { MessageType } from "./encryption.ts";

// What relays say to each other: POST under these paths, each body a JWE, signed as signatures.ts has it. A payload is
// domain/payload.ts' BatchPayload, its subject the batch's id. The paths have the version of what is in the body, and the
// signature covers them. Members that are not known are ignored: a later version may have added them.

export const PEER_PATHS = {
  proposal: "/peer/v1/proposals",
  payload: "/peer/v1/payloads",
  confirmation: "/peer/v1/confirmations",
  lookup: "/peer/v1/lookups",
  request: "/peer/v1/requests",
  bill: "/peer/v1/bills",
  billers: "/peer/v1/billers",
} as const;

export const MESSAGE_TYPES = {
  proposal: "feiqian-proposal+jwe",
  payload: "feiqian-payload+jwe",
  confirmation: "feiqian-confirmation+jwe",
  lookup: "feiqian-lookup+jwe",
  request: "feiqian-request+jwe",
  bill: "feiqian-bill+jwe",
  billers: "feiqian-billers+jwe",
  answer: "feiqian-answer+jwe",
} as const satisfies Readonly<Record<string, MessageType>>;

/** What one transfer may take of an encrypted payload: names, aliases and remittance at their longest, in any script. */
const MAX_TRANSFER_BYTES = 4_600;
/** A request's body is at most so long. */
export const MAX_BODY_BYTES = {
  proposal: MAX_PAYLOAD_TRANSFERS * MAX_TRANSFER_BYTES,
  payload: MAX_PAYLOAD_TRANSFERS * MAX_TRANSFER_BYTES,
  confirmation: 2 ** 21,
  lookup: 2 ** 14,
  request: 2 ** 14,
  bill: 2 ** 14,
  billers: 2 ** 14,
} as const satisfies Readonly<Record<keyof typeof PEER_PATHS, number>>;

/** Customers of a batch that have been credited (pacs.002 ACCC); its subject is the batch's id. */
export const confirmationSchema = z.object({
  credits: z
    .array(
      z.object({
        uetr: uetrText,
        /** Milliseconds since the epoch, as the sender tells them: not refused, for the credit is told all the same. */
        creditedAt: z.number(),
      }),
    )
    .min(1)
    .max(MAX_PAYLOAD_TRANSFERS),
});
export type Confirmation = z.infer<typeof confirmationSchema>;

/** With the payload of a batch that is proposed: what the answer is encrypted with, which nobody else has. */
export const proposalSchema = z.object({ answerKey: hexOf(32) });

/** What a target relay answers to a proposed batch: which transfers it refuses; or, where it refuses none, an acceptance. */
export const proposalAnswerSchema = z.union([
  z.object({
    rejections: z
      .array(z.object({ uetr: uetrText, reason: parsedBy(z.string(), (code) => parseReason(code)) }))
      .min(1)
      .max(MAX_PAYLOAD_TRANSFERS),
  }),
  z.object({ acceptance: signedAcceptanceSchema }),
]);
export type ProposalAnswer = z.infer<typeof proposalAnswerSchema>;

/** Who a payee is; its subject is drawn at random, and its answer has the same. */
export const lookupSchema = z.object({
  alias: z.object({ type: z.string(), value: z.string() }),
  /** The answer is encrypted with this, which nobody else has. */
  answerKey: hexOf(32),
});

/** Which request is asked for; its subject is drawn at random, and its answer has the same. */
export const requestSchema = z.object({
  id: z.string().refine(isUetr, "a UUID of version 4 in lower case"),
  /** The answer is encrypted with this, which nobody else has. */
  answerKey: hexOf(32),
});

/** Which bill is asked for, as it stands on it. */
export const billSchema = z.object({
  biller: z.string().max(64),
  reference: z.string().max(140),
  /** As above. */
  answerKey: hexOf(32),
});

/** Asks who sends bills. */
export const billersQuestionSchema = z.object({ answerKey: hexOf(32) });

/** A request as its payee's relay has it, signed; or that it has none of this id. */
export const requestAnswerSchema = z.discriminatedUnion("found", [
  z.object({
    found: z.literal(false),
    /** Of a bill's reference: what the biller's look like, and this one does not. */
    rule: z.string().max(200).optional(),
  }),
  z.object({
    found: z.literal(true),
    status: requestStatusSchema,
    request: paymentRequestSchema,
    signed: authorizationSchema,
  }),
]);
export type RequestAnswer = z.infer<typeof requestAnswerSchema>;

/** Problems that relays answer each other with, as problem documents (RFC 9457). Codes are stable. */
export const PEER_PROBLEMS = {
  "malformed-message": { status: 400, title: "The message cannot be read" },
  unauthenticated: { status: 401, title: "The request is not signed by a partner's key in the registry" },
  "wrong-sender": { status: 403, title: "The message is about something of another partner" },
  "sender-not-active": { status: 403, title: "The partner is suspended or frozen" },
  "not-openable": { status: 409, title: "The ledger would not open the batch now" },
  "needs-hold": { status: 409, title: "The batch pays a request that only money which is held can pay" },
  "payload-conflict": { status: 409, title: "A payload with other content is stored for the batch" },
  "not-settled": { status: 409, title: "This relay has not read yet that the batch has settled" },
  "payload-too-large": { status: 413, title: "The message is too large" },
  "unsupported-media-type": { status: 415, title: "The body is not application/jose" },
  "rate-limited": { status: 429, title: "The limit for one partner, or one address, is exceeded" },
  "wallet-unavailable": { status: 503, title: "The partner's wallet does not answer" },
  "unknown-registry": { status: 503, title: "This relay does not know the registry of the batch yet" },
  unavailable: { status: 503, title: "The relay cannot accept messages now" },
} as const;
export type PeerProblem = keyof typeof PEER_PROBLEMS;
