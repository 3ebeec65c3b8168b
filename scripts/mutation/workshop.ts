import { execFile } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import type { Code } from "./code.ts";

/** What the tests say of the contracts in a workshop. */
export type TestOutcome =
  | { readonly kind: "passed"; readonly tests: number }
  | { readonly kind: "failed"; readonly test: string }
  | { readonly kind: "timed-out" };

/** Where `hardhat build` leaves the artifacts of the project. */
const ARTIFACTS = "artifacts";
const CONFIG = "scripts/mutation/hardhat.config.ts";
const MOST_OUTPUT_BYTES = 16_000_000;

/** A folder with artifacts of its own, which tests deploy. The project's files are only read. */
export interface Workshop {
  readonly folder: string;
}

/** Makes a workshop in an empty folder. */
export async function openWorkshop(folder: string): Promise<Workshop> {
  await cp(ARTIFACTS, `${folder}/artifacts`, {
    recursive: true,
    // What is known of the project's own code is not true of a mutant's.
    filter: (path) => !path.endsWith("/build-info"),
  });
  return { folder };
}

/** Puts the contracts' code in the place of what was there. */
export async function install({ folder }: Workshop, codes: readonly Code[]): Promise<void> {
  for (const { path, name, creation, deployed } of codes) {
    const file = `${folder}/artifacts/${path}/${name}.json`;
    // Hardhat's own format, of which everything else stays as it is.
    const artifact = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
    await writeFile(file, JSON.stringify({ ...artifact, bytecode: creation, deployedBytecode: deployed }));
  }
}

/**
 * Runs test files in their order, as far as the first failure.
 * @param limitMs how long that may take; 0 for as long as it does
 * @throws Error when they end in another way than by passing, failing or taking too long
 */
export async function runTests(
  { folder }: Workshop,
  files: readonly string[],
  limitMs: number,
  signal: AbortSignal,
): Promise<TestOutcome> {
  const args = ["--config", CONFIG, "test", "mocha", "--no-compile", "--bail", ...files];
  const env = { ...process.env, FEIQIAN_MUTATION_WORKSHOP: folder, NODE_COMPILE_CACHE: `${folder}/compile-cache` };
  const options = { env, signal, timeout: limitMs, killSignal: "SIGKILL", maxBuffer: MOST_OUTPUT_BYTES } as const;
  const ended = await new Promise<Ended>((resolve, reject) => {
    execFile("hardhat", args, options, (failure, output, complaints) => {
      const text = `${output}${complaints}`;
      if (failure === null) resolve({ timedOut: false, status: 0, text });
      // The program could not be started, was told to stop, or wrote more than anyone reads.
      else if (typeof failure.code === "string") reject(new Error(failure.message, { cause: failure }));
      else resolve({ timedOut: failure.killed === true, status: failure.code ?? null, text });
    });
  });
  return ended.timedOut ? { kind: "timed-out" } : readTap(ended.text.split("\n"), ended.status);
}

interface Ended {
  readonly timedOut: boolean;
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly text: string;
}

/** Reads what mocha's TAP reporter prints: "not ok 3 title" for a failure, "# pass 12" at the end. */
export function readTap(lines: readonly string[], status: number | null): TestOutcome {
  const failed = firstMatch(lines, /^not ok \d+ (.+)$/);
  if (failed !== undefined) return { kind: "failed", test: failed };
  const tests = Number.parseInt(firstMatch(lines, /^# pass (\d+)$/) ?? "0", 10);
  if (status === 0 && tests > 0) return { kind: "passed", tests };
  throw new Error(`the tests ended with status ${status}, and neither passed nor failed:\n${lines.join("\n")}`);
}

function firstMatch(lines: readonly string[], pattern: RegExp): string | undefined {
  return lines.map((line) => pattern.exec(line)?.[1]).find((found) => found !== undefined);
}
