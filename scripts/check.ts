// Everything a reviewer runs, cheapest first. It stops at the first step that fails and says which one it was.
//
//   node scripts/check.ts [--skip step,step]
import { parseArgs } from "node:util";
import { formatDuration, run } from "./lib/run.ts";

interface Step {
  /** The npm script that it runs, and its name here. */
  readonly script: string;
  readonly args?: readonly string[];
  readonly what: string;
}

const steps: readonly Step[] = [
  { script: "format:check", what: "sources are formatted" },
  { script: "build", what: "contracts compile" },
  { script: "compiled:check", what: "clients know the contracts as they compile" },
  { script: "types", what: "TypeScript compiles" },
  { script: "lint", what: "no lint in TypeScript and Solidity" },
  { script: "boundaries", what: "folders import only what they may" },
  { script: "exports", what: "nothing is exported, installed or kept that nothing uses" },
  { script: "docs:contracts:check", what: "the contracts' reference is complete and current" },
  { script: "docs:relay:check", what: "the references of commands and configuration are current" },
  { script: "openapi:check", what: "the API's document is current" },
  { script: "test", args: ["--coverage"], what: "tests pass and gas is as recorded" },
  { script: "coverage", what: "tests cover the contracts and the sources" },
];

const { values } = parseArgs({ options: { skip: { type: "string", default: "" } } });
const skipped = values.skip.split(",").filter((name) => name !== "");
const unknown = skipped.filter((name) => !steps.some(({ script }) => script === name));
if (unknown.length > 0) {
  console.error(
    `--skip names no step: ${unknown.join(", ")}; steps are ${steps.map(({ script }) => script).join(", ")}`,
  );
  process.exitCode = 2;
} else {
  process.exitCode = await runSteps(new Set(skipped));
}

async function runSteps(skip: ReadonlySet<string>): Promise<number> {
  const durations: string[] = [];
  for (const { script, args = [], what } of steps) {
    if (skip.has(script)) {
      durations.push(`  ${script.padEnd(22)}skipped`);
      continue;
    }
    console.log(`\n▶ ${script}: ${what}`);
    const { status, durationMs } = await run({ program: "npm", args: ["run", "--silent", script, "--", ...args] });
    const took = formatDuration(durationMs);
    if (status !== 0) {
      console.error(`\n✖ check stopped at ${script} after ${took}; to repeat the step: npm run ${script}`);
      return 1;
    }
    console.log(`✔ ${script}, ${took}`);
    durations.push(`  ${script.padEnd(22)}${took}`);
  }
  console.log(`\n✔ check\n${durations.join("\n")}`);
  return 0;
}
