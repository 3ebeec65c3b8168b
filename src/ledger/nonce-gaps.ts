import type { SteadyClock } from "../kernel/clock/clock.ts";

// Some nodes (Besu) count what waits for a block as the highest nonce that they have, plus one, whether or not those
// below are there. A transaction that they have lost then leaves a gap that they tell nobody of, and everything above it
// waits forever. Only the count of what is in blocks shows it: it stands still at the gap.

export interface GapOptions {
  readonly clock: SteadyClock;
  readonly pollIntervalMs: number;
  /** How long a nonce may take to be used. */
  readonly patienceMs: number;
  /** How many nonces of the key are used in blocks, and up to which block. */
  readonly usedNonces: () => Promise<{ readonly used: number; readonly block: number }>;
  /**
   * Fills the nonce that the ledger is at, where nothing of this process waits to take it.
   * @returns the nonce; undefined where there is nothing to fill
   */
  readonly fill: () => Promise<number | undefined>;
}

/** A node keeps no more than some hundred transactions of one key that wait for others. */
const MAX_GAPS = 256;

/** Fills gaps one after the other, for what waits above one takes the nonces up to the next by itself. */
export async function fillGaps(options: GapOptions): Promise<void> {
  for (let filled = 0; filled < MAX_GAPS; filled++) {
    const nonce = await options.fill();
    if (nonce === undefined || !(await standsBehind(nonce, options))) return;
  }
}

/** Waits until a nonce is used and the count stands still again, for the length of a block. */
async function standsBehind(nonce: number, options: GapOptions): Promise<boolean> {
  const { clock, pollIntervalMs, patienceMs, usedNonces } = options;
  const untilMs = clock.nowMs() + patienceMs;
  let moved: { readonly used: number; readonly block: number } | undefined;
  for (;;) {
    const now = await usedNonces();
    if (moved?.used !== now.used) moved = now;
    else if (now.used > nonce && now.block > moved.block) return true;
    if (clock.nowMs() >= untilMs) return now.used > nonce;
    await clock.sleep(pollIntervalMs);
  }
}
