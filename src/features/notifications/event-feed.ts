import type { EventJson } from "../../schema/network.ts";
import type { ProblemJson } from "../../schema/problems.ts";
import type { RelayContext } from "../context.ts";
import { lastEventSeq } from "../../kernel/store/events.ts";

/** Tells streams that there are new events: one question to the store, however many streams there are. */
export interface EventFeed {
  /**
   * Waits for events after `seq`, for `atMostMs`.
   * @returns true when there are some, or the signal is aborted; false when none have come in that time
   */
  wait(seq: bigint, atMostMs: number, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

/** How often the store is asked while nobody says that there is something. */
const POLL_INTERVAL_MS = 250;

export function createEventFeed({ db, wake, log }: Pick<RelayContext, "db" | "wake" | "log">): EventFeed {
  const waiting = new Set<{ readonly seq: bigint; readonly done: () => void }>();
  let timer: NodeJS.Timeout | undefined;
  let asking = false;

  const look = async (): Promise<void> => {
    if (asking || waiting.size === 0) return;
    asking = true;
    try {
      const last = await lastEventSeq(db);
      for (const waiter of waiting) if (last > waiter.seq) waiter.done();
    } catch (error) {
      log.warn({ error }, "cannot look for events; streams wait");
    } finally {
      asking = false;
    }
  };
  // Who writes events wakes the notifier.
  const unlisten = wake.onWake((step) => {
    if (step === "notifier") void look();
  });

  return {
    wait(seq, atMostMs, signal) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const waiter = { seq, done: () => resolve(true) };
      const late = setTimeout(() => resolve(false), atMostMs);
      signal.addEventListener("abort", waiter.done);
      waiting.add(waiter);
      timer ??= setInterval(() => void look(), POLL_INTERVAL_MS);
      return promise.finally(() => {
        clearTimeout(late);
        signal.removeEventListener("abort", waiter.done);
        waiting.delete(waiter);
        if (waiting.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      });
    },
    close() {
      unlisten();
      clearInterval(timer);
      for (const waiter of waiting) waiter.done();
    },
  };
}

/** An event as server-sent events have it (HTML, 9.2.6). Its id is what `Last-Event-ID` brings back. */
export function sseOf(event: EventJson): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Why a stream ends: the last that it says. Without an id: it is no event to go on after. */
export function sseProblem(problem: ProblemJson): string {
  return `event: problem\ndata: ${JSON.stringify(problem)}\n\n`;
}
