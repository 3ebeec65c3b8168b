import { formatDuration } from "./run.ts";

/** Something to run that takes a while. */
export interface Job<Result> {
  readonly name: string;
  readonly run: () => Promise<Result>;
}

const PROGRESS_INTERVAL_MS = 15_000;

/**
 * Runs lanes side by side, in each one job after the other, and tells meanwhile what is running.
 * @returns what the jobs gave, lane by lane
 */
export async function runLanes<Result>(lanes: readonly (readonly Job<Result>[])[]): Promise<readonly Result[]> {
  const startedAt = performance.now();
  const running = new Set<string>();
  const progress = setInterval(() => {
    console.log(`   ${formatDuration(performance.now() - startedAt)}: running ${[...running].join("; ")} …`);
  }, PROGRESS_INTERVAL_MS);
  try {
    const results = lanes.map(async (jobs) => {
      const own: Result[] = [];
      for (const { name, run } of jobs) {
        running.add(name);
        own.push(await run());
        running.delete(name);
      }
      return own;
    });
    return (await Promise.all(results)).flat();
  } finally {
    clearInterval(progress);
  }
}
