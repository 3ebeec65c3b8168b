// Runs the test suites, two at a time, and adds up what they report. The last line is always
// "N passed, N failed, N skipped"; the exit status is 0 only when nothing failed.
//
//   node scripts/test.ts             every suite
//   node scripts/test.ts invariants  the Solidity suites only, longer and from a new seed
import { randomBytes } from "node:crypto";
import { formatDuration, run } from "./lib/run.ts";
import type { Command } from "./lib/run.ts";
import { addTallies, describeTally, tallyOf } from "./lib/tally.ts";
import type { Tally } from "./lib/tally.ts";

interface Suite extends Command {
  readonly name: string;
}

const SOLIDITY = ["--config", "test/solidity/hardhat.config.ts", "--network", "default", "test", "solidity"];

/** Side by side, each one suite after the other. What compiles contracts is in one of them. */
const lanes: readonly (readonly Suite[])[] = [
  [
    { name: "contracts, in Solidity", program: "hardhat", args: SOLIDITY },
    { name: "contracts, in TypeScript", program: "hardhat", args: ["test", "mocha"] },
    { name: "end to end", program: "mocha", args: ["test/e2e/**/*.test.ts"] },
  ],
  [
    { name: "unit", program: "mocha", args: ["test/unit/**/*.test.ts"] },
    { name: "integration", program: "mocha", args: ["test/integration/**/*.test.ts"] },
  ],
];
const PROGRESS_INTERVAL_MS = 15_000;

const [which, ...rest] = process.argv.slice(2);
if (rest.length > 0 || (which !== undefined && which !== "invariants")) {
  console.error("usage: node scripts/test.ts [invariants]");
  process.exitCode = 2;
} else {
  const total = addTallies(which === "invariants" ? [await runSuite(invariantSuite())] : await runLanes());
  process.exitCode = total.failed === 0 ? 0 : 1;
  console.log(`\n${describeTally(total)}`);
}

/** What each suite prints is shown at its end, so that it is not mixed with another's. */
async function runLanes(): Promise<readonly Tally[]> {
  const startedAt = performance.now();
  const running = new Set<string>();
  const progress = setInterval(() => {
    console.log(`   ${formatDuration(performance.now() - startedAt)}: running ${[...running].join("; ")} …`);
  }, PROGRESS_INTERVAL_MS);
  try {
    const tallies = lanes.map(async (suites) => {
      const own: Tally[] = [];
      for (const suite of suites) {
        running.add(suite.name);
        own.push(await runSuite(suite, { hold: true }));
        running.delete(suite.name);
      }
      return own;
    });
    return (await Promise.all(tallies)).flat();
  } finally {
    clearInterval(progress);
  }
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
