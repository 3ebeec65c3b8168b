// Runs the test suites, several at a time, and adds up what they report. The last line is always
// "N passed, N failed, N skipped"; the exit status is 0 only when nothing failed.
//
//   node scripts/test.ts             every suite but the heavy ones
//   node scripts/test.ts --coverage  the same, and V8 notes what of the sources they run (for scripts/coverage.ts)
//   node scripts/test.ts heavy       whole demos and deployments, fuzz and invariants of the contracts
//   node scripts/test.ts invariants  the Solidity suites only, longer and from a new seed
//   node scripts/test.ts busy        some suites beside four processes that take all they get of the machine
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { V8_OUTPUT } from "./coverage/v8.ts";
import { runJobs } from "./lib/jobs.ts";
import { formatDuration, run } from "./lib/run.ts";
import type { Command } from "./lib/run.ts";
import { addTallies, describeTally, failuresIn, tallyOf } from "./lib/tally.ts";
import type { Tally } from "./lib/tally.ts";

/** What came of a suite, and what its runner said of what failed in it. */
interface Ended {
  readonly name: string;
  readonly tally: Tally;
  readonly failures: readonly string[];
}

interface Suite extends Command {
  readonly name: string;
  /** Whether it is one of those that have to cover the sources. */
  readonly reachesSources?: boolean;
  /** What one suite at a time may be at. */
  readonly uses?: string;
}

const SOLIDITY = ["--config", "test/solidity/hardhat.config.ts", "--network", "default", "test", "solidity"];

const { values: options, positionals } = parseArgs({
  options: { coverage: { type: "boolean", default: false } },
  allowPositionals: true,
});

/** The others reach nothing of the sources that these do not. */
const OF_RELAYS = ["test/e2e/cli.test.ts", "test/e2e/network.test.ts"];

/** What builds the contracts, if only to find that they are built. */
const BUILDING = { uses: "artifacts" };
/** These folders of the integration tests are suites of their own; what is left is another. */
const FEATURES = ["features"];
const RELAYS = ["app", "cli", "sandbox", "sdk"];

/** Those that take the longest first, so that they do not end long after all others. */
const suites: readonly Suite[] = [
  integration("integration, of whole relays", inFolders(RELAYS)),
  integration("integration, of features", inFolders(FEATURES)),
  integration("integration, of what features stand on", [
    "test/integration/**/*.test.ts",
    ...ignoring(inFolders([...FEATURES, ...RELAYS])),
  ]),
  { name: "unit", program: "mocha", args: ["test/unit/**/*.test.ts"], reachesSources: true },
  { name: "contracts, in TypeScript", program: "hardhat", args: ["test", "mocha"], ...BUILDING },
  { name: "end to end, of relays", program: "mocha", args: OF_RELAYS, reachesSources: true, ...BUILDING },
];
/** A quarter of all the time that tests take. `npm run check` runs them after the others. */
const heavy: readonly Suite[] = [
  { name: "contracts, in Solidity", program: "hardhat", args: SOLIDITY },
  {
    name: "end to end, of scripts",
    program: "mocha",
    args: ["test/e2e/**/*.test.ts", ...ignoring(OF_RELAYS)],
    ...BUILDING,
  },
];
/** Many a test waits for a database or a timer: one more than there are processors keeps all of them busy. */
const AT_ONCE = availableParallelism() + 1;

/** Relays and commands start in hundreds of processes. Coverage is not exact in what was compiled before, so not with it. */
const COMPILED_ONCE = { NODE_COMPILE_CACHE: join(import.meta.dirname, "../node_modules/.cache/node") };

/** What depends the most on how fast the machine is. */
const HASTY: Suite = {
  name: "beside four busy processes",
  program: "mocha",
  args: [
    "test/unit/kernel/**/*.test.ts",
    "test/integration/features/notifications/*.test.ts",
    "test/integration/features/remittance/crediter.test.ts",
    "test/integration/features/remittance/idempotency.test.ts",
    "test/integration/kernel/http/streams.test.ts",
    "test/integration/ledger/submitter*.test.ts",
  ],
};
const BUSY_PROCESSES = 4;

