import { isOfItem } from "./faults.ts";

/** So many at most are worked on together. */
const MOST = 16;

interface Waiting<Item> {
  readonly item: Item;
  readonly done: PromiseWithResolvers<undefined>;
}

/**
 * One at a time works for everybody: what comes while it does so is worked on together at its next turn. So those who all
 * write to one place wait for a turn of theirs, and not each for the commit of each.
 * @param work all of them or none. Where it fails by something that is in them, it is asked for each by itself
 * @returns for one item: done, or failed, once its turn is over
 */
export function grouped<Item>(work: (items: readonly Item[]) => Promise<void>): (item: Item) => Promise<void> {
  const waiting: Waiting<Item>[] = [];
  let isWorking = false;

  const attempt = async (group: readonly Waiting<Item>[]): Promise<void> => {
    try {
      await work(group.map(({ item }) => item));
      for (const { done } of group) done.resolve(undefined);
    } catch (failure) {
      if (group.length > 1 && isOfItem(failure)) for (const one of group) await attempt([one]);
      else for (const { done } of group) done.reject(failure);
    }
  };
  const workOn = async (): Promise<void> => {
    isWorking = true;
    while (waiting.length > 0) await attempt(waiting.splice(0, MOST));
    isWorking = false;
  };

  return (item) => {
    const done = Promise.withResolvers<undefined>();
    waiting.push({ item, done });
    if (!isWorking) void workOn();
    return done.promise;
  };
}
