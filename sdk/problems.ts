// Made by `npm run openapi`: change the features' problems, not this.
import type { ProblemEntries } from "../src/schema/problems.ts";

/** Every problem that the API can answer with. Codes are stable: what they mean does not change, and none is reused. */
export const PROBLEMS = {
  "malformed-request": {
    status: 400,
    title: "The request cannot be read",
    transfer: "unknown",
    reason: "FF01",
  },
  "invalid-request": {
    status: 400,
    title: "A field breaks its rule",
    transfer: "none",
    reason: "FF01",
  },
  unauthorized: {
    status: 401,
    title: "No valid API key was sent",
    transfer: "unknown",
  },
  forbidden: {
    status: 403,
    title: "The API key lacks the scope for this",
    transfer: "unknown",
  },
  "unsupported-version": {
    status: 404,
    title: "This version is not spoken here",
    transfer: "unknown",
  },
  "not-found": {
    status: 404,
    title: "There is no such thing",
    transfer: "unknown",
  },
  "method-not-allowed": {
    status: 405,
    title: "The resource does not have this method",
    transfer: "unknown",
  },
  "request-timeout": {
    status: 408,
    title: "The request did not arrive in time",
    transfer: "unknown",
  },
  "cursor-lost": {
    status: 410,
    title: "The database was restored: the cursor is not in its history",
    transfer: "unknown",
  },
  "payload-too-large": {
    status: 413,
    title: "The request is too large",
    transfer: "unknown",
  },
  "uri-too-long": {
    status: 414,
    title: "The address is too long",
    transfer: "unknown",
  },
  "unsupported-media-type": {
    status: 415,
    title: "The media type of the body is not supported here",
    transfer: "unknown",
  },
  "rate-limited": {
    status: 429,
    title: "The rate limit is exceeded",
    transfer: "unknown",
  },
  "headers-too-large": {
    status: 431,
    title: "The headers are too large",
    transfer: "unknown",
  },
  internal: {
    status: 500,
    title: "The relay failed; the cause is in its log",
    transfer: "unknown",
  },
  unavailable: {
    status: 503,
    title: "The relay is stopping, or cannot reach database or ledger",
    transfer: "unknown",
  },
  "payee-not-found": {
    status: 404,
    title: "The partner knows no customer of this alias",
    transfer: "unknown",
  },
  "unknown-partner": {
    status: 422,
    title: "No partner of this number takes transfers",
    transfer: "none",
    reason: "RC01",
  },
  "corridor-closed": {
    status: 422,
    title: "The corridor is not open",
    transfer: "none",
    reason: "AG03",
  },
  "amount-too-large": {
    status: 422,
    title: "The amount is above the corridor's limit",
    transfer: "none",
    reason: "AM02",
  },
  "partner-unavailable": {
    status: 503,
    title: "The partner's relay does not answer",
    transfer: "unknown",
    reason: "AB08",
  },
  "amount-too-small": {
    status: 422,
    title: "The amount converts to less than one minor unit",
    transfer: "none",
    reason: "AM01",
  },
  "quote-not-found": {
    status: 422,
    title: "There is no such quote",
    transfer: "none",
  },
  "quote-expired": {
    status: 422,
    title: "The quote has expired",
    transfer: "none",
    reason: "AB04",
  },
  "quote-mismatch": {
    status: 422,
    title: "The quote is for another corridor",
    transfer: "none",
    reason: "AM09",
  },
  "quote-used-up": {
    status: 422,
    title: "The quote has too little left for this amount",
    transfer: "none",
    reason: "AB04",
  },
  "no-quote": {
    status: 422,
    title: "No liquidity provider sells this much",
    transfer: "none",
    reason: "AB04",
  },
  "quotes-unavailable": {
    status: 503,
    title: "No liquidity provider answers",
    transfer: "unknown",
  },
  "request-not-found": {
    status: 404,
    title: "There is no such request",
    transfer: "unknown",
  },
  "bill-not-found": {
    status: 404,
    title: "The biller knows no such bill",
    transfer: "unknown",
  },
  "request-conflict": {
    status: 409,
    title: "The id is that of a request with other content",
    transfer: "unknown",
  },
  "request-not-cancellable": {
    status: 409,
    title: "The request is paid, or is being paid",
    transfer: "unknown",
  },
  "code-altered": {
    status: 422,
    title: "The code says something else than the payee's relay",
    transfer: "unknown",
  },
  "uetr-unreadable": {
    status: 400,
    title: "The transfer is unknown: the UETR breaks its rule",
    transfer: "unknown",
    reason: "FF01",
  },
  "uetr-conflict": {
    status: 409,
    title: "The UETR is that of a transfer with other content",
    transfer: "stored",
    reason: "AM05",
  },
  "not-retryable": {
    status: 409,
    title: "The attempt that it names cannot be tried again",
    transfer: "none",
  },
  "not-cancellable": {
    status: 409,
    title: "The transfer cannot be cancelled any more",
    transfer: "stored",
  },
  "receipt-not-ready": {
    status: 409,
    title: "A receipt exists only after a transfer has settled",
    transfer: "unknown",
  },
  erased: {
    status: 410,
    title: "The personal data has been erased",
    transfer: "unknown",
  },
  "insufficient-liquidity": {
    status: 422,
    title: "The partner has too little money on the ledger",
    transfer: "none",
    reason: "AM04",
  },
  "content-uncheckable": {
    status: 503,
    title: "A transfer is stored; the key to compare it is missing",
    transfer: "stored",
  },
  "already-rotated": {
    status: 409,
    title: "The key has a successor",
    transfer: "unknown",
  },
  "not-final": {
    status: 409,
    title: "The transfer is neither refunded nor known to be credited",
    transfer: "unknown",
  },
} as const satisfies ProblemEntries;

export type ProblemCode = keyof typeof PROBLEMS;
