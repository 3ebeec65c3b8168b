import type { ProblemEntries } from "../../schema/problems.ts";

declare module "../../schema/problems.ts" {
  interface Problems extends Readonly<typeof KERNEL_PROBLEMS> {}
}

/** What any route can answer with. */
export const KERNEL_PROBLEMS = {
  "malformed-request": { status: 400, title: "The request cannot be read", transfer: "unknown", reason: "FF01" },
  "invalid-request": { status: 400, title: "A field breaks its rule", transfer: "none", reason: "FF01" },
  unauthorized: { status: 401, title: "No valid API key was sent", transfer: "unknown" },
  forbidden: { status: 403, title: "The API key lacks the scope for this", transfer: "unknown" },
  "unsupported-version": { status: 404, title: "This version is not spoken here", transfer: "unknown" },
  "not-found": { status: 404, title: "There is no such thing", transfer: "unknown" },
  "method-not-allowed": { status: 405, title: "The resource does not have this method", transfer: "unknown" },
  "request-timeout": { status: 408, title: "The request did not arrive in time", transfer: "unknown" },
  "cursor-lost": {
    status: 410,
    title: "The database was restored: the cursor is not in its history",
    transfer: "unknown",
  },
  "payload-too-large": { status: 413, title: "The request is too large", transfer: "unknown" },
  "uri-too-long": { status: 414, title: "The address is too long", transfer: "unknown" },
  "unsupported-media-type": {
    status: 415,
    title: "The media type of the body is not supported here",
    transfer: "unknown",
  },
  "rate-limited": { status: 429, title: "The rate limit is exceeded", transfer: "unknown" },
  "headers-too-large": { status: 431, title: "The headers are too large", transfer: "unknown" },
  internal: { status: 500, title: "The relay failed; the cause is in its log", transfer: "unknown" },
  unavailable: {
    status: 503,
    title: "The relay is stopping, or cannot reach database or ledger",
    transfer: "unknown",
  },
} as const satisfies ProblemEntries;
