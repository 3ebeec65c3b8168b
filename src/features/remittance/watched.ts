import type { Hex } from "../../domain/bytes/hex.ts";
import type { MoneyPlace } from "../liquidity/store.ts";
import type { LedgerCursor } from "./store/ledger-projection.ts";
import { latestHead, type BlockHead } from "../../ledger/state.ts";
import { isPast, type Clock } from "../../kernel/clock/clock.ts";
import type { Ledger } from "../../ledger/contracts.ts";

/** What the watcher has come to in this process, while it leads. None of it decides anything that the store does not. */
export interface Watched {
  /** The latest block when all was read; undefined while there is more to read. */
  caughtUpAt: Hex | undefined;
  /** Shared with whatever else this process does. */
  readonly latest: LatestSeen;
  /** Whether every registry that the configuration names has been read as far as the cursor: they stay so. */
  hasAllRegistries: boolean;
  /** How far all has been read, as it was written last; undefined where that has to be asked. */
  written: Written | undefined;
  /** Whether signed batches wait to be opened, as the opener has found last; undefined before it has looked. */
  awaitsOpening: boolean | undefined;
  /** Whether there may be batches that wait for their target's answer, where none are proposed any more. */
  mayHaveProposals: boolean;
  /** The block time up to which promises that have lapsed were given up; undefined before that. Seconds. */
  releasedUntilSeconds: number | undefined;
  /** When unknown signatures were counted last. Milliseconds since the epoch. */
  countedAtMs: number | undefined;
}

/** The latest block that a process has seen. */
export interface LatestSeen {
  block: { readonly head: BlockHead; readonly atMs: number } | undefined;
}

export interface Written {
  readonly cursor: LedgerCursor;
  /** Where the store has the own balance at the cursor. */
  readonly places: readonly MoneyPlace[];
}

export function nothingWatched(latest: LatestSeen = { block: undefined }): Watched {
  return {
    caughtUpAt: undefined,
    latest,
    hasAllRegistries: false,
    written: undefined,
    awaitsOpening: undefined,
    mayHaveProposals: true,
    releasedUntilSeconds: undefined,
    countedAtMs: undefined,
  };
}

/** Seconds of block time now: that of the latest block, or the clock's where none has been made for a while. */
export function blockTimeNow({ timeSeconds }: BlockHead, clock: Pick<Clock, "nowMs">): number {
  return Math.max(timeSeconds, Math.floor(clock.nowMs() / 1_000));
}

/** A block that was the latest so long ago is still good for judging what the ledger would say. */
const LATEST_IS_GOOD_FOR_MS = 1_000;

/** The latest block: as it has just been seen in this process, or by asking. Never one before what has been read. */
export async function recentHead({
  ledger,
  clock,
  watched,
}: {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly watched: Watched;
}): Promise<BlockHead> {
  const { latest } = watched;
  const { block } = latest;
  if (block !== undefined && !isPast(clock, block.atMs, LATEST_IS_GOOD_FOR_MS)) return block.head;
  const atMs = clock.nowMs();
  const head = await latestHead(ledger);
  // What the watcher has seen meanwhile may be later.
  if (latest.block === undefined || latest.block.head.number <= head.number) latest.block = { head, atMs };
  return head;
}
