import { problemType, type ProblemCode, type ProblemJson, type ProblemTable } from "../../schema/problems.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { isAway } from "../away.ts";
import type { Refusal } from "../refusal.ts";
import { KERNEL_PROBLEMS } from "./problems.ts";

/** The media type of every error (RFC 9457, 6.1). */
export const PROBLEM_TYPE = "application/problem+json";

/** What a handler throws to answer with a problem. */
export class Problem extends Error {
  readonly refusal: Refusal;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    more: Omit<Refusal, "kind" | "code" | "detail"> & { readonly headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.name = "Problem";
    const { headers = {}, ...members } = more;
    this.refusal = { kind: "refused", code, detail, ...members };
    const { retryAfterSeconds } = members;
    this.headers = {
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
      ...headers,
    };
  }

  static of(refusal: Refusal): Problem {
    return new Problem(refusal.code, refusal.detail, refusal);
  }
}

/** @param instance how the log names the request */
export function problemJson(
  problems: ProblemTable,
  { code, detail, field, reason, stored, retryAfterSeconds, goOn, versions }: Refusal,
  instance: string,
): ProblemJson {
  const entry = problems[code];
  const iso = reason ?? entry.reason;
  return {
    type: problemType(code),
    title: entry.title,
    status: entry.status,
    detail,
    instance,
    code,
    ...(field === undefined ? {} : { field }),
    ...(iso === undefined ? {} : { reason: iso }),
    ...(stored === undefined ? {} : { stored }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(goOn === undefined ? {} : { goOn }),
    ...(versions === undefined ? {} : { versions: [...versions] }),
  };
}

/** As the answer to a submission: it tells what it proves of the transfer. */
export function submissionProblemJson(problems: ProblemTable, refusal: Refusal, instance: string): ProblemJson {
  return { ...problemJson(problems, refusal, instance), transfer: problems[refusal.code].transfer };
}

/** Fastify's own errors, and Node's HTTP parser's, that callers cause. */
const FASTIFY_CODES: Readonly<Record<string, keyof typeof KERNEL_PROBLEMS>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported-media-type",
  FST_ERR_CTP_INVALID_TYPE: "unsupported-media-type",
  FST_ERR_CTP_BODY_TOO_LARGE: "payload-too-large",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "malformed-request",
  FST_ERR_CTP_EMPTY_JSON_BODY: "malformed-request",
  FST_ERR_BAD_URL: "malformed-request",
  FST_ERR_MAX_PARAM_LENGTH: "uri-too-long",
  ECONNRESET: "malformed-request",
  HPE_HEADER_OVERFLOW: "headers-too-large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "payload-too-large",
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
};

/** What to answer to whatever was thrown. What is not expected is `internal`, and says nothing of what it is. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof InvalidInput) return new Problem("invalid-request", error.rule, { field: error.field });
  const code = codeOf(error);
  const known = typeof code === "string" ? FASTIFY_CODES[code] : undefined;
  if (known !== undefined) return new Problem(known, KERNEL_PROBLEMS[known].title);
  if (isAway(error)) {
    return new Problem("unavailable", "try again", { headers: { "retry-after": "1" } });
  }
  return new Problem("internal", "the log has more under this request's id");
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
