import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 5;
/** Far longer than anything takes on a busy machine; most tests are ended by a limit of their own before. */
const PATIENCE_MS = 240_000;

/** Waits for something to be the case: tests wait for conditions, never for a time that is long enough elsewhere. */
export async function until(isSo: () => boolean | Promise<boolean>, patienceMs = PATIENCE_MS): Promise<void> {
  for (const end = performance.now() + patienceMs; !(await isSo());) {
    if (performance.now() > end) throw new Error("what was waited for did not happen");
    await delay(POLL_MS);
  }
}
