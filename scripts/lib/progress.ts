import { formatDuration } from "./run.ts";
import type { Say } from "./script.ts";

const PROGRESS_INTERVAL_MS = 5_000;

/**
 * Says what is being done, and how long it has been at it, until it is.
 * @param howFar tells how far it has come, where that is known
 */
export async function showProgress<Result>(
  what: string,
  say: Say,
  work: () => Promise<Result>,
  howFar?: () => Promise<string>,
): Promise<Result> {
  say(what);
  const startedAt = performance.now();
  const tell = (far: string | undefined) => {
    const passed = formatDuration(performance.now() - startedAt);
    say(far === undefined ? `  … ${passed}` : `  … ${passed}: ${far}`);
  };
  const ticking = setInterval(() => {
    // What cannot be told now is told the next time.
    void Promise.resolve(howFar?.()).then(tell, () => undefined);
  }, PROGRESS_INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(ticking);
  }
}
