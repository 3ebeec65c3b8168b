import { systemClock } from "../../../src/kernel/clock/clock.ts";

/** How fast a ledger is: nothing here waits for a fixed time. */
export interface Pace {
  /** From sending a transaction to having its receipt. */
  readonly roundTripMs: number;
  /** How long to wait for what takes a few blocks. */
  readonly deadlineMs: number;
  readonly pollIntervalMs: number;
}

const ROUND_TRIPS = 20;
const LEAST_DEADLINE_MS = 20_000;

export function paceOf(roundTripMs: number): Pace {
  return {
    roundTripMs,
    deadlineMs: Math.max(LEAST_DEADLINE_MS, ROUND_TRIPS * roundTripMs),
    pollIntervalMs: Math.min(250, Math.max(25, Math.round(roundTripMs / 10))),
  };
}

/**
 * Looks until something is there.
 * @throws Error that says what was not, and after how long
 */
export async function eventually<Found>(
  pace: Pace,
  what: string,
  look: () => Promise<Found | undefined>,
): Promise<Found> {
  const found = await within(pace, pace.deadlineMs, look);
  if (found !== undefined) return found;
  const trips = Math.round(pace.deadlineMs / pace.roundTripMs);
  throw new Error(`${what}: not within ${pace.deadlineMs} ms, in which ${trips} transactions go one after the other`);
}

/** Looks for so long whether something is there. */
export async function within<Found>(
  { pollIntervalMs }: Pace,
  timeoutMs: number,
  look: () => Promise<Found | undefined>,
): Promise<Found | undefined> {
  for (const until = systemClock.nowMs() + timeoutMs; ;) {
    const found = await look();
    if (found !== undefined || systemClock.nowMs() >= until) return found;
    await systemClock.sleep(pollIntervalMs);
  }
}
