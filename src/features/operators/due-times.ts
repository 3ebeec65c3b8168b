import { bringBackDueTimes } from "../../kernel/store/due-times.ts";
import type { Step } from "../context.ts";

/** More than any step waits for, but for the pauses after failures. */
const MARGIN_MS = 60_000;

/** Does not let work wait for hours that was postponed while this machine's clock was ahead. */
export const dueTimesStep: Step = async ({ db, clock, settings, log }) => {
  const nowMs = clock.nowMs();
  const latestMs = nowMs + settings.retry.maxDelayMs + MARGIN_MS;
  const columns = await bringBackDueTimes(db, nowMs, latestMs);
  if (columns.length > 0) {
    log.warn({ columns }, "work was postponed by a clock that has been set back since: it is due now");
  }
  return false;
};
