import { isPast, type Clock } from "../../kernel/clock/clock.ts";

/**
 * Sums of the store that are long to add up, estimated: between two readings this process counts what it takes itself;
 * what others take is seen at the next.
 */
export interface Estimate<Key> {
  /** Reads anew what is old. */
  current(): Promise<void>;
  /** Reads anew, for who has found too little; but not more often than every few milliseconds. */
  again(): Promise<void>;
  /** Reads anew, for who knows that the store has more now: what is being read already may be without that. */
  afresh(): Promise<void>;
  /** Undefined where nothing is known. */
  get(key: Key): bigint | undefined;
  take(key: Key, minor: bigint): void;
}

/** A reading is used for this long… */
const TIME_TO_LIVE_MS = 200;
/** …or, where reading is slow, for this many times what it takes: with much waiting it is a long sum. */
const READING_SHARE = 20;
/** Who finds too little looks again, but not more often than this. */
const LEAST_AGE_MS = 20;

export function createEstimate<Key>(clock: Clock, load: () => Promise<ReadonlyMap<Key, bigint>>): Estimate<Key> {
  let sums = new Map<Key, bigint>();
  let readAtMs = -Infinity;
  let timeToLiveMs = 0;
  let reading: Promise<void> | undefined;

  const read = (): Promise<void> => {
    reading ??= (async () => {
      const startedMs = clock.nowMs();
      sums = new Map(await load());
      readAtMs = clock.nowMs();
      timeToLiveMs = Math.max(TIME_TO_LIVE_MS, (readAtMs - startedMs) * READING_SHARE);
    })().finally(() => (reading = undefined));
    return reading;
  };

  return {
    async current() {
      if (isPast(clock, readAtMs, timeToLiveMs)) await read();
    },
    async again() {
      if (isPast(clock, readAtMs, LEAST_AGE_MS)) await read();
    },
    async afresh() {
      await reading?.catch(() => undefined);
      await read();
    },
    get: (key) => sums.get(key),
    take(key, minor) {
      const known = sums.get(key);
      if (known !== undefined) sums.set(key, known - minor);
    },
  };
}
