export interface Backoff {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

/** Where doubling stops, so that the power stays an integer whatever the number of attempts. */
const MAX_DOUBLINGS = 40;

/**
 * How long to wait before the next attempt: doubled from attempt to attempt up to the maximum, and drawn from the upper
 * half of that, so that those who failed together do not come back together.
 * @param attempt how many have failed, from 1
 * @param random a fraction from 0 to below 1
 */
export function backoffMs(
  attempt: number,
  { firstDelayMs, maxDelayMs }: Backoff,
  random: () => number = Math.random,
): number {
  const doublings = Math.min(Math.max(0, attempt - 1), MAX_DOUBLINGS);
  const fullMs = Math.min(maxDelayMs, firstDelayMs * 2 ** doublings);
  return Math.round(fullMs / 2 + (fullMs / 2) * random());
}