const runs: Readonly<Record<string, () => Promise<readonly Ended[]>>> = {
  all: () => runTogether(suites),
  heavy: () => runTogether(heavy),
  invariants: async () => [await runSuite(invariantSuite())],
  busy: async () => [await amongBusy(() => runSuite(HASTY))],
};

const [which = "all", ...rest] = positionals;
const chosen = rest.length === 0 && (which === "all" || !options.coverage) ? runs[which] : undefined;
if (chosen === undefined) {
  console.error("usage: node scripts/test.ts [--coverage | heavy | invariants | busy]");
  process.exitCode = 2;
} else {
  const ended = await chosen();
  // Again at the end: what comes before it is thousands of lines long.
  for (const { name, failures } of ended) {
    if (failures.length > 0) console.log(`\n── failed in ${name} ──\n${failures.join("\n")}`);
  }
  const total = addTallies(ended.map(({ tally }) => tally));
  process.exitCode = total.failed === 0 ? 0 : 1;
  console.log(`\n${describeTally(total)}`);
}

async function runTogether(together: readonly Suite[]): Promise<readonly Ended[]> {
  if (options.coverage) await rm(V8_OUTPUT, { recursive: true, force: true });
  const job = (suite: Suite) => {
    const isMeasured = options.coverage && suite.reachesSources === true;
    const env = isMeasured ? { NODE_V8_COVERAGE: V8_OUTPUT } : COMPILED_ONCE;
    const measured = { ...suite, env };
    // What each suite prints is shown at its end, so that it is not mixed with another's.
    return { name: suite.name, uses: suite.uses, run: () => runSuite(measured, { hold: true }) };
  };
  return runJobs(together.map(job), AT_ONCE);
}

/** Does something while as many processes as there are take what they get of the machine. */
async function amongBusy<Result>(work: () => Promise<Result>): Promise<Result> {
  const busy = Array.from({ length: BUSY_PROCESSES }, () => spawn("yes", { stdio: "ignore" }));
  try {
    return await work();
  } finally {
    for (const child of busy) child.kill();
  }
}

function ignoring(files: readonly string[]): readonly string[] {
  return files.flatMap((file) => ["--ignore", file]);
}

function inFolders(folders: readonly string[]): readonly string[] {
  return folders.map((folder) => `test/integration/${folder}/**/*.test.ts`);
}

function integration(name: string, args: readonly string[]): Suite {
  return { name, program: "mocha", args, reachesSources: true };
}

async function runSuite(suite: Suite, { hold = false } = {}): Promise<Ended> {
  if (!hold) console.log(`\n── ${suite.name} ──`);
  const { lines, status, durationMs } = await run(suite, { capture: true, hold });
  const { tally, complaint } = tallyOf(lines, status);
  const failures = complaint === undefined ? failuresIn(lines) : [complaint];
  if (complaint !== undefined) console.error(`${suite.name}: ${complaint}`);
  console.log(`── ${suite.name}: ${describeTally(tally)}, ${formatDuration(durationMs)} ──`);
  return { name: suite.name, tally, failures };
}

function invariantSuite(): Suite {
  const given = process.env;
  const seed = given["FEIQIAN_FUZZ_SEED"] ?? `0x${randomBytes(32).toString("hex")}`;
  console.log(`Seed ${seed}; to repeat this run: FEIQIAN_FUZZ_SEED=${seed} npm run test:invariants`);
  return {
    name: "fuzz and invariants, long",
    program: "hardhat",
    args: SOLIDITY,
    env: {
      FEIQIAN_FUZZ_SEED: seed,
      FEIQIAN_FUZZ_RUNS: given["FEIQIAN_FUZZ_RUNS"] ?? "10000",
      FEIQIAN_INVARIANT_RUNS: given["FEIQIAN_INVARIANT_RUNS"] ?? "500",
      FEIQIAN_INVARIANT_DEPTH: given["FEIQIAN_INVARIANT_DEPTH"] ?? "500",
    },
  };
}
