import { setTimeout as delay } from "node:timers/promises";

/** Time as a parameter, so that tests decide what passes. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  sleep(durationMs: number): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (durationMs) => delay(durationMs),
};
