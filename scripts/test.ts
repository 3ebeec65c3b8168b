// Runs the test suites, two at a time, and adds up what they report. The last line is always
// "N passed, N failed, N skipped"; the exit status is 0 only when nothing failed.
//
//   node scripts/test.ts             every suite
//   node scripts/test.ts --coverage  every suite, and V8 notes what of the sources they run (for scripts/coverage.ts)
//   node scripts/test.ts invariants  the Solidity suites only, longer and from a new seed
//   node scripts/test.ts busy        some suites beside four processes that take all they get of the machine
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { V8_OUTPUT } from "./coverage/v8.ts";
import { runLanes } from "./lib/lanes.ts";
import { formatDuration, run } from "./lib/run.ts";
import type { Command } from "./lib/run.ts";
import { addTallies, describeTally, tallyOf } from "./lib/tally.ts";
import type { Tally } from "./lib/tally.ts";

interface Suite extends Command {
  readonly name: string;
  /** Whether it is one of those that have to cover the sources. */
  readonly reachesSources?: boolean;
}

const SOLIDITY = ["--config", "test/solidity/hardhat.config.ts", "--network", "default", "test", "solidity"];

const { values: options, positionals } = parseArgs({
  options: { coverage: { type: "boolean", default: false } },
  allowPositionals: true,
});

/** The others reach nothing of the sources that these do not. */
const OF_RELAYS = ["test/e2e/cli.test.ts", "test/e2e/network.test.ts"];

/** These folders of the integration tests take about as long as all the others. */
const OF_FEATURES = ["app", "cli", "features"];
const folders = await readdir("test/integration", { withFileTypes: true });
const others = folders.filter((entry) => entry.isDirectory() && ![...OF_FEATURES, "support"].includes(entry.name));

/** Side by side, each one suite after the other. What compiles contracts is in one of them. */
const lanes: readonly (readonly Suite[])[] = [
  [
    { name: "contracts, in Solidity", program: "hardhat", args: SOLIDITY },
    { name: "contracts, in TypeScript", program: "hardhat", args: ["test", "mocha"] },
    { name: "end to end, of relays", program: "mocha", args: OF_RELAYS, reachesSources: true },
    { name: "end to end, of scripts", program: "mocha", args: ["test/e2e/**/*.test.ts", ...ignoring(OF_RELAYS)] },
    integration(
      "integration, of what features stand on",
      others.map(({ name }) => name),
    ),
  ],
  [
    { name: "unit", program: "mocha", args: ["test/unit/**/*.test.ts"], reachesSources: true },
    integration("integration, of features", OF_FEATURES),
  ],
];

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

const runs: Readonly<Record<string, () => Promise<readonly Tally[]>>> = {
  all: runAll,
  invariants: async () => [await runSuite(invariantSuite())],
  busy: async () => [await amongBusy(() => runSuite(HASTY))],
};

const [which = "all", ...rest] = positionals;
const chosen = rest.length === 0 && (which === "all" || !options.coverage) ? runs[which] : undefined;
if (chosen === undefined) {
  console.error("usage: node scripts/test.ts [--coverage | invariants | busy]");
  process.exitCode = 2;
} else {
  const total = addTallies(await chosen());
  process.exitCode = total.failed === 0 ? 0 : 1;
  console.log(`\n${describeTally(total)}`);
}

async function runAll(): Promise<readonly Tally[]> {
  if (options.coverage) await rm(V8_OUTPUT, { recursive: true, force: true });
  const job = (suite: Suite) => {
    const isMeasured = options.coverage && suite.reachesSources === true;
    const measured = isMeasured ? { ...suite, env: { NODE_V8_COVERAGE: V8_OUTPUT } } : suite;
    // What each suite prints is shown at its end, so that it is not mixed with another's.
    return { name: suite.name, run: () => runSuite(measured, { hold: true }) };
  };
  return runLanes(lanes.map((suites) => suites.map(job)));
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

function integration(name: string, of: readonly string[]): Suite {
  const args = of.map((folder) => `test/integration/${folder}/**/*.test.ts`);
  return { name, program: "mocha", args, reachesSources: true };
}

async function runSuite(suite: Suite, { hold = false } = {}): Promise<Tally> {
  if (!hold) console.log(`\n── ${suite.name} ──`);
  const { lines, status, durationMs } = await run(suite, { capture: true, hold });
  const { tally, complaint } = tallyOf(lines, status);
  if (complaint !== undefined) console.error(`${suite.name}: ${complaint}`);
  console.log(`── ${suite.name}: ${describeTally(tally)}, ${formatDuration(durationMs)} ──`);
  return tally;
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
