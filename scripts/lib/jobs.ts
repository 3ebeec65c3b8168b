import { formatDuration } from "./run.ts";

/** Something to run that takes a while. */
export interface Job<Result> {
  readonly name: string;
  readonly run: () => Promise<Result>;
  /** What no two jobs may be at together. */
  readonly uses?: string | undefined;
}

const PROGRESS_INTERVAL_MS = 15_000;

/**
 * Runs jobs side by side, and tells meanwhile what is running. Whenever one has ended, the first that may begin does.
 * @returns what they gave, in their order
 */
export async function runJobs<Result>(jobs: readonly Job<Result>[], atOnce: number): Promise<readonly Result[]> {
  const startedAt = performance.now();
  const waiting = new Set(jobs);
  const running = new Map<Job<Result>, Promise<void>>();
  const results = new Map<Job<Result>, Result>();
  const progress = setInterval(() => {
    const names = [...running.keys()].map(({ name }) => name);
    console.log(`   ${formatDuration(performance.now() - startedAt)}: running ${names.join("; ")} …`);
  }, PROGRESS_INTERVAL_MS);
  const begin = async (job: Job<Result>): Promise<void> => {
    results.set(job, await job.run());
    running.delete(job);
  };
  try {
    while (waiting.size + running.size > 0) {
      for (const job of waiting) {
        if (running.size === atOnce) break;
        if (job.uses !== undefined && [...running.keys()].some(({ uses }) => uses === job.uses)) continue;
        waiting.delete(job);
        running.set(job, begin(job));
      }
      await Promise.race(running.values());
    }
    return jobs.flatMap((job) => results.get(job) ?? []);
  } finally {
    clearInterval(progress);
  }
}
