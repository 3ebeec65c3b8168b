import { Readable } from "node:stream";
import { z } from "zod/v4";
import { eventsQuerySchema, eventsResponseSchema, eventStreamQuerySchema } from "../../schema/network.ts";
import { eventJson } from "./event-json.ts";
import { eventsAfter } from "../../kernel/store/events.ts";
import { findPlace, FROM_THE_START, headOf } from "../../kernel/store/feeds.ts";
import { cursorLost, placeOf } from "../../kernel/http/cursors.ts";
import { createEventFeed, sseOf, sseProblem, type EventFeed } from "./event-feed.ts";
import { problemJson } from "../../kernel/http/problem.ts";
import { sendStream, type OpenStream } from "../../kernel/http/streams.ts";
import { callerOf, instanceOf, type HttpContext, type RoutesOf } from "../../kernel/http/context.ts";
import type { RelayContext } from "../context.ts";
import { responses, routes } from "../../kernel/http/route.ts";

interface Context extends HttpContext {
  readonly relay: RelayContext;
  readonly feed: EventFeed;
}

const EVENTS_PER_READ = 200;
const HEARTBEAT_MS = 15_000;

/** What happened, under one cursor: as pages, and as a stream that goes on. */
export function eventRoutes(relay: RelayContext): RoutesOf {
  const feed = createEventFeed(relay);
  return (http) =>
    routes((app) => {
      const context = { ...http, relay, feed };
      const { closing, streams } = context;
      app.addHook("preClose", () => {
        feed.close();
        return Promise.resolve();
      });
      app.get(
        "/v1/events",
        {
          config: { scope: "read" },
          schema: {
            operationId: "listEvents",
            summary: "What happened after an event",
            tags: ["events"],
            querystring: eventsQuerySchema,
            ...responses({ 200: eventsResponseSchema }, ["cursor-lost"]),
          },
        },
        async ({ query }) => {
          const limit = Number.parseInt(query.limit, 10);
          const { seq, cursor } = await placeOf(relay.db, "events", query.after, "after");
          const events = await eventsAfter(relay.db, seq, limit, query.type?.split(","));
          return { events: events.map(eventJson), next: events.at(-1)?.id ?? cursor };
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
              "The header Last-Event-ID, or the parameter after, goes on after the event of that id. Where the key does not work any more, or was rotated, the stream ends within a second, with a last event of type problem; and so it does where the relay's database was restored behind it.",
            tags: ["events"],
            querystring: eventStreamQuerySchema,
            produces: ["text/event-stream"],
            ...responses({ 200: z.string() }, ["cursor-lost"]),
          },
        },
        async (request, reply) => {
          const after = await startOf(context, request.headers["last-event-id"], request.query.after);
          const types = request.query.type?.split(",");
          const gone = new AbortController();
          const stream = streams.open(callerOf(request));
          reply.raw.once("close", () => {
            stream.close();
            gone.abort();
          });
          const stopping = AbortSignal.any([closing, gone.signal]);
          const events = streamEvents(context, {
            start: after,
            types,
            stopping,
            stream,
            instance: instanceOf(request),
          });
          return sendStream(
            reply.type("text/event-stream"),
            Readable.from(events, { objectMode: true, highWaterMark: 1 }),
          );
        },
      );
    });
}

interface Place {
  readonly seq: bigint;
  readonly cursor: string;
}

/** After the event that was seen last; where none is told, from now on. */
async function startOf(
  { relay }: Context,
  lastEventId: string | string[] | undefined,
  after: string | undefined,
): Promise<Place> {
  if (lastEventId !== undefined) return placeOf(relay.db, "events", String(lastEventId), "Last-Event-ID");
  return after === undefined ? headOf(relay.db, "events") : placeOf(relay.db, "events", after, "after");
}

interface StreamOptions {
  readonly start: Place;
  readonly types: readonly string[] | undefined;
  readonly stopping: AbortSignal;
  readonly stream: OpenStream;
  readonly instance: string;
}

async function* streamEvents(
  { relay, feed }: Context,
  { start, types, stopping, stream, instance }: StreamOptions,
): AsyncGenerator<string> {
  const interrupted = AbortSignal.any([stopping, stream.ended]);
  let place = start;
  yield "retry: 1000\n\n";
  while (!stopping.aborted) {
    const why = await stream.whyEnded();
    if (why !== undefined) {
      yield sseProblem(problemJson(relay.problems, why, instance));
      return;
    }
    // Before the events: what is not among them, up to here, is of other types, and need not be looked at again.
    const head = await headOf(relay.db, "events");
    const found = await findPlace(relay.db, "events", place.cursor);
    if (found?.kind !== "here") {
      // The database is not the one any more that was read: whoever reads on is told where.
      const { refusal } = cursorLost(found?.goOn ?? FROM_THE_START, "Last-Event-ID");
      yield sseProblem(problemJson(relay.problems, refusal, instance));
      return;
    }
    const events = await eventsAfter(relay.db, found.seq, EVENTS_PER_READ, types);
    for (const event of events) yield sseOf(eventJson(event));
    const last = events.at(-1);
    if (last !== undefined) place = { seq: last.seq, cursor: last.id };
    else if (head.seq > found.seq) place = head;
    if (events.length === EVENTS_PER_READ) continue;
    const woken = await feed.wait(place.seq, HEARTBEAT_MS, interrupted);
    if (!woken) yield ": still here\n\n";
  }
}
