import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { formatDuration } from "../lib/run.ts";
import type { Say } from "../lib/script.ts";
import { showProgress } from "../lib/progress.ts";
import type { Source } from "../lib/solidity/compile.ts";
import type { Mutant } from "./generate.ts";
import { installSubject, makeSubject, openLane, testSubject, tryMutant } from "./lane.ts";
import type { Lane, Result, Subject } from "./lane.ts";
import { contractTests } from "./tests.ts";

export interface Task {
  /** All files that compile together, and which of them are the project's own. */
  readonly sources: readonly Source[];
  readonly isOwn: (path: string) => boolean;
  readonly mutants: readonly Mutant[];
  readonly workers: number;
}

/** A mutant's tests take a fraction of what all tests take, unless they do not end. */
const LIMIT_FACTOR = 5;
const LEAST_LIMIT_MS = 120_000;

/**
 * Tries the mutants, some at a time, once the tests have passed on the contracts as they are. When `signal` says so it
 * stops, and gives what it has.
 * @throws Error when the tests do not pass without a mutant
 */
export async function tryMutants(task: Task, say: Say, signal: AbortSignal): Promise<readonly Result[]> {
  const folder = await mkdtemp(`${tmpdir()}/feiqian-mutation-`);
  const lanes: Lane[] = [];
  const results: Result[] = [];
  try {
    for (let lane = 0; lane < Math.min(task.workers, task.mutants.length); lane++) {
      await mkdir(`${folder}/${lane}`);
      lanes.push(await openLane(`${folder}/${lane}`));
    }
    const { subject, limitMs } = await prepare(task, lanes, say, signal);
    const tell = progressOf(task.mutants.length, say);
    const waiting = [...task.mutants];
    const work = lanes.map(async (lane) => {
      try {
        for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
          const verdict = await tryMutant(lane, subject, mutant, limitMs, signal);
          results.push({ mutant, verdict });
          tell(results);
        }
      } finally {
        // Where one lane fails, the others end with what they are at.
        waiting.length = 0;
      }
    });
    // All of them have ended before their folders go.
    await Promise.allSettled(work);
    await Promise.all(work);
  } catch (failure) {
    if (!signal.aborted) throw failure;
  } finally {
    await Promise.all(lanes.map(async ({ compiler }) => compiler.close()));
    await rm(folder, { recursive: true, force: true });
  }
  // In the order in which they were given, whichever was ready first.
  const order = new Map(task.mutants.map((mutant, index) => [mutant, index]));
  return results.sort((left, right) => (order.get(left.mutant) ?? 0) - (order.get(right.mutant) ?? 0));
}

async function prepare(
  { sources, isOwn }: Task,
  lanes: readonly Lane[],
  say: Say,
  signal: AbortSignal,
): Promise<{ readonly subject: Subject; readonly limitMs: number }> {
  const [first] = lanes;
  if (first === undefined) throw new Error("no lane to work in");
  const subject = await showProgress("Compiling the contracts without optimisation …", say, async () =>
    makeSubject(first, sources, isOwn, await contractTests()),
  );
  for (const lane of lanes) await installSubject(lane, subject);
  const startedAt = performance.now();
  const outcome = await showProgress("Testing them as they are …", say, async () =>
    testSubject(first, subject, signal),
  );
  if (outcome.kind !== "passed") {
    throw new Error(
      `the tests do not pass without a mutant: ${outcome.kind === "failed" ? outcome.test : outcome.kind}`,
    );
  }
  const tookMs = performance.now() - startedAt;
  say(`  ${outcome.tests} tests passed in ${formatDuration(tookMs)}`);
  return { subject, limitMs: Math.round(Math.max(LEAST_LIMIT_MS, LIMIT_FACTOR * tookMs)) };
}

/** Says, after each mutant, what became of it and how long the others will take if they take as long. */
function progressOf(count: number, say: Say): (results: readonly Result[]) => void {
  const startedAt = performance.now();
  return (results) => {
    const latest = results.at(-1);
    if (latest === undefined) return;
    const { mutant, verdict } = latest;
    const leftMs = ((performance.now() - startedAt) / results.length) * (count - results.length);
    const done = `${String(results.length).padStart(String(count).length)}/${count}`;
    const what = `${verdict.kind.padEnd(9)} ${mutant.id} ${mutant.file}:${mutant.line}`;
    say(`${done} ${what}; ${formatDuration(leftMs)} left`);
  };
}
