import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import type { Authenticator } from "../access/auth.ts";
import type { ApiKey } from "../access/store.ts";
import type { Readiness } from "../telemetry/health.ts";
import type { StreamLimits, Streams } from "./streams.ts";

/** What the routes of features work with, besides what is their own. */
export interface HttpContext {
  readonly auth: Authenticator;
  readonly streams: Streams;
  /** Aborted when the server is closing: streams end. */
  readonly closing: AbortSignal;
}

/** Makes the routes of one feature. */
export type RoutesOf = (http: HttpContext) => FastifyPluginAsync;

export interface ServerOptions {
  /** What callers with an API key can ask for; every operator action among it is audited. */
  readonly routes: readonly RoutesOf[];
  /** Routes that have their own authentication, and are no part of the API's document. */
  readonly otherRoutes?: readonly FastifyPluginAsync[];
  /** The types of events that there are, for the API's document. */
  readonly eventTypes: readonly string[];
  /** The alarms that there are, for the API's document. */
  readonly alarmCodes: readonly string[];
  /** Groups of routes in the API's document. */
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  /** What /readyz tells. */
  readonly readiness: () => Promise<Readiness>;
  /** Requests a minute from one address that may come without a valid key; 60 unless told. */
  readonly failuresPerMinute?: number;
  /** How many streams may be open at a time; 32 of a key and 500 in all unless told. */
  readonly streamLimits?: StreamLimits;
  /** The proxies in front whose `x-forwarded-for` is believed; none unless told. */
  readonly trustProxy?: string;
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
