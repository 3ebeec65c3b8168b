import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import type { RelayContext } from "../relay/context.ts";
import type { Readiness } from "../relay/health.ts";
import type { Intake } from "../relay/intake.ts";
import type { ApiKey } from "../store/api-keys.ts";
import type { Authenticator } from "./auth.ts";
import type { EventFeed } from "./event-feed.ts";
import type { StreamLimits, Streams } from "./streams.ts";

export interface ServerExtras {
  /** What /readyz tells. */
  readonly readiness: () => Promise<Readiness>;
  /** What other relays call; it has its own authentication. */
  readonly peerRoutes?: FastifyPluginAsync;
  /** Requests a minute from one address that may come without a valid key; 60 unless told. */
  readonly failuresPerMinute?: number;
  /** How many streams may be open at a time; 32 of a key and 500 in all unless told. */
  readonly streamLimits?: StreamLimits;
  /** The proxies in front whose `x-forwarded-for` is believed; none unless told. */
  readonly trustProxy?: string;
}

/** What the routes work with. */
export interface ApiContext {
  readonly relay: RelayContext;
  readonly extras: ServerExtras;
  readonly intake: Intake;
  readonly auth: Authenticator;
  readonly feed: EventFeed;
  readonly streams: Streams;
  /** Aborted when the server is closing: streams end. */
  readonly closing: AbortSignal;
}

/** How the log names a request, as a URI. */
export function instanceOf({ id }: FastifyRequest): string {
  return `urn:feiqian:request:${id}`;
}

/** The key of a request to a route that asks for one. */
export function callerOf({ caller }: FastifyRequest): ApiKey {
  if (caller === undefined) throw new Error("a request got past its key's check");
  return caller;
}
