import { isPast } from "../clock/clock.ts";
import type { StepName } from "./step.ts";
import type { KernelContext } from "../context.ts";
import { describeFault, isOfItem, noteFault } from "./faults.ts";

export interface PoolOptions<Item> {
  readonly context: Pick<KernelContext, "clock" | "wake" | "log" | "metrics">;
  readonly step: StepName;
  /** How many are worked on at a time. */
  readonly limit: number;
  /**
   * What is due now, at most so many. Those that have failed and those that are new take turns in it, so that neither
   * holds up the other. A wake of this step, while some are under way, has more looked for.
   */
  readonly find: (atMost: number, isOver: () => boolean) => Promise<readonly Item[]>;
  /**
   * Whether it finds all that is due, but for the limit: where it finds less than that, nothing is looked for again until
   * somebody wakes the step. One that holds back some, as of one partner, is asked again after each.
   */
  readonly findsAll?: boolean;
  readonly keyOf: (item: Item) => string;
  /** Expected failures are for it to record. */
  readonly work: (item: Item, isOver: () => boolean) => Promise<void>;
  /** Writes down with an item that its work has thrown, so that it is tried again later, and others before it. */
  readonly recordFault: (item: Item, fault: string) => Promise<void>;
}

/**
 * After so long nothing more is begun: what else the step does has its turn, and the relay can be stopped, even where
 * items that fail are due again faster than all of them can be tried.
 */
const MAX_PASS_MS = 5_000;

/**
 * Works off what is due, several at once, until nothing is or the pass has lasted long enough. An item whose work throws
 * is recorded, and the others go on.
 * @returns whether it was the time, so that more may be due
 * @throws what is not an item's own, as that the database is away; once everything under way has ended
 */
export async function workOff<Item>(options: PoolOptions<Item>): Promise<boolean> {
  const { context, limit, find, findsAll = false, keyOf, work, step } = options;
  const { clock, wake } = context;
  const startedMs = clock.nowMs();
  const isOver = (): boolean => isPast(clock, startedMs, MAX_PASS_MS);
  const running = new Map<string, Promise<void>>();
  /** What has ended since the last look began: that look may have found it as it was before. */
  const ended = new Set<string>();
  const failures: unknown[] = [];
  let woken = Promise.withResolvers<undefined>();
  /** Whether all that is due has been begun, as far as is known. */
  let isAllBegun = false;
  const unlisten = wake.onWake((name) => {
    if (name !== step) return;
    isAllBegun = false;
    woken.resolve(undefined);
  });
  const start = (item: Item): void => {
    const key = keyOf(item);
    const begun = async (): Promise<void> => work(item, isOver);
    const done = begun()
      .catch(async (failure: unknown) => {
        if (!isOfItem(failure)) throw failure;
        noteFault(context, step, key, failure);
        await options.recordFault(item, describeFault(failure));
      })
      .catch((failure: unknown) => void failures.push(failure))
      .finally(() => {
        running.delete(key);
        ended.add(key);
      });
    running.set(key, done);
  };

  try {
    for (;;) {
      woken = Promise.withResolvers();
      if (running.size < limit && failures.length === 0 && !isOver() && !isAllBegun) {
        ended.clear();
        const atMost = limit + running.size;
        isAllBegun = findsAll;
        const due = await find(atMost, isOver);
        if (due.length === atMost) isAllBegun = false;
        const others = due.filter((each) => !running.has(keyOf(each)));
        const free = others.filter((each) => !ended.has(keyOf(each)));
        for (const item of free.slice(0, limit - running.size)) start(item);
        if (free.length < others.length) {
          isAllBegun = false;
          continue;
        }
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
