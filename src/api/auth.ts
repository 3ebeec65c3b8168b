import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Scope } from "../contract/operator.ts";
import type { RelayContext } from "../relay/context.ts";
import { isSecretOf, isUsable, readKeyText } from "../relay/api-keys.ts";
import { findApiKey, type ApiKey, type ApiKeyWithHash } from "../store/api-keys.ts";
import { Problem } from "./problem.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What a key needs for this; undefined where none is asked for. */
    scope?: Scope;
    /** What the audit log calls it; undefined where it is not written there. */
    action?: string;
  }
  interface FastifyRequest {
    /** Whose key it came with, once that has been checked. */
    caller: ApiKey | undefined;
  }
}

export interface AuthOptions {
  /** Requests a minute from one address that may come without a valid key. */
  readonly failuresPerMinute: number;
}

const MINUTE_MS = 60_000;
/** How long a key is taken for what it was found to be, so at most after it has been revoked elsewhere. */
const CACHE_MS = 1_000;
const MAX_CACHED = 10_000;
const BEARER = /^Bearer +([\x21-\x7e]{1,200})$/i;

export interface Authenticator {
  /** Throws a problem unless the request has a key with the scope that its route asks for, within its rate. */
  authenticate(request: FastifyRequest, scope: Scope): Promise<void>;
  /** Forgets what it knows of keys: one has changed. */
  forget(): void;
}

/** Needs @fastify/rate-limit to be registered before. */
export function createAuthenticator(
  app: FastifyInstance,
  { db, clock }: RelayContext,
  { failuresPerMinute }: AuthOptions,
): Authenticator {
  const cache = new Map<string, { readonly key: ApiKeyWithHash; readonly untilMs: number }>();
  const failures = app.createRateLimit({ max: failuresPerMinute, timeWindow: MINUTE_MS });
  const requests = app.createRateLimit({
    max: (request: FastifyRequest) => request.caller?.rateLimit ?? 0,
    timeWindow: MINUTE_MS,
    keyGenerator: (request: FastifyRequest) => request.caller?.id ?? "",
  });

  const find = async (id: string): Promise<ApiKeyWithHash | undefined> => {
    const cached = cache.get(id);
    if (cached !== undefined && clock.nowMs() < cached.untilMs) return cached.key;
    const key = await findApiKey(db, id);
    if (cache.size >= MAX_CACHED) cache.clear();
    if (key === undefined) cache.delete(id);
    else cache.set(id, { key, untilMs: clock.nowMs() + CACHE_MS });
    return key;
  };

  const keyOf = async (request: FastifyRequest): Promise<ApiKey | undefined> => {
    const [, text] = BEARER.exec(request.headers.authorization ?? "") ?? [];
    const read = text === undefined ? undefined : readKeyText(text);
    if (read === undefined) return undefined;
    const key = await find(read.id);
    return key !== undefined && isSecretOf(key, read.secretHash) && isUsable(key, clock.nowMs()) ? key : undefined;
  };

  return {
    async authenticate(request, scope) {
      // Who has a key is counted by it alone, whatever others do from the same address, which may be a proxy's.
      const key = await keyOf(request);
      if (key === undefined) {
        const failed = await failures(request);
        if (!failed.isAllowed && failed.isExceeded) throw tooMany(failed.ttlInSeconds);
        throw new Problem("unauthorized", "send a valid API key: Authorization: Bearer fq_…", {
          headers: { "www-authenticate": 'Bearer realm="feiqian"' },
        });
      }
      request.caller = key;
      const rate = await requests(request);
      if (!rate.isAllowed && rate.isExceeded) throw tooMany(rate.ttlInSeconds);
      if (!key.scopes.includes(scope)) throw new Problem("forbidden", `the key lacks the scope "${scope}"`);
    },
    forget: () => cache.clear(),
  };
}

function tooMany(seconds: number): Problem {
  const retryAfter = String(Math.max(1, seconds));
  return new Problem("rate-limited", `try again in ${retryAfter} s`, { headers: { "retry-after": retryAfter } });
}
