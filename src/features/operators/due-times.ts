import { bringBackDueTimes } from "../../kernel/store/due-times.ts";
import type { Database } from "../../kernel/store/database.ts";
import type { Step } from "../context.ts";

/** More than any step waits for, but for the pauses after failures. */
const MARGIN_MS = 60_000;
/** After which another process may have worked in this one's place, by a clock of its own. */
const AWAY_MS = 120_000;

/** When this process has looked last. Milliseconds since the epoch. */
const lookedAtMs = new WeakMap<Database, number>();

/**
 * Does not let work wait for hours that was postponed while a machine's clock was ahead: looks for it at first, when this
 * process begins to work again, and when its clock has gone back.
 */
export const dueTimesStep: Step = async ({ db, clock, settings, log }) => {
  const nowMs = clock.nowMs();
  const beforeMs = lookedAtMs.get(db);
  const isAsBefore = beforeMs !== undefined && nowMs >= beforeMs && nowMs - beforeMs < AWAY_MS;
  if (!isAsBefore) {
    const latestMs = nowMs + settings.retry.maxDelayMs + MARGIN_MS;
    const columns = await bringBackDueTimes(db, nowMs, latestMs);
    if (columns.length > 0) {
      log.warn({ columns }, "work was postponed by a clock that has been set back since: it is due now");
    }
  }
  lookedAtMs.set(db, nowMs);
  return false;
};
