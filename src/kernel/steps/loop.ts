import { setImmediate as turn } from "node:timers/promises";
import { isPast, type Clock } from "../clock/clock.ts";
import { backoffMs, type Backoff } from "../retry.ts";

/** Tells a step of this process that there may be work for it: now, or in so many milliseconds. */
export interface Wake<Name extends string> {
  (step: Name, afterMs?: number): void;
  /** @returns what ends the listening */
  onWake(listener: (step: Name, afterMs: number) => void): () => void;
}

export function createWake<Name extends string>(): Wake<Name> {
  const listeners = new Set<(step: Name, afterMs: number) => void>();
  const wake = (step: Name, afterMs = 0): void => {
    for (const listener of listeners) listener(step, afterMs);
  };
  const onWake: Wake<Name>["onWake"] = (listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  return Object.assign(wake, { onWake });
}

/** One step: does what is due and tells whether there may be more to do at once. */
export interface LoopStep<Name extends string> {
  readonly name: Name;
  readonly run: () => Promise<boolean>;
  /** How long it sleeps at most when nobody wakes it; what `LoopOptions` says unless given. */
  readonly pollIntervalMs?: number;
}

export interface LoopOptions<Name extends string> {
  readonly wake: Wake<Name>;
  readonly clock: Clock;
  readonly pollIntervalMs: number;
  /** After errors. A wake does not shorten it: what failed would fail again. */
  readonly retry: Backoff;
  /** A fraction from 0 to below 1, for the retries. */
  readonly random?: () => number;
  /** A pass failed, and is done again in `retryInMs`; or never, as the error is fatal. */
  readonly onError: (step: Name, error: unknown, retryInMs: number | undefined) => void;
  readonly onPass?: (step: Name, durationMs: number) => void;
}

/** All that a step waits for gives up long before. */
const LONGEST_PASS_MS = 600_000;

export interface RunningSteps {
  /**
   * Whether the steps get on: since this was asked last, one of them has ended a pass, well or badly, or was asleep; and
   * none has been in the same pass for ten minutes.
   */
  isAlive(): boolean;
  /** Lets each step finish its pass, and begins no other. */
  stop(): Promise<void>;
  /** Resolves with the error, once all steps have been stopped for one that is fatal; otherwise never. */
  readonly failed: Promise<Error>;
}

/**
 * Runs every step in a loop of its own until stopped. A pass that throws is done again after a back-off; one that throws
 * an error with `fatal: true` stops all steps.
 */
export function runSteps<Name extends string>(
  steps: readonly LoopStep<Name>[],
  options: LoopOptions<Name>,
): RunningSteps {
  const { promise: failed, resolve: fail } = Promise.withResolvers<Error>();
  const sleepers = new Map(steps.map(({ name }) => [name, createSleeper(options.clock)]));
  const unlisten = options.wake.onWake((step, afterMs) => sleepers.get(step)?.wake(afterMs));
  const stopAll = (): void => {
    for (const sleeper of sleepers.values()) sleeper.stop();
  };

  const { clock } = options;
  /** That have ended since it was asked whether they do. */
  let passes = 0;
  const begun = new Map<Name, number>();
  const timed = (step: LoopStep<Name>): LoopStep<Name> => ({
    ...step,
    async run() {
      begun.set(step.name, clock.nowMs());
      try {
        return await step.run();
      } finally {
        passes++;
        begun.delete(step.name);
      }
    },
  });

  let fatal: Error | undefined;
  const loops = steps.map(async (step) => {
    const sleeper = sleepers.get(step.name);
    if (sleeper === undefined) return;
    try {
      await loop(timed(step), sleeper, options);
    } catch (error) {
      options.onError(step.name, error, undefined);
      fatal ??= error instanceof Error ? error : new Error(`step ${step.name} failed`, { cause: error });
      stopAll();
    }
  });
  const ended = Promise.all(loops).then(() => {
    unlisten();
    if (fatal !== undefined) fail(fatal);
  });

  return {
    failed,
    isAlive() {
      const moves = passes > 0 || begun.size < steps.length;
      passes = 0;
      return moves && ![...begun.values()].some((atMs) => isPast(clock, atMs, LONGEST_PASS_MS));
    },
    async stop() {
      stopAll();
      await ended;
    },
  };
}

/** @throws what is fatal only */
async function loop<Name extends string>(
  step: LoopStep<Name>,
  sleeper: Sleeper,
  options: LoopOptions<Name>,
): Promise<void> {
  const { clock, retry, random } = options;
  let failures = 0;
  while (!sleeper.isStopped()) {
    sleeper.begin();
    const startedMs = clock.nowMs();
    try {
      const more = await step.run();
      failures = 0;
      options.onPass?.(step.name, clock.nowMs() - startedMs);
      // Everybody else gets a turn in between.
      if (more) await turn();
      else await sleeper.sleepUntilWoken(step.pollIntervalMs ?? options.pollIntervalMs);
    } catch (error) {
      if (isFatal(error)) throw error;
      const retryInMs = backoffMs(++failures, retry, random);
      options.onError(step.name, error, retryInMs);
      await sleeper.sleepThrough(retryInMs);
    }
  }
}

/** An error that no repetition fixes: every step has to stop for it. */
export function isFatal(error: unknown): boolean {
  return typeof error === "object" && error !== null && "fatal" in error && error.fatal === true;
}

/** One step's sleep. A wake while it works is remembered, so that none is lost. */
interface Sleeper {
  wake(afterMs: number): void;
  stop(): void;
  isStopped(): boolean;
  /** Work begins: it does all that it has been woken for until now. */
  begin(): void;
  sleepUntilWoken(atMostMs: number): Promise<void>;
  /** Nothing but a stop ends it early. */
  sleepThrough(durationMs: number): Promise<void>;
}

/** The latest of more are left to the poll. */
const MAX_WAKES = 32;

function createSleeper(clock: Clock): Sleeper {
  /** When it was asked to wake, soonest first. */
  let wakes: readonly number[] = [];
  let stopped = false;
  let sleep: { readonly end: AbortController; readonly isDeaf: boolean } | undefined;

  const pause = async (durationMs: number, isDeaf: boolean): Promise<void> => {
    const end = new AbortController();
    sleep = { end, isDeaf };
    try {
      await clock.sleep(durationMs, end.signal);
    } catch (error) {
      if (!end.signal.aborted) throw error;
    }
    sleep = undefined;
  };

  return {
    wake(afterMs) {
      const atMs = clock.nowMs() + afterMs;
      if (wakes.includes(atMs)) return;
      wakes = [...wakes, atMs].toSorted((left, right) => left - right).slice(0, MAX_WAKES);
      if (wakes[0] === atMs && sleep?.isDeaf === false) sleep.end.abort();
    },
    stop() {
      stopped = true;
      sleep?.end.abort();
    },
    isStopped: () => stopped,
    begin() {
      // Those for later stay.
      wakes = wakes.filter((atMs) => atMs > clock.nowMs());
    },
    async sleepUntilWoken(atMostMs) {
      const untilMs = clock.nowMs() + atMostMs;
      for (;;) {
        const leftMs = Math.min(untilMs, wakes[0] ?? Infinity) - clock.nowMs();
        // More than it was to sleep at all: the clock was set back meanwhile, and nobody knows how long it has slept.
        if (stopped || leftMs <= 0 || leftMs > atMostMs) return;
        await pause(leftMs, false);
      }
    },
    async sleepThrough(durationMs) {
      if (!stopped) await pause(durationMs, true);
    },
  };
}
