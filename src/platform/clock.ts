import { setTimeout as delay } from "node:timers/promises";

/** Time as a parameter, so that tests decide what passes. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** @param signal ends the sleep early, which then rejects with the signal's reason or an AbortError */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (durationMs, signal) => delay(durationMs, undefined, signal === undefined ? {} : { signal }),
};
