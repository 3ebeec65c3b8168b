import type { Wake } from "../platform/loop.ts";

export interface PoolOptions<Item, Name extends string> {
  /** How many are worked on at a time. */
  readonly limit: number;
  /** What is due now, at most so many. What has been worked on must not be due at once again. */
  readonly find: (atMost: number) => Promise<readonly Item[]>;
  readonly keyOf: (item: Item) => string;
  /** Expected failures are for it to record; what it throws ends the pass, once everything under way has ended. */
  readonly work: (item: Item) => Promise<void>;
  /** A wake of this step, while some are under way, has more looked for: one that hangs does not hold up new ones. */
  readonly wake: Wake<Name>;
  readonly step: Name;
}

/** Works off what is due, several at once, until nothing is. */
export async function workOff<Item, Name extends string>(options: PoolOptions<Item, Name>): Promise<void> {
  const { limit, find, keyOf, work, wake, step } = options;
  const running = new Map<string, Promise<void>>();
  const failures: unknown[] = [];
  let woken = Promise.withResolvers<undefined>();
  const unlisten = wake.onWake((name) => {
    if (name === step) woken.resolve(undefined);
  });
  const start = (item: Item): void => {
    const key = keyOf(item);
    const ended = work(item)
      .catch((failure: unknown) => void failures.push(failure))
      .finally(() => running.delete(key));
    running.set(key, ended);
  };

  try {
    for (;;) {
      woken = Promise.withResolvers();
      if (running.size < limit && failures.length === 0) {
        const due = await find(limit + running.size);
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
}
