import { setTimeout as delay } from "node:timers/promises";
import type { z } from "zod/v4";
import { problemSchema, type ProblemJson, type TransferFate } from "../src/schema/problems.ts";
import { firstFault } from "../src/domain/wire.ts";
import { backoffMs } from "../src/kernel/retry.ts";
import type { TransferStatusResponse } from "./types.ts";

/** The relay refused a request (RFC 9457). Codes are stable; messages are for people and may change. */
export class RelayProblem extends Error {
  readonly code: string;
  /** HTTP status. */
  readonly status: number;
  /** The member of the request that is wrong, by its path. */
  readonly field: string | undefined;
  /** ISO 20022 ExternalStatusReason1Code, where one fits. */
  readonly reason: string | undefined;
  /**
   * What it proves of the transfer that was submitted: money is given back on "none", and on nothing else. "unknown"
   * wherever the relay does not say, as in every refusal that is not its own.
   */
  readonly transfer: TransferFate;
  /** The transfer that is stored under the UETR, and its status. */
  readonly stored: TransferStatusResponse | undefined;
  /** The cursor to go on from, where the one that was given is lost. */
  readonly goOn?: string | undefined;
  /** The request, as the relay's log names it. */
  readonly instance: string | undefined;
  /** How long the relay asks to be left alone. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, problem: Omit<RelayProblem, keyof Error>) {
    super(message);
    this.name = "RelayProblem";
    this.code = problem.code;
    this.status = problem.status;
    this.field = problem.field;
    this.reason = problem.reason;
    this.transfer = problem.transfer;
    this.stored = problem.stored;
    this.goOn = problem.goOn;
    this.instance = problem.instance;
    this.retryAfterSeconds = problem.retryAfterSeconds;
  }
}

/**
 * No answer that can be used: no connection, no answer in time, or not a relay's answer. Whether the relay has acted
 * on the request is not known.
 */
export class RelayUnreachable extends Error {
  readonly code = "UNREACHABLE";
  readonly attempts: number;

