import type { PartnerId } from "../../domain/partner.ts";
import type { Clock } from "./clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { KernelMetrics } from "../telemetry/metrics.ts";

/** How far this relay's clock is off, as far as others tell. */
export interface Skew {
  /** At least so far ahead of them, or behind them where it is negative; undefined where nobody tells. */
  readonly aheadMs: number | undefined;
  readonly by: "ledger" | "peers" | undefined;
  /** Beyond the limit: prices, signatures and expiries would be judged wrongly. */
  readonly isBeyond: boolean;
}

/**
 * Holds this relay's clock against the times of the ledger's new blocks and of its peers' answers. What is measured is a
 * bound: nobody is called off for a block that took its time, for a ledger that makes none, or for a halted one.
 */
export interface ClockSkew {
  /** Looks at the ledger's latest block. Never throws: a ledger that does not answer tells nothing. */
  observe(): Promise<void>;
  /** A peer has answered, with its time in seconds. One of many says little: the middle one counts. */
  heard(peer: PartnerId, theirSeconds: number, askedAtMs: number): void;
  now(): Skew;
}

export interface ClockSkewOptions {
  /** The ledger's latest block. */
  readonly latestBlock: () => Promise<{ readonly number: number; readonly timeSeconds: number }>;
  readonly clock: Clock;
  /** 0: it is measured, and stops nothing. */
  readonly maxSkewSeconds: number;
  readonly metrics: KernelMetrics;
  readonly log: Logger;
}

/** A new block is dated by our clock only when the one before was seen so recently. */
const MAX_GAP_MS = 10_000;
/** The last blocks that were seen to be made; the middle one of what they tell counts. */
const MAX_BLOCKS = 5;
const LEAST_BLOCKS = 3;
/** One peer may lie, and of two nobody knows which. */
const LEAST_PEERS = 3;
const MAX_PEERS = 64;
/** What was seen so long ago tells nothing: one of the clocks may have been set since. */
const TELLS_FOR_MS = 300_000;
/** Blocks whose times run this much faster than the clock are those of a node that catches up. */
const CATCHING_UP = 1.5;
const CATCHING_UP_SLACK_MS = 3_000;
const SECOND_MS = 1_000;

interface Sample {
  readonly atMs: number;
  readonly theirMs: number;
  readonly aheadMs: number;
}

export function createClockSkew({ latestBlock, clock, maxSkewSeconds, metrics, log }: ClockSkewOptions): ClockSkew {
  let seen: { readonly number: number; readonly timeMs: number; readonly atMs: number } | undefined;
  let blocks: readonly Sample[] = [];
  let peers: ReadonlyMap<PartnerId, Sample> = new Map();
  let wasBeyond = false;

  const isCurrent = ({ atMs }: Pick<Sample, "atMs">) => {
    const ageMs = clock.nowMs() - atMs;
    return ageMs >= 0 && ageMs < TELLS_FOR_MS;
  };

  const byLedger = (): number | undefined => {
    if (seen === undefined) return undefined;
    // No block is of a time to come.
    const behindMs = clock.nowMs() - seen.timeMs;
    if (behindMs < 0) return behindMs;
    const current = blocks.filter(isCurrent);
    return current.length < LEAST_BLOCKS || isCatchingUp(current) ? undefined : middleOf(current);
  };
  const byPeers = (): number | undefined => {
    const current = [...peers.values()].filter(isCurrent);
    return current.length < LEAST_PEERS ? undefined : middleOf(current);
  };

  const now = (): Skew => {
    const ledgers = byLedger();
    // Blocks are what prices and expiries are judged by, and several nodes confirm them.
    const aheadMs = ledgers ?? byPeers();
    const by = ledgers !== undefined ? "ledger" : aheadMs === undefined ? undefined : "peers";
    const isOff = aheadMs !== undefined && Math.abs(aheadMs) > maxSkewSeconds * SECOND_MS;
    return { aheadMs, by, isBeyond: maxSkewSeconds > 0 && isOff };
  };

  const tell = (): void => {
    for (const [source, aheadMs] of [
      ["ledger", byLedger()],
      ["peers", byPeers()],
    ] as const) {
      if (aheadMs === undefined) metrics.clockSkewSeconds.remove({ source });
      else metrics.clockSkewSeconds.set({ source }, aheadMs / SECOND_MS);
    }
    const skew = now();
    metrics.clockBeyondLimit.set(skew.isBeyond ? 1 : 0);
    if (skew.isBeyond === wasBeyond) return;
    wasBeyond = skew.isBeyond;
    const fields = { aheadSeconds: (skew.aheadMs ?? 0) / SECOND_MS, by: skew.by, maxSkewSeconds };
    if (wasBeyond) log.error(fields, "this machine's clock is wrong: no transfers are taken until it is right");
    else log.info(fields, "this machine's clock is within the limit again: transfers are taken");
  };

  return {
    async observe() {
      const askedAtMs = clock.nowMs();
      const head = await latestBlock().catch(() => undefined);
      if (head !== undefined) {
        const atMs = clock.nowMs();
        const timeMs = head.timeSeconds * SECOND_MS;
        const gapMs = seen === undefined ? Infinity : askedAtMs - seen.atMs;
        if (seen !== undefined && head.number > seen.number && gapMs >= 0 && gapMs <= MAX_GAP_MS) {
          // Made since the last look, so its time is not before that by a clock that is right.
          const aheadMs = nearestToZero(seen.atMs - timeMs - SECOND_MS, atMs - timeMs);
          blocks = [...blocks, { atMs, theirMs: timeMs, aheadMs }].slice(-MAX_BLOCKS);
        }
        seen = { number: head.number, timeMs, atMs: askedAtMs };
      }
      tell();
    },
    heard(peer, theirSeconds, askedAtMs) {
      const atMs = clock.nowMs();
      const theirMs = theirSeconds * SECOND_MS;
      const aheadMs = nearestToZero(askedAtMs - theirMs - SECOND_MS, atMs - theirMs);
      const others = [...peers].filter(([id]) => id !== peer).slice(-MAX_PEERS);
      peers = new Map([...others, [peer, { atMs, theirMs, aheadMs }]]);
    },
    now,
  };
}

/** For people: how far the clock is off. */
export function skewDetail({ aheadMs = 0, by }: Skew): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  const whose = by === "ledger" ? "the ledger's blocks" : "the other relays";
  return `this machine's clock is ${seconds} seconds ${aheadMs > 0 ? "ahead of" : "behind"} ${whose}: no transfers are taken`;
}

/** Of what is possible, what says least. */
function nearestToZero(lowMs: number, highMs: number): number {
  return Math.min(Math.max(0, lowMs), highMs);
}

function middleOf(samples: readonly Sample[]): number | undefined {
  const sorted = samples.map(({ aheadMs }) => aheadMs).toSorted((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

function isCatchingUp(samples: readonly Sample[]): boolean {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return false;
  return last.theirMs - first.theirMs > (last.atMs - first.atMs) * CATCHING_UP + CATCHING_UP_SLACK_MS;
}
