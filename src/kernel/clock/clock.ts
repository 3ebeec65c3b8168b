import { setTimeout as delay } from "node:timers/promises";

/** Time as a parameter, so that tests decide what passes. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** @param signal ends the sleep early, which then rejects with the signal's reason or an AbortError */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/** Whether a time is so long ago. One that is to come is, too: the clock has been set back, and how long ago it was is not known. */
export function isPast(clock: Pick<Clock, "nowMs">, sinceMs: number, durationMs: number): boolean {
  const ageMs = clock.nowMs() - sinceMs;
  return ageMs >= durationMs || ageMs < 0;
}

/** How much is left of a duration: nothing where the clock has been set back since. */
export function leftMs(clock: Pick<Clock, "nowMs">, sinceMs: number, durationMs: number): number {
  return isPast(clock, sinceMs, durationMs) ? 0 : sinceMs + durationMs - clock.nowMs();
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (durationMs, signal) => delay(durationMs, undefined, signal === undefined ? {} : { signal }),
};

/** Milliseconds since some moment, by a clock that nobody sets: it runs on while the process is stopped. */
export type StopwatchMs = () => number;

export const stopwatchMs: StopwatchMs = () => performance.now();

/** For durations, which end neither early nor late when the machine's clock is set. */
export interface SteadyClock extends Pick<Clock, "sleep"> {
  readonly nowMs: StopwatchMs;
}

export const steadyClock: SteadyClock = {
  nowMs: stopwatchMs,
  sleep: (durationMs, signal) => systemClock.sleep(durationMs, signal),
};
