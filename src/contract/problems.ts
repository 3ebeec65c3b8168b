import { z } from "zod/v4";
import type { ReasonCode } from "../domain/reason.ts";

interface ProblemEntry {
  /** HTTP status. */
  readonly status: number;
  readonly title: string;
  /** ISO 20022 status reason, where one fits every case of the problem. */
  readonly reason?: ReasonCode;
}

/** Every problem that the API can answer with. Codes are stable: what they mean does not change, and none is reused. */
export const PROBLEMS = {
  "malformed-request": { status: 400, title: "The request cannot be read", reason: "FF01" },
  "invalid-request": { status: 400, title: "A field breaks its rule", reason: "FF01" },
  unauthorized: { status: 401, title: "No valid API key was sent" },
  forbidden: { status: 403, title: "The API key lacks the scope for this" },
  "not-found": { status: 404, title: "There is no such thing" },
  "payee-not-found": { status: 404, title: "The partner knows no customer of this alias" },
  "method-not-allowed": { status: 405, title: "The resource does not have this method" },
  "request-timeout": { status: 408, title: "The request did not arrive in time" },
  "uetr-conflict": { status: 409, title: "The UETR is that of a transfer with other content", reason: "AM05" },
  "not-cancellable": { status: 409, title: "The transfer cannot be cancelled any more" },
  "receipt-not-ready": { status: 409, title: "There is no receipt before a transfer has settled" },
  "already-rotated": { status: 409, title: "The key has a successor" },
  "not-final": { status: 409, title: "The transfer is not finished yet: not refunded, and not known to be credited" },
  erased: { status: 410, title: "The personal data has been erased" },
  "payload-too-large": { status: 413, title: "The request is larger than is taken" },
  "uri-too-long": { status: 414, title: "The address is longer than is taken" },
  "unsupported-media-type": { status: 415, title: "The body is of a media type that is not taken here" },
  "unknown-partner": { status: 422, title: "No partner of this number takes transfers", reason: "RC01" },
  "corridor-closed": { status: 422, title: "The corridor is not open", reason: "AG03" },
  "amount-too-small": { status: 422, title: "The amount comes to nothing in the other currency", reason: "AM01" },
  "amount-too-large": { status: 422, title: "The amount is above the corridor's limit", reason: "AM02" },
  "quote-not-found": { status: 422, title: "There is no such quote" },
  "quote-expired": { status: 422, title: "The quote has expired", reason: "AB04" },
  "quote-mismatch": { status: 422, title: "The quote is for another corridor", reason: "AM09" },
  "quote-used-up": { status: 422, title: "Nobody sells as much at the price quoted any more", reason: "AB04" },
  "no-quote": { status: 422, title: "No liquidity provider sells as much", reason: "AB04" },
  "insufficient-liquidity": { status: 422, title: "The partner has too little money on the ledger", reason: "AM04" },
  "rate-limited": { status: 429, title: "More than the limit" },
  "headers-too-large": { status: 431, title: "The headers are larger than is taken" },
  internal: { status: 500, title: "The relay failed; what it failed on is in its log" },
  unavailable: { status: 503, title: "The relay cannot reach its database or its ledger, or is stopping" },
  "quotes-unavailable": { status: 503, title: "No liquidity provider answers" },
  "partner-unavailable": { status: 503, title: "The partner's relay does not answer", reason: "AB08" },
} as const satisfies Readonly<Record<string, ProblemEntry>>;

export type ProblemCode = keyof typeof PROBLEMS;

const TYPE_PREFIX = "urn:feiqian:problem:";

/** The problem's type, by which machines tell problems apart (RFC 9457, 3.1.1). */
export function problemType(code: ProblemCode): string {
  return `${TYPE_PREFIX}${code}`;
}

export const problemSchema = z
  .object({
    type: z.string().meta({ examples: [problemType("uetr-conflict")] }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().meta({ description: "What is wrong with this request, for people." }),
    instance: z.string().meta({ description: "The request, as the relay's log names it." }),
    code: z.string().meta({ description: "The last part of the type. Stable." }),
    field: z.string().optional().meta({ description: "The member of the request that is at fault, by its path." }),
    reason: z.string().optional().meta({ description: "ISO 20022 ExternalStatusReason1Code, where one fits." }),
    transferStatus: z.string().optional().meta({ description: "Where the transfer stands that cannot be changed." }),
    retryAfterSeconds: z.number().int().optional().meta({
      description: "When to send again what a limit held up; as the header retry-after, where there is one.",
    }),
  })
  .meta({ id: "Problem", description: "What went wrong (RFC 9457)." });
export type ProblemJson = z.infer<typeof problemSchema>;
