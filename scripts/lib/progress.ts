import { formatDuration } from "./run.ts";
import type { Say } from "./script.ts";

const PROGRESS_INTERVAL_MS = 5_000;

/** Says what is being done, and how long it has been at it, until it is. */
export async function showProgress<Result>(what: string, say: Say, work: () => Promise<Result>): Promise<Result> {
  say(what);
  const startedAt = performance.now();
  const ticking = setInterval(() => say(`  … ${formatDuration(performance.now() - startedAt)}`), PROGRESS_INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(ticking);
  }
}
