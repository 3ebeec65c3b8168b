import { setImmediate as turn } from "node:timers/promises";

/** Cuts a list into runs of at most `size`. */
export function chunksOf<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/**
 * Works on several at a time. After the first failure nothing more is begun; it is thrown once all that was has ended.
 * @returns the results in the order of the items
 */
export async function mapAtMost<Item, Result>(
  items: readonly Item[],
  atATime: number,
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results = new Map<number, Result>();
  const failures: unknown[] = [];
  const entries = items.entries();
  const worker = async () => {
    for (const [index, item] of entries) {
      if (failures.length > 0) return;
      try {
        results.set(index, await work(item));
      } catch (failure) {
        failures.push(failure);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return [...results].sort(([left], [right]) => left - right).map(([, result]) => result);
}

/** Makes something of each, with a turn for everybody else after every so many. */
export async function mapInTurns<Item, Result>(
  items: readonly Item[],
  perTurn: number,
  make: (item: Item) => Result,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const chunk of chunksOf(items, perTurn)) {
    results.push(...chunk.map(make));
    await turn();
  }
  return results;
}

/** Whether all pass a test that is slow, with a turn for everybody else after every so many. */
export async function everyInTurns<Item>(
  items: readonly Item[],
  perTurn: number,
  test: (item: Item) => boolean,
): Promise<boolean> {
  for (const chunk of chunksOf(items, perTurn)) {
    if (!chunk.every(test)) return false;
    await turn();
  }
  return true;
}
