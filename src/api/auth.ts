import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Scope } from "../contract/operator.ts";
import type { RelayContext } from "../relay/context.ts";
import { isSecretOf, isUsable, readKeyText } from "../relay/api-keys.ts";
import { findApiKey, usableApiKeys, type ApiKey, type ApiKeyWithHash } from "../store/api-keys.ts";
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
/** How long the list of all keys is gone by that an address is held to which guesses keys. */
const LIST_MS = 10_000;
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
  /** Addresses that have sent too many wrong keys, and until when. */
  const limited = new Map<string, number>();
  let listed: { readonly keys: Promise<ReadonlyMap<string, ApiKeyWithHash>>; readonly untilMs: number } | undefined;
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

  /** One query for all that are guessed within a while, however many. */
  const findListed = async (id: string): Promise<ApiKeyWithHash | undefined> => {
    const nowMs = clock.nowMs();
    if (listed === undefined || nowMs >= listed.untilMs) {
      const keys = usableApiKeys(db, nowMs).then((list) => new Map(list.map((key) => [key.id, key])));
      listed = { keys, untilMs: nowMs + LIST_MS };
      keys.catch(() => (listed = undefined));
    }
    return (await listed.keys).get(id);
  };

  const keyOf = async (request: FastifyRequest): Promise<ApiKey | undefined> => {
    const [, text] = BEARER.exec(request.headers.authorization ?? "") ?? [];
    const read = text === undefined ? undefined : readKeyText(text);
    if (read === undefined) return undefined;
    if (clock.nowMs() < (limited.get(request.ip) ?? 0)) {
      // A guess costs no query here. What is no guess is looked up as always, for it may have been revoked.
      const candidate = await findListed(read.id);
      if (candidate === undefined || !isSecretOf(candidate, read.secretHash)) return undefined;
    }
    const key = await find(read.id);
    return key !== undefined && isSecretOf(key, read.secretHash) && isUsable(key, clock.nowMs()) ? key : undefined;
  };

  const countFailure = async (request: FastifyRequest): Promise<void> => {
    const failed = await failures(request);
    if (failed.isAllowed || !failed.isExceeded) return;
    if (limited.size >= MAX_CACHED) limited.clear();
    limited.set(request.ip, clock.nowMs() + failed.ttl);
    throw tooMany(failed.ttlInSeconds);
  };

  return {
    async authenticate(request, scope) {
      // Who has a key is counted by it alone, whatever others do from the same address, which may be a proxy's.
      const key = await keyOf(request);
      if (key === undefined) {
        await countFailure(request);
        throw new Problem("unauthorized", "send a valid API key: Authorization: Bearer fq_…", {
          headers: { "www-authenticate": 'Bearer realm="feiqian"' },
        });
      }
      request.caller = key;
      const rate = await requests(request);
      if (!rate.isAllowed && rate.isExceeded) throw tooMany(rate.ttlInSeconds);
      if (!key.scopes.includes(scope)) throw new Problem("forbidden", `the key lacks the scope "${scope}"`);
    },
    forget() {
      cache.clear();
      listed = undefined;
    },
  };
}

function tooMany(seconds: number): Problem {
  const retryAfter = String(Math.max(1, seconds));
  return new Problem("rate-limited", `try again in ${retryAfter} s`, { headers: { "retry-after": retryAfter } });
}
