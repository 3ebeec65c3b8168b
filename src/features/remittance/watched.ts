import type { Hex } from "../../domain/bytes/hex.ts";

/** What the watcher has come to in this process. None of it decides anything that the store does not. */
export interface Watched {
  /** The latest block when all was read; undefined while there is more to read. */
  caughtUpAt: Hex | undefined;
  /** When unknown signatures were counted last. Milliseconds since the epoch. */
  countedAtMs: number | undefined;
}

export function nothingWatched(): Watched {
  return { caughtUpAt: undefined, countedAtMs: undefined };
}
