// Runs the test suites one after the other and adds up what they report. The last line is always
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

const everySuite: readonly Suite[] = [
  { name: "contracts, in Solidity", program: "hardhat", args: SOLIDITY },
  { name: "contracts, in TypeScript", program: "hardhat", args: ["test", "mocha"] },
  { name: "unit", program: "mocha", args: ["test/unit/**/*.test.ts"] },
  { name: "integration", program: "mocha", args: ["test/integration/**/*.test.ts"] },
  { name: "end to end", program: "mocha", args: ["test/e2e/**/*.test.ts"] },
];

const [which, ...rest] = process.argv.slice(2);
if (rest.length > 0 || (which !== undefined && which !== "invariants")) {
  console.error("usage: node scripts/test.ts [invariants]");
  process.exitCode = 2;
} else {
  await runAll(which === "invariants" ? [invariantSuite()] : everySuite);
}

async function runAll(suites: readonly Suite[]): Promise<void> {
  const tallies: Tally[] = [];
  for (const suite of suites) {
    console.log(`\n── ${suite.name} ──`);
    const { lines, status, durationMs } = await run(suite, { capture: true });
    const { tally, complaint } = tallyOf(lines, status);
    if (complaint !== undefined) console.error(`${suite.name}: ${complaint}`);
    console.log(`── ${suite.name}: ${describeTally(tally)}, ${formatDuration(durationMs)} ──`);
    tallies.push(tally);
  }
  const total = addTallies(tallies);
  process.exitCode = total.failed === 0 ? 0 : 1;
  console.log(`\n${describeTally(total)}`);
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
