import { z } from "zod/v4";
import type { ReasonCode } from "../domain/reason.ts";
import { reasonSchema } from "./fields.ts";
import { transferStatusSchema } from "./transfer-status.ts";

/**
 * What a problem, as the answer to a submission, proves of the transfer that was to be submitted. Whoever has taken a
 * customer's money for it decides by this alone, and never by the HTTP status.
 */
export const TRANSFER_FATES = {
  none: "nothing is stored under this UETR, and nothing ever will be: give the money back",
  stored: "a transfer is stored under this UETR: the money follows it, so use its status",
  unknown: "this answer does not say: send the same again under the same UETR",
} as const;
export type TransferFate = keyof typeof TRANSFER_FATES;

interface ProblemEntry {
  /** HTTP status. */
  readonly status: number;
  readonly title: string;
  /**
   * What it proves of the transfer. "none" is a promise: the intake looks whether the UETR is stored before it gives
   * such an answer, and keeps the refusal forever. An answer given before the UETR can be looked up proves nothing.
   */
  readonly transfer: TransferFate;
  /** ISO 20022 status reason, where one fits every case of the problem. */
  readonly reason?: ReasonCode;
}

/** Every problem that the API can answer with. Codes are stable: what they mean does not change, and none is reused. */
export const PROBLEMS = {
  "malformed-request": { status: 400, title: "The request cannot be read", transfer: "unknown", reason: "FF01" },
  "invalid-request": { status: 400, title: "A field breaks its rule", transfer: "none", reason: "FF01" },
  "uetr-unreadable": {
    status: 400,
    title: "The transfer is unknown: the UETR breaks its rule",
    transfer: "unknown",
    reason: "FF01",
  },
  unauthorized: { status: 401, title: "No valid API key was sent", transfer: "unknown" },
  forbidden: { status: 403, title: "The API key lacks the scope for this", transfer: "unknown" },
  "not-found": { status: 404, title: "There is no such thing", transfer: "unknown" },
  "payee-not-found": { status: 404, title: "The partner knows no customer of this alias", transfer: "unknown" },
  "method-not-allowed": { status: 405, title: "The resource does not have this method", transfer: "unknown" },
  "request-timeout": { status: 408, title: "The request did not arrive in time", transfer: "unknown" },
  "uetr-conflict": {
    status: 409,
    title: "The UETR is that of a transfer with other content",
    transfer: "stored",
    reason: "AM05",
  },
  "not-cancellable": { status: 409, title: "The transfer cannot be cancelled any more", transfer: "stored" },
  "receipt-not-ready": {
    status: 409,
    title: "A receipt exists only after a transfer has settled",
    transfer: "unknown",
  },
  "already-rotated": { status: 409, title: "The key has a successor", transfer: "unknown" },
  "not-final": {
    status: 409,
    title: "The transfer is neither refunded nor known to be credited",
    transfer: "unknown",
  },
  "cursor-lost": {
    status: 410,
    title: "The database was restored: the cursor is not in its history",
    transfer: "unknown",
  },
  erased: { status: 410, title: "The personal data has been erased", transfer: "unknown" },
  "payload-too-large": { status: 413, title: "The request is too large", transfer: "unknown" },
  "uri-too-long": { status: 414, title: "The address is too long", transfer: "unknown" },
  "unsupported-media-type": {
    status: 415,
    title: "The media type of the body is not supported here",
    transfer: "unknown",
  },
  "unknown-partner": {
    status: 422,
    title: "No partner of this number takes transfers",
    transfer: "none",
    reason: "RC01",
  },
  "corridor-closed": { status: 422, title: "The corridor is not open", transfer: "none", reason: "AG03" },
  "amount-too-small": {
    status: 422,
    title: "The amount converts to less than one minor unit",
    transfer: "none",
    reason: "AM01",
  },
  "amount-too-large": {
    status: 422,
    title: "The amount is above the corridor's limit",
    transfer: "none",
    reason: "AM02",
  },
  "quote-not-found": { status: 422, title: "There is no such quote", transfer: "none" },
  "quote-expired": { status: 422, title: "The quote has expired", transfer: "none", reason: "AB04" },
  "quote-mismatch": { status: 422, title: "The quote is for another corridor", transfer: "none", reason: "AM09" },
  "quote-used-up": {
    status: 422,
    title: "The quote has too little left for this amount",
    transfer: "none",
    reason: "AB04",
  },
  "no-quote": { status: 422, title: "No liquidity provider sells this much", transfer: "none", reason: "AB04" },
  "insufficient-liquidity": {
    status: 422,
    title: "The partner has too little money on the ledger",
    transfer: "none",
    reason: "AM04",
  },
  "rate-limited": { status: 429, title: "The rate limit is exceeded", transfer: "unknown" },
  "headers-too-large": { status: 431, title: "The headers are too large", transfer: "unknown" },
  internal: { status: 500, title: "The relay failed; the cause is in its log", transfer: "unknown" },
  unavailable: {
    status: 503,
    title: "The relay is stopping, or cannot reach database or ledger",
    transfer: "unknown",
  },
  "content-uncheckable": {
    status: 503,
    title: "A transfer is stored; the key to compare it is missing",
    transfer: "stored",
  },
  "quotes-unavailable": { status: 503, title: "No liquidity provider answers", transfer: "unknown" },
  "partner-unavailable": {
    status: 503,
    title: "The partner's relay does not answer",
    transfer: "unknown",
    reason: "AB08",
  },
} as const satisfies Readonly<Record<string, ProblemEntry>>;

export type ProblemCode = keyof typeof PROBLEMS;

const TYPE_PREFIX = "urn:feiqian:problem:";

/** The problem's type, by which machines tell problems apart (RFC 9457, 3.1.1). */
export function problemType(code: ProblemCode): string {
  return `${TYPE_PREFIX}${code}`;
}

// The table's own members.
const FATES = Object.keys(TRANSFER_FATES) as [TransferFate, ...TransferFate[]];

export const problemSchema = z
  .object({
    type: z.string().meta({ examples: [problemType("uetr-conflict")] }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().meta({ description: "What is wrong with this request, for people." }),
    instance: z.string().meta({ description: "The request, as the relay's log names it." }),
    code: z.string().meta({ description: "The last part of the type. Stable.", enum: Object.keys(PROBLEMS) }),
    field: z.string().optional().meta({ description: "The member of the request that is wrong, by its path." }),
    reason: reasonSchema.optional(),
    transfer: z
      .enum(FATES)
      .optional()
      .meta({
        description: `In every answer to a submission, what it proves of the transfer: ${FATES.map((fate) => `"${fate}": ${TRANSFER_FATES[fate]}`).join("; ")}. Never conclude it from the HTTP status.`,
      }),
    stored: transferStatusSchema.optional().meta({
      description: "The transfer that is stored under the UETR, and its status.",
    }),
    retryAfterSeconds: z.number().int().optional().meta({
      description: "Seconds until a retry makes sense; the same as the header retry-after.",
    }),
    goOn: z.string().optional().meta({
      description: "The cursor to continue from. Everything up to it is unchanged; read what comes after it.",
    }),
  })
  .meta({ id: "Problem", description: "What went wrong (RFC 9457)." });
export type ProblemJson = z.infer<typeof problemSchema>;
