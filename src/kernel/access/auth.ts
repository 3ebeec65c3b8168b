import type { FastifyRequest } from "fastify";
import type { Scope } from "../../schema/operator.ts";
import { createQuota, networkOf, retryAfterSeconds } from "../quota.ts";
import { isPast } from "../clock/clock.ts";
import type { KernelContext } from "../context.ts";
import { isSecretOf, isUsable, readKeyText } from "./api-keys.ts";
import { refused, type Refusal } from "../refusal.ts";
import { findApiKeys, usableApiKeys, type ApiKey, type ApiKeyWithHash } from "./store.ts";
import { Problem } from "../http/problem.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What a key needs for this; undefined where none is asked for. */
    scope?: Scope;
    /** What the audit log calls it; undefined where it is not written there. */
    action?: string;
    /** It takes submissions: its problems tell what they prove of the transfer. */
    submits?: boolean;
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
const SECONDS_A_MINUTE = 60;
/** How long a key is taken for what it was found to be, so at most after it has been revoked elsewhere. */
const CACHE_MS = 1_000;
const MAX_CACHED = 10_000;
/** How old the list of all keys may be that an address which guesses keys is held to. */
const LIST_MS = 10_000;
const BEARER = /^Bearer +([\x21-\x7e]{1,200})$/i;

/** How many transfers of a stream a key may go on with. */
export type Grant =
  { readonly kind: "granted"; readonly transfers: number } | { readonly kind: "exhausted"; readonly waitMs: number };

export interface Authenticator {
  /** Throws a problem unless the request has a key with the scope that its route asks for, within its rate. */
  authenticate(request: FastifyRequest, scope: Scope): Promise<void>;
  /**
   * What is begun with a key may take longer than the key works. A key that was rotated works beside its successor for a
   * while, in requests and in streams that are opened anew.
   * @returns undefined where the store has said within the last second that the key works; otherwise why it does not
   * @throws Error when the store cannot tell
   */
  whyEnded(caller: ApiKey, what: "request" | "stream"): Promise<Refusal | undefined>;
  /** Asks the store about many keys at once, for `whyEnded`. */
  refresh(ids: readonly string[]): Promise<void>;
  /** Counts the transfers of a stream against the rate of its key. The first was counted as the request. */
  grants(caller: ApiKey): (atMost: number) => Grant;
  /** Forgets what it knows of keys: one has changed. */
  forget(): void;
}

export function createAuthenticator(
  context: Pick<KernelContext, "db" | "clock">,
  { failuresPerMinute }: AuthOptions,
): Authenticator {
  const { clock } = context;
  const keys = createKeyCache(context);
  const failures = createQuota({ clock, windowMs: MINUTE_MS });
  const requests = createQuota({ clock, windowMs: MINUTE_MS });

  const keyOf = async (request: FastifyRequest): Promise<ApiKey | undefined> => {
    const [, text] = BEARER.exec(request.headers.authorization ?? "") ?? [];
    const read = text === undefined ? undefined : readKeyText(text);
    if (read === undefined) return undefined;
    if (failures.waitMs(networkOf(request.ip), failuresPerMinute) > 0) {
      // A guess costs no query here. What is no guess is looked up as always, for it may have been revoked.
      const candidate = await keys.findListed(read.id);
      if (candidate === undefined || !isSecretOf(candidate, read.secretHash)) return undefined;
    }
    const key = await keys.find(read.id);
    return key !== undefined && isSecretOf(key, read.secretHash) && isUsable(key, clock.nowMs()) ? key : undefined;
  };

  return {
    async authenticate(request, scope) {
      // Who has a key is counted by it alone, whatever others do from the same address, which may be a proxy's.
      const key = await keyOf(request);
      if (key === undefined) {
        const waitMs = failures.take(networkOf(request.ip), failuresPerMinute);
        if (waitMs > 0) throw tooMany(waitMs);
        throw new Problem("unauthorized", "send a valid API key: Authorization: Bearer fq_…", {
          headers: { "www-authenticate": 'Bearer realm="feiqian"' },
        });
      }
      request.caller = key;
      const waitMs = requests.take(key.id, key.rateLimit);
      if (waitMs > 0) throw tooMany(waitMs);
      if (!key.scopes.includes(scope)) throw new Problem("forbidden", `the key lacks the scope "${scope}"`);
    },

    async whyEnded(caller, what) {
      const key = await keys.find(caller.id);
      if (key === undefined || key.revokedAt !== undefined) return refused("unauthorized", "the key was revoked");
      if (!isUsable(key, clock.nowMs())) return refused("unauthorized", "the key has expired");
      if (what === "request" || key.successor === caller.successor) return undefined;
      return refused("unauthorized", `the key was rotated: its successor is ${key.successor}`);
    },

    refresh: keys.refresh,

    grants(caller) {
      const { id, rateLimit } = caller;
      let counted = 1;
      return (atMost) => {
        const transfers = counted + requests.takeUpTo(id, rateLimit, atMost - counted);
        counted = 0;
        if (transfers > 0) return { kind: "granted", transfers };
        // As many as come in a second, so that what waits does not go on one by one.
        const next = Math.max(1, Math.min(atMost, Math.floor(rateLimit / SECONDS_A_MINUTE)));
        return { kind: "exhausted", waitMs: requests.waitMs(id, rateLimit, next) };
      };
    },

    forget: keys.forget,
  };
}

interface KeyCache extends Pick<Authenticator, "refresh" | "forget"> {
  /** As the store has said within the last second. */
  find(id: string): Promise<ApiKeyWithHash | undefined>;
  /** Of those that could be used a while ago: one query for all that are guessed meanwhile, however many. */
  findListed(id: string): Promise<ApiKeyWithHash | undefined>;
}

function createKeyCache({ db, clock }: Pick<KernelContext, "db" | "clock">): KeyCache {
  const cache = new Map<string, { readonly key: ApiKeyWithHash; readonly readAtMs: number }>();
  let listed: { readonly keys: Promise<ReadonlyMap<string, ApiKeyWithHash>>; readonly atMs: number } | undefined;

  const refresh = async (ids: readonly string[]): Promise<void> => {
    // Before the question: what is known is as old as that.
    const readAtMs = clock.nowMs();
    const found = new Map((await findApiKeys(db, ids)).map((key) => [key.id, key]));
    if (cache.size + found.size > MAX_CACHED) cache.clear();
    for (const id of ids) {
      const key = found.get(id);
      if (key === undefined) cache.delete(id);
      else cache.set(id, { key, readAtMs });
    }
  };

  return {
    refresh,
    async find(id) {
      const cached = cache.get(id);
      if (cached !== undefined && !isPast(clock, cached.readAtMs, CACHE_MS)) return cached.key;
      await refresh([id]);
      return cache.get(id)?.key;
    },
    async findListed(id) {
      const nowMs = clock.nowMs();
      if (listed === undefined || isPast(clock, listed.atMs, LIST_MS)) {
        const keys = usableApiKeys(db, nowMs).then((list) => new Map(list.map((key) => [key.id, key])));
        listed = { keys, atMs: nowMs };
        keys.catch(() => (listed = undefined));
      }
      return (await listed.keys).get(id);
    },
    forget() {
      cache.clear();
      listed = undefined;
    },
  };
}

/** @param waitMs after which it is worth trying again */
export function tooMany(waitMs: number): Problem {
  const seconds = retryAfterSeconds(waitMs);
  return new Problem("rate-limited", `try again in ${seconds} s`, { retryAfterSeconds: seconds });
}
