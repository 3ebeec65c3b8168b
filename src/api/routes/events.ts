import { Readable } from "node:stream";
import type { FastifyPluginAsync } from "fastify";
import { z } from "zod/v4";
import { eventsQuerySchema, eventsResponseSchema, eventStreamQuerySchema } from "../../contract/network.ts";
import { eventJson } from "../../relay/event-json.ts";
import { eventsAfter, lastEventSeq } from "../../store/events.ts";
import { sseOf, sseProblem } from "../event-feed.ts";
import { numberOf } from "../../store/values.ts";
import { Problem, problemJson } from "../problem.ts";
import type { OpenStream } from "../streams.ts";
import { callerOf, instanceOf, type ApiContext } from "../context.ts";
import { responses, routes } from "./route.ts";
import { sendStream } from "./transfers.ts";

const EVENTS_PER_READ = 200;
const HEARTBEAT_MS = 15_000;

/** What happened, under one cursor: as pages, and as a stream that goes on. */
export function eventRoutes(context: ApiContext): FastifyPluginAsync {
  const { relay, closing, streams } = context;
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
            "Each event's id is its seq: the header Last-Event-ID, or the parameter after, goes on after it. Where the key does not work any more, or was rotated, the stream ends within a second, with a last event of type problem.",
          tags: ["events"],
          querystring: eventStreamQuerySchema,
          produces: ["text/event-stream"],
          ...responses({ 200: z.string() }),
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
        const events = streamEvents(context, { start: after, types, stopping, stream, instance: instanceOf(request) });
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

interface StreamOptions {
  readonly start: bigint;
  readonly types: readonly string[] | undefined;
  readonly stopping: AbortSignal;
  readonly stream: OpenStream;
  readonly instance: string;
}

async function* streamEvents(
  { relay, feed }: ApiContext,
  { start, types, stopping, stream, instance }: StreamOptions,
): AsyncGenerator<string> {
  const interrupted = AbortSignal.any([stopping, stream.ended]);
  let after = start;
  yield "retry: 1000\n\n";
  while (!stopping.aborted) {
    const why = await stream.whyEnded();
    if (why !== undefined) {
      yield sseProblem(problemJson(why, instance));
      return;
    }
    // Before the events: what is not among them, up to here, is of other types, and need not be looked at again.
    const last = types === undefined ? after : await lastEventSeq(relay.db);
    const events = await eventsAfter(relay.db, after, EVENTS_PER_READ, types);
    for (const event of events) yield sseOf(eventJson(event));
    after = events.at(-1)?.seq ?? (last > after ? last : after);
    if (events.length === EVENTS_PER_READ) continue;
    const woken = await feed.wait(after, HEARTBEAT_MS, interrupted);
    if (!woken) yield ": still here\n\n";
  }
}
