import type { Clock } from "../platform/clock.ts";
import type { Wake } from "../platform/loop.ts";

export interface PoolOptions<Item, Name extends string> {
  /** How many are worked on at a time. */
  readonly limit: number;
  /** What is due now, at most so many. */
  readonly find: (atMost: number, isOver: () => boolean) => Promise<readonly Item[]>;
  readonly keyOf: (item: Item) => string;
  /** Expected failures are for it to record; what it throws ends the pass, once everything under way has ended. */
  readonly work: (item: Item, isOver: () => boolean) => Promise<void>;
  /** A wake of this step, while some are under way, has more looked for: one that hangs does not hold up new ones. */
  readonly wake: Wake<Name>;
  readonly step: Name;
  readonly clock: Clock;
}

/**
 * After so long nothing more is begun: what else the step does has its turn, and the relay can be stopped, even where
 * items that fail are due again faster than all of them can be tried.
 */
const MAX_PASS_MS = 5_000;

/**
 * Works off what is due, several at once, until nothing is or the pass has lasted long enough.
 * @returns whether it was the time, so that more may be due
 */
export async function workOff<Item, Name extends string>(options: PoolOptions<Item, Name>): Promise<boolean> {
  const { limit, find, keyOf, work, wake, step, clock } = options;
  const untilMs = clock.nowMs() + MAX_PASS_MS;
  const isOver = (): boolean => clock.nowMs() >= untilMs;
  const running = new Map<string, Promise<void>>();
  const failures: unknown[] = [];
  let woken = Promise.withResolvers<undefined>();
  const unlisten = wake.onWake((name) => {
    if (name === step) woken.resolve(undefined);
  });
  const start = (item: Item): void => {
    const key = keyOf(item);
    const ended = work(item, isOver)
      .catch((failure: unknown) => void failures.push(failure))
      .finally(() => running.delete(key));
    running.set(key, ended);
  };

  try {
    for (;;) {
      woken = Promise.withResolvers();
      if (running.size < limit && failures.length === 0 && !isOver()) {
        const due = await find(limit + running.size, isOver);
        for (const item of due.filter((each) => !running.has(keyOf(each))).slice(0, limit - running.size)) start(item);
      }
      if (running.size === 0) break;
      await Promise.race([...running.values(), woken.promise]);
    }
  } finally {
    await Promise.all(running.values());
    unlisten();
  }
  if (failures.length > 0) throw failures[0];
  return isOver();
}
