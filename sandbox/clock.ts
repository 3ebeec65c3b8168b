import type { Clock } from "../src/kernel/clock/clock.ts";

/** The time of all that runs in the sandbox's process: the machine's, and as much more as it has been advanced. */
export interface SandboxClock extends Clock {
  readonly advancedMs: () => number;
  /** Goes forwards at once. */
  advance(durationMs: number): void;
  /** Wakes whoever sleeps until a time that has come by that. */
  wake(): void;
}

/** A clock that is the machine's until it is advanced. */
export function createSandboxClock(machine: Clock): SandboxClock {
  let advancedMs = 0;
  const sleepers = new Set<{ readonly untilMs: number; readonly end: AbortController }>();
  const nowMs = (): number => machine.nowMs() + advancedMs;
  return {
    nowMs,
    advancedMs: () => advancedMs,
    advance(durationMs) {
      advancedMs += durationMs;
    },
    wake() {
      for (const { untilMs, end } of sleepers) if (untilMs <= nowMs()) end.abort();
    },
    async sleep(durationMs, signal) {
      const end = new AbortController();
      const sleeper = { untilMs: nowMs() + durationMs, end };
      const endEarly = () => end.abort(signal?.reason);
      if (signal?.aborted === true) endEarly();
      signal?.addEventListener("abort", endEarly, { once: true });
      sleepers.add(sleeper);
      try {
        await machine.sleep(durationMs, end.signal);
      } catch (failure) {
        if (!end.signal.aborted || signal?.aborted === true) throw failure;
      } finally {
        sleepers.delete(sleeper);
        signal?.removeEventListener("abort", endEarly);
      }
    },
  };
}
