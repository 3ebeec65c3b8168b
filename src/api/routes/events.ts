import { Readable } from "node:stream";
import type { FastifyPluginAsync } from "fastify";
import { z } from "zod/v4";
import { eventsQuerySchema, eventsResponseSchema, eventStreamQuerySchema } from "../../contract/network.ts";
import { eventJson } from "../../relay/event-json.ts";
import { eventsAfter, lastEventSeq } from "../../store/events.ts";
import { sseOf } from "../event-feed.ts";
import { numberOf } from "../../store/values.ts";
import { Problem } from "../problem.ts";
import type { ApiContext } from "../context.ts";
import { responses, routes } from "./route.ts";
import { sendStream } from "./transfers.ts";

/** Streams of events that one process keeps open. */
const MAX_STREAMS = 500;
const EVENTS_PER_READ = 200;
const HEARTBEAT_MS = 15_000;

/** What happened, under one cursor: as pages, and as a stream that goes on. */
export function eventRoutes(context: ApiContext): FastifyPluginAsync {
  const { relay, closing } = context;
  let streams = 0;
  return routes((app) => {
    app.get(
      "/v1/events",
      {
        config: { scope: "read" },
        schema: {
          operationId: "listEvents",
          summary: "What happened after an event",
          tags: ["events"],
          querystring: eventsQuerySchema,
          ...responses({ 200: eventsResponseSchema }),
        },
      },
      async ({ query }) => {
        const limit = Number.parseInt(query.limit, 10);
        const events = await eventsAfter(relay.db, BigInt(query.after), limit, query.type?.split(","));
        return { events: events.map(eventJson), next: numberOf(events.at(-1)?.seq ?? BigInt(query.after)) };
      },
    );
    app.get(
      "/v1/events/stream",
      {
        config: { scope: "read" },
        schema: {
          operationId: "streamEvents",
          summary: "What happens, as server-sent events",
          description:
            "Each event's id is its seq: the header Last-Event-ID, or the parameter after, goes on after it.",
          tags: ["events"],
          querystring: eventStreamQuerySchema,
          produces: ["text/event-stream"],
          ...responses({ 200: z.string() }),
        },
      },
      async (request, reply) => {
        if (streams >= MAX_STREAMS) {
          throw new Problem("rate-limited", "too many streams are open here", { headers: { "retry-after": "10" } });
        }
        const after = await startOf(context, request.headers["last-event-id"], request.query.after);
        const gone = new AbortController();
        const stopping = AbortSignal.any([closing, gone.signal]);
        const types = request.query.type?.split(",");
        streams += 1;
        reply.raw.once("close", () => {
          streams -= 1;
          gone.abort();
        });
        const events = streamEvents(context, after, types, stopping);
        return sendStream(
          reply.type("text/event-stream"),
          Readable.from(events, { objectMode: true, highWaterMark: 1 }),
        );
      },
    );
  });
}

/** After the event that was seen last; where none is told, from now on. */
async function startOf(
  { relay }: ApiContext,
  lastEventId: string | string[] | undefined,
  after: string | undefined,
): Promise<bigint> {
  const given = lastEventId ?? after;
  if (given === undefined) return lastEventSeq(relay.db);
  if (typeof given === "string" && /^[0-9]{1,15}$/.test(given)) return BigInt(given);
  throw new Problem("invalid-request", "the seq of an event", { field: "Last-Event-ID" });
}

async function* streamEvents(
  { relay, feed }: ApiContext,
  start: bigint,
  types: readonly string[] | undefined,
  stopping: AbortSignal,
): AsyncGenerator<string> {
  let after = start;
  yield "retry: 1000\n\n";
  while (!stopping.aborted) {
    // Before the events: what is not among them, up to here, is of other types, and need not be looked at again.
    const last = types === undefined ? after : await lastEventSeq(relay.db);
    const events = await eventsAfter(relay.db, after, EVENTS_PER_READ, types);
    for (const event of events) yield sseOf(eventJson(event));
    after = events.at(-1)?.seq ?? (last > after ? last : after);
    if (events.length === EVENTS_PER_READ) continue;
    const woken = await feed.wait(after, HEARTBEAT_MS, stopping);
    if (!woken) yield ": still here\n\n";
  }
}
