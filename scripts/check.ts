// Everything a reviewer runs, cheapest first, and side by side where one step does not need another. It stops after the
// stage in which some step has failed, and says which.
//
//   node scripts/check.ts [--skip step,step]
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { runJobs } from "./lib/jobs.ts";
import { formatDuration, run } from "./lib/run.ts";

interface Step {
  /** The npm script that it runs, and its name here. */
  readonly script: string;
  readonly args?: readonly string[];
  readonly what: string;
}

/** Each needs what those before it have made. Within one, those that take the longest come first. */
const stages: readonly (readonly Step[])[] = [
  [{ script: "build", what: "contracts compile" }],
  [
    { script: "lint", what: "no lint in TypeScript and Solidity" },
    { script: "types", what: "TypeScript compiles" },
    { script: "exports", what: "nothing is exported, installed or kept that nothing uses" },
    { script: "format:check", what: "sources are formatted" },
    { script: "boundaries", what: "folders import only what they may" },
    { script: "compiled:check", what: "clients know the contracts as they compile" },
    { script: "wasm:check", what: "the WebAssembly that hashes is what its source compiles to" },
    { script: "docs:contracts:check", what: "the contracts' reference is complete and current" },
    { script: "docs:relay:check", what: "the references of commands and configuration are current" },
    { script: "openapi:check", what: "the API's document is current" },
  ],
  [{ script: "test", args: ["--coverage"], what: "tests pass and gas is as recorded" }],
  [{ script: "test:heavy", what: "demos, deployments, fuzz and invariants of the contracts pass" }],
  [{ script: "coverage", what: "tests cover the contracts and the sources" }],
];

interface Ended {
  readonly script: string;
  readonly isSound: boolean;
  readonly took: string;
}

const steps = stages.flat();
const { values } = parseArgs({ options: { skip: { type: "string", default: "" } } });
const skipped = values.skip.split(",").filter((name) => name !== "");
const unknown = skipped.filter((name) => !steps.some(({ script }) => script === name));
if (unknown.length > 0) {
  console.error(
    `--skip names no step: ${unknown.join(", ")}; steps are ${steps.map(({ script }) => script).join(", ")}`,
  );
  process.exitCode = 2;
} else {
  process.exitCode = await runStages(new Set(skipped));
}

async function runStages(skip: ReadonlySet<string>): Promise<number> {
  const ended: Ended[] = [];
  for (const stage of stages) {
    const due = stage.filter(({ script }) => !skip.has(script));
    // What one step prints is shown at its end where others run beside it.
    const hold = due.length > 1;
    const jobs = due.map((step) => ({ name: step.script, run: () => runStep(step, hold) }));
    ended.push(...(await runJobs(jobs, availableParallelism())));
    const failed = ended.filter(({ isSound }) => !isSound);
    if (failed.length === 0) continue;
    const list = failed.map(({ script, took }) => `${script} after ${took}; to repeat the step: npm run ${script}`);
    console.error(`\n✖ check stopped at ${list.join("\n  and at ")}`);
    return 1;
  }
  const durations = steps.map(({ script }) => {
    const took = ended.find((step) => step.script === script)?.took ?? "skipped";
    return `  ${script.padEnd(22)}${took}`;
  });
  console.log(`\n✔ check\n${durations.join("\n")}`);
  return 0;
}

async function runStep({ script, args = [], what }: Step, hold: boolean): Promise<Ended> {
  console.log(`▶ ${script}: ${what}`);
  const command = { program: "npm", args: ["run", "--silent", script, "--", ...args] };
  const { status, durationMs } = await run(command, { capture: hold, hold });
  const took = formatDuration(durationMs);
  const isSound = status === 0;
  console.log(`${isSound ? "✔" : "✖"} ${script}, ${took}`);
  return { script, isSound, took };
}
