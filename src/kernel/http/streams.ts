import type { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import type { KernelContext } from "../context.ts";
import type { Refusal } from "../refusal.ts";
import type { ApiKey } from "../access/store.ts";
import type { Authenticator } from "../access/auth.ts";
import { Problem } from "./problem.ts";

/** A request that goes on for as long as its caller likes: its key is looked at again and again. */
export interface OpenStream {
  /** Aborted once the key does not work any more. */
  readonly ended: AbortSignal;
  /**
   * @returns undefined where the store has said within the last second that the key works; otherwise why it does not
   * @throws Error when the store cannot tell
   */
  whyEnded(): Promise<Refusal | undefined>;
  close(): void;
}

export interface Streams {
  /** Throws a problem when the key, or all of them together, have as many streams open as they may. */
  open(caller: ApiKey): OpenStream;
  close(): void;
}

export interface StreamLimits {
  /** Streams that one key may have open in one process. */
  readonly perKey: number;
  /** Streams that one process keeps open. */
  readonly overall: number;
}

/** How often the store is asked about the keys of all streams that are open: one question, however many there are. */
const CHECK_INTERVAL_MS = 250;
const RETRY_AFTER = { retryAfterSeconds: 10 };

export function createStreams(
  { log }: Pick<KernelContext, "log">,
  auth: Pick<Authenticator, "whyEnded" | "refresh">,
  { perKey, overall }: StreamLimits,
): Streams {
  const open = new Set<{ readonly caller: ApiKey; readonly end: (why: Refusal) => void }>();
  let timer: NodeJS.Timeout | undefined;
  let checking = false;

  const check = async (): Promise<void> => {
    if (checking) return;
    checking = true;
    try {
      await auth.refresh([...new Set([...open].map(({ caller }) => caller.id))]);
      for (const { caller, end } of open) {
        const why = await auth.whyEnded(caller, "stream");
        if (why !== undefined) end(why);
      }
    } catch (error) {
      // Nothing goes through meanwhile: each stream asks again before it takes or gives anything.
      log.warn({ error }, "cannot look at the keys of open streams");
    } finally {
      checking = false;
    }
  };

  return {
    open(caller) {
      if (open.size >= overall) throw new Problem("rate-limited", "too many streams are open", RETRY_AFTER);
      const own = [...open].filter((stream) => stream.caller.id === caller.id).length;
      if (own >= perKey) {
        throw new Problem("rate-limited", `the key has ${perKey} streams open: close some first`, RETRY_AFTER);
      }
      const ended = new AbortController();
      let ending: Refusal | undefined;
      const stream = {
        caller,
        end(why: Refusal) {
          ending ??= why;
          ended.abort();
        },
      };
      open.add(stream);
      timer ??= setInterval(() => void check(), CHECK_INTERVAL_MS);
      return {
        ended: ended.signal,
        whyEnded: async () => ending ?? (await auth.whyEnded(caller, "stream")),
        close() {
          open.delete(stream);
          if (open.size > 0) return;
          clearInterval(timer);
          timer = undefined;
        },
      };
    },
    close() {
      clearInterval(timer);
    },
  };
}

/** A stream is sent as it is: no schema of the route is about it. */
export function sendStream(reply: FastifyReply, stream: Readable): FastifyReply {
  return reply.code(200).header("cache-control", "no-store").header("x-accel-buffering", "no").send(stream);
}