  constructor(attempts: number, cause: unknown) {
    super(`the relay gave no answer in ${attempts} attempts`, { cause });
    this.name = "RelayUnreachable";
    this.attempts = attempts;
  }
}

export interface ConnectionOptions {
  /** The relay's address, as `https://relay.wallet.example`. */
  readonly url: string;
  /** API key, `fq_<id>_<secret>`. */
  readonly key: string;
  readonly fetch?: typeof globalThis.fetch;
  /** For one attempt, its answer included; 10 seconds by default. */
  readonly timeoutMs?: number;
  /** How often a request that can be repeated is, at most; 4 by default. */
  readonly retries?: number;
  /** Before the first repetition, doubled before each further one up to 40 times; 200 by default. */
  readonly firstDelayMs?: number;
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: { readonly type: "application/json" | "application/x-ndjson"; readonly text: string };
  /** Whether to repeat it changes nothing. Every GET is so. */
  readonly canRepeat?: boolean;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** An answer of status 2xx, read to its end. */
export interface RelayAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A relay's HTTP API, with time-outs, bounded repetitions and typed problems. */
export interface Connection {
  readonly firstDelayMs: number;
  /**
   * @throws RelayProblem when the relay refuses
   * @throws RelayUnreachable when there is no answer
   */
  send(method: string, path: string, options?: RequestOptions): Promise<RelayAnswer>;
  /** One attempt at a GET whose answer is read as it comes. The caller minds the time, by the signal. */
  open(path: string, accept: string, options: RequestOptions): Promise<Response>;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_RETRIES = 4;
const DEFAULT_FIRST_DELAY_MS = 200;
const MAX_DELAY_FACTOR = 40;
/** Statuses that a later attempt may not meet again. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

export function connect(options: ConnectionOptions): Connection {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, retries = DEFAULT_RETRIES, firstDelayMs = DEFAULT_FIRST_DELAY_MS } = options;
  const fetch = options.fetch ?? globalThis.fetch;
  const backoff = { firstDelayMs, maxDelayMs: firstDelayMs * MAX_DELAY_FACTOR };

  const once = async (method: string, path: string, accept: string, request: RequestOptions): Promise<Response> => {
    const { query = {}, body, signal } = request;
    const url = new URL(`${options.url.replace(/\/+$/, "")}${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${options.key}`,
        accept,
        ...(body === undefined ? {} : { "content-type": body.type }),
      },
      redirect: "error",
      ...(body === undefined ? {} : { body: body.text }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (!response.ok) throw await refusalIn(response);
    return response;
  };

  const send: Connection["send"] = async (method, path, request = {}) => {
    const attempts = (request.canRepeat ?? method === "GET") ? retries + 1 : 1;
    for (let attempt = 1; ; attempt++) {
      let failure: unknown;
      try {
        const time = AbortSignal.timeout(request.timeoutMs ?? timeoutMs);
        const signal = request.signal === undefined ? time : AbortSignal.any([request.signal, time]);
        const response = await once(method, path, "application/json, application/x-ndjson", { ...request, signal });
        return { status: response.status, headers: response.headers, text: await response.text() };
      } catch (caught) {
        failure = caught;
      }
      request.signal?.throwIfAborted();
      const problem = failure instanceof RelayProblem ? failure : undefined;
      if (problem !== undefined && !PASSING.has(problem.status)) throw problem;
      if (attempt >= attempts) throw problem ?? new RelayUnreachable(attempt, failure);
      const waitMs = Math.max(backoffMs(attempt, backoff), retryAfterMs(problem, backoff.maxDelayMs));
      await delay(waitMs, undefined, request.signal === undefined ? {} : { signal: request.signal });
    }
  };

  return {
    firstDelayMs,
    send,
    open: (path, accept, request) => once("GET", path, accept, request),
  };
}

/**
 * @throws RelayUnreachable when it is not what the relay's API answers: something in between has answered
 */
export function readAnswer<Answer>(schema: z.ZodType<Answer>, text: string): Answer {
  const json = jsonOrNothing(text);
  if (json === undefined) throw new RelayUnreachable(1, new Error("what answered is no relay: it was not JSON"));
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const { path, message } = firstFault(read.error);
  const at = path.map(String).join(".");
  throw new RelayUnreachable(1, new Error(`what answered is no relay, or of another version: ${at}: ${message}`));
}

function retryAfterMs(problem: RelayProblem | undefined, atMostMs: number): number {
  return Math.min((problem?.retryAfterSeconds ?? 0) * 1_000, atMostMs);
}

/** The code of a refusal that is not the relay's own: a proxy's, most likely. */
export const NOT_THE_RELAY = "not-the-relay";

async function refusalIn(response: Response): Promise<RelayProblem> {
  const { status } = response;
  const retryAfter = response.headers.get("retry-after") ?? "";
  const retryAfterSeconds = /^[0-9]{1,6}$/.test(retryAfter) ? Number.parseInt(retryAfter, 10) : undefined;
  const parsed = problemSchema.safeParse(jsonOrNothing(await response.text()));
  // Another status than that of the answer, or no problem document: something in between has answered.
  if (!parsed.success || parsed.data.status !== status) {
    const nothing = { field: undefined, reason: undefined, stored: undefined, instance: undefined };
    const message = `answered ${status}, and not as a relay does`;
    return new RelayProblem(message, {
      code: NOT_THE_RELAY,
      status,
      transfer: "unknown",
      retryAfterSeconds,
      ...nothing,
    });
  }
  return problemOf(parsed.data, retryAfterSeconds);
}

export function problemOf(problem: ProblemJson, retryAfterSeconds: number | undefined): RelayProblem {
  const { detail, field, reason, transfer = "unknown", stored, goOn, code, status, instance } = problem;
  return new RelayProblem(detail, { code, status, field, reason, transfer, stored, goOn, instance, retryAfterSeconds });
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
