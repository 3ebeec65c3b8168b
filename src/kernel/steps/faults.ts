import type { StepName } from "./step.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { storable } from "../../domain/storable.ts";
import { isFatal } from "./loop.ts";
import { backoffMs, type Backoff } from "../retry.ts";
import { StoreUnavailable } from "../store/faults.ts";
import { LeaseLost } from "../store/leases.ts";
import { forgetFault, recordFault, stepFaults } from "../store/step-faults.ts";
import { mapAtMost } from "./chunks.ts";
import type { KernelContext } from "../context.ts";

// One item that fails stops no other: what its work throws is written down with it, and it is tried again later.

const MAX_LENGTH = 300;

/**
 * What an item has failed on, as it is written down: for an operator, in one line. A refused input's message quotes the
 * input, which may be personal; its rule does not.
 */
export function describeFault(error: unknown): string {
  if (error instanceof InvalidInput) return storable(`${error.field}: ${error.rule}`.slice(0, MAX_LENGTH));
  if (!(error instanceof Error)) return "failed";
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return storable(`${code}: ${error.message}`.slice(0, MAX_LENGTH));
}

/**
 * Whether it is the item that has failed. Otherwise the whole pass has: there is no database to write anything down in,
 * another process does the work by now, or everything has to stop.
 */
export function isOfItem(error: unknown): boolean {
  return !isFatal(error) && !(error instanceof StoreUnavailable) && !(error instanceof LeaseLost);
}

/** Counts and logs what an item's work has thrown. */
export function noteFault(
  { log, metrics }: Pick<KernelContext, "log" | "metrics">,
  step: StepName,
  item: string,
  error: unknown,
): void {
  metrics.itemFaults.inc({ step });
  log.error({ step, item, error }, "a step failed on one item, which is tried again; the others go on");
}

export interface EachOptions<Item> {
  readonly step: StepName;
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  readonly work: (item: Item) => Promise<void>;
  readonly atATime?: number;
}

/**
 * Works on items that have no row with a place for what becomes of an attempt, each but those whose pause after a fault
 * is not over. What one throws is recorded, with a growing pause.
 */
export async function workEach<Item>(
  context: Pick<KernelContext, "db" | "clock" | "log" | "metrics"> & { readonly settings: { readonly retry: Backoff } },
  { step, items, keyOf, work, atATime = 1 }: EachOptions<Item>,
): Promise<void> {
  if (items.length === 0) return;
  const { db, clock, settings } = context;
  const faults = await stepFaults(db, step);
  const isDue = (item: Item): boolean => (faults.get(keyOf(item))?.dueAt ?? 0) <= clock.nowMs();
  await mapAtMost(items.filter(isDue), atATime, async (item) => {
    const key = keyOf(item);
    const before = faults.get(key);
    try {
      await work(item);
    } catch (error) {
      if (!isOfItem(error)) throw error;
      noteFault(context, step, key, error);
      const attempts = (before?.attempts ?? 0) + 1;
      const dueAt = clock.nowMs() + backoffMs(attempts, settings.retry);
      await recordFault(db, step, key, { attempts, dueAt, error: describeFault(error) });
      return;
    }
    if (before !== undefined) await forgetFault(db, step, key);
  });
}
