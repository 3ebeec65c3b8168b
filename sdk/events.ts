import { setTimeout as delay } from "node:timers/promises";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { eventSchema } from "../src/schema/network.ts";
import { backoffMs } from "../src/kernel/retry.ts";
import { askRoute } from "./ask.ts";
import { readAnswer, RelayProblem, type Connection } from "./http.ts";
import type { EventJson } from "./types.ts";

export interface FollowOptions {
  /** The id of the last event that was dealt with; "0" for all that the relay has. Keep it with what the event changed. */
  readonly after: string;
  /** Only these types; all where it is left out. */
  readonly types?: readonly string[];
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
  /** How long a stream may be silent, its heartbeats included, before it is given up; 45 seconds by default. */
  readonly silenceMs?: number;
  /**
   * The relay's database was restored to an earlier state, and does not have the event any more that was read last. The
   * events go on after `goOn` once this has returned: keep that as the last one that was dealt with. Among what comes may
   * be what is known under another id. Where it is left out, the iteration throws the problem.
   */
  readonly onLost?: (goOn: string, problem: RelayProblem) => void | Promise<void>;
}

const DEFAULT_SILENCE_MS = 45_000;
const PAGE_SIZE = 500;
/** Between two attempts while nothing comes. */
const MAX_DELAY_MS = 5_000;
/** Problems that no repetition fixes. */
const HOPELESS = new Set([400, 401, 403, 410]);

/**
 * Events in their order: from the server-sent stream while it holds, and from pages whenever it does not, going on after
 * the last one that was taken.
 * @throws RelayProblem when the relay does not let the caller have them
 */
export async function* followEvents(connection: Connection, options: FollowOptions): AsyncGenerator<EventJson> {
  const backoff = { firstDelayMs: connection.firstDelayMs, maxDelayMs: MAX_DELAY_MS };
  const isStopped = (): boolean => options.signal?.aborted ?? false;
  let after = options.after;
  /** Its number, which is above those of all that were read before; 0 where that is not known. */
  let seq = 0;
  let quiet = 0;
  while (!isStopped()) {
    const before = after;
    // Pages fill the gap that a broken stream leaves, and stand in for it where there is none.
    for (const source of [streamFrom, pagesFrom]) {
      try {
        for await (const event of source(connection, after, options)) {
          if (event.seq <= seq) continue;
          ({ id: after, seq } = event);
          yield event;
        }
      } catch (failure) {
        if (isStopped()) return;
        const goOn = failure instanceof RelayProblem ? failure.goOn : undefined;
        if (goOn !== undefined && goOn !== after && options.onLost !== undefined) {
          await options.onLost(goOn, failure as RelayProblem); // it has told where to go on
          [after, seq] = [goOn, 0];
        } else if (isHopeless(failure)) throw failure;
      }
    }
    quiet = after === before ? quiet + 1 : 1;
    await pause(backoffMs(quiet, backoff), options.signal);
  }
}

/** All that there is after an event, page by page. */
async function* pagesFrom(
  connection: Connection,
  after: string,
  { types, signal }: FollowOptions,
): AsyncGenerator<EventJson> {
  for (let next = after; ;) {
    const { value } = await askRoute(connection, "GET /v1/events", {
      query: { after: next, limit: String(PAGE_SIZE), type: types?.join(",") },
      ...(signal === undefined ? {} : { signal }),
    });
    yield* value.events;
    if (value.events.length === 0 || value.next === next) return;
    next = value.next;
  }
}

/** The stream, until it ends or falls silent. */
async function* streamFrom(
  connection: Connection,
  after: string,
  { types, signal, silenceMs = DEFAULT_SILENCE_MS }: FollowOptions,
): AsyncGenerator<EventJson> {
  const silent = new AbortController();
  const timer = setTimeout(() => {
    silent.abort(new Error(`the stream has been silent for ${silenceMs} ms`));
  }, silenceMs);
  // The connection keeps a program running for as long as it is wanted; this must not on its own.
  timer.unref();
  const received: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => received.push(message) });
  try {
    const response = await connection.open("/v1/events/stream", "text/event-stream", {
      query: { after, type: types?.join(",") },
      signal: signal === undefined ? silent.signal : AbortSignal.any([silent.signal, signal]),
    });
    const decoder = new TextDecoder();
    // fetch's own type does not say what its chunks are.
    const body: AsyncIterable<Uint8Array> | null = response.body;
    for await (const chunk of body ?? []) {
      timer.refresh();
      parser.feed(decoder.decode(chunk, { stream: true }));
      for (const message of received.splice(0)) {
        // Why the relay ends the stream: whether the key still works is seen when it is asked again.
        if (message.event === "problem") return;
        yield readAnswer(eventSchema, message.data);
        // The caller's time is not the relay's silence.
        timer.refresh();
      }
    }
  } finally {
    clearTimeout(timer);
    silent.abort();
  }
}

function isHopeless(failure: unknown): boolean {
  return failure instanceof RelayProblem && HOPELESS.has(failure.status);
}

async function pause(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(durationMs, undefined, signal === undefined ? {} : { signal });
  } catch (failure) {
    if (signal?.aborted !== true) throw failure;
  }
}
