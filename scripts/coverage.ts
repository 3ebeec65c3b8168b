// Runs the tests with coverage: contracts/ as Hardhat measures it (lines and statements, all of them must be covered),
// then src/, sdk/, sandbox/ and deploy/besu/ as V8 measures it, over its tests (thresholds in .c8rc.json).
import { readdir, readFile, rm } from "node:fs/promises";
import { hasCode, parseLcov, parseStatementTable, uncoveredIn } from "./coverage/report.ts";
import type { FileCoverage } from "./coverage/report.ts";
import { runLanes } from "./lib/lanes.ts";
import { run } from "./lib/run.ts";
import type { Command } from "./lib/run.ts";

const OUTPUT = "coverage";
/** Where V8 leaves what each process ran; .c8rc.json names the same folder. */
const V8_OUTPUT = `${OUTPUT}/v8`;

/** .c8rc.json counts the same folders. */
const SOURCES = ["src", "sdk", "sandbox", "deploy/besu"];

const v8 = { NODE_V8_COVERAGE: V8_OUTPUT };

// The written tests have to cover the contracts: what the random calls of the Solidity tests happen to reach is luck.
const contractTests: Command = {
  program: "hardhat",
  args: ["--config", "scripts/coverage/hardhat.config.ts", "--coverage", "test", "mocha"],
};
const dots = (...files: readonly string[]): Command => ({
  program: "mocha",
  args: ["--reporter", "dot", ...files],
  env: v8,
});
const unitTests = dots("test/unit/**/*.test.ts");
const integrationTests = dots("test/integration/**/*.test.ts");
// Those that run relays and commands; the others reach nothing that these do not.
const endToEndTests = dots("test/e2e/cli.test.ts", "test/e2e/network.test.ts");
const sourceReport: Command = { program: "c8", args: ["report"] };

await rm(OUTPUT, { recursive: true, force: true });
// Side by side: what compiles contracts is in one lane.
const passed = await runLanes([
  [
    { name: "contracts", run: coverContracts },
    { name: "unit", run: () => passes(unitTests) },
    { name: "end to end", run: () => passes(endToEndTests) },
  ],
  [{ name: "integration", run: () => passes(integrationTests) }],
]);
process.exitCode = passed.every((each) => each) && (await coverSources()) ? 0 : 1;

async function passes(tests: Command): Promise<boolean> {
  const { status } = await run(tests, { hold: true, capture: true });
  return status === 0 || refuse(`tests fail when they run with coverage: ${tests.args.join(" ")}`);
}

async function coverContracts(): Promise<boolean> {
  const { status, lines } = await run(contractTests, { capture: true, hold: true });
  if (status !== 0) return refuse("the contracts' tests fail when they run with coverage");
  const files = parseLcov(await readFile(`${OUTPUT}/lcov.info`, "utf8")).filter(isProduct);
  if (files.length === 0) return refuse("Hardhat measured nothing in contracts/");
  const gaps = files.flatMap(uncoveredIn);
  for (const gap of gaps) console.error(await describeGap(gap));
  if (gaps.length > 0) return refuse(`${gaps.length} lines of contracts/ are not covered`);
  const partial = parseStatementTable(lines).filter((row) => isProduct(row) && row.percent !== "100.00");
  if (partial.length > 0) {
    const list = partial.map(({ path, percent }) => `${path} ${percent} %`).join(", ");
    return refuse(`statements of contracts/ are not covered: ${list}`);
  }
  const total = files.reduce((sum, { hits }) => sum + hits.size, 0);
  console.log(`contracts/: all ${total} lines and all statements of ${files.length} files covered`);
  return true;
}

async function coverSources(): Promise<boolean> {
  const report = await run(sourceReport);
  if (report.status !== 0) return refuse("the sources are covered less than .c8rc.json asks");
  const untouched = await findUntouched();
  return untouched.length === 0 || refuse(`no test loads ${untouched.join(", ")}`);
}

/** Files that have code and that no test loads: V8 does not know them, so no percentage counts them. */
async function findUntouched(): Promise<readonly string[]> {
  const loaded = parseLcov(await readFile(`${OUTPUT}/src/lcov.info`, "utf8")).map(({ path }) => path);
  const names = await Promise.all(SOURCES.map(async (folder) => modulesOf(folder)));
  const missing = names
    .flat()
    .filter((path) => !loaded.includes(path))
    .sort();
  const texts = await Promise.all(missing.map(async (path) => ({ path, text: await readFile(path, "utf8") })));
  return texts.filter(({ text }) => hasCode(text)).map(({ path }) => path);
}

async function modulesOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => name.endsWith(".ts")).map((name) => `${folder}/${name}`);
}

function isProduct({ path }: Pick<FileCoverage, "path">): boolean {
  return path.startsWith("contracts/");
}

async function describeGap({ path, line }: { readonly path: string; readonly line: number }): Promise<string> {
  const source = (await readFile(path, "utf8")).split("\n")[line - 1] ?? "";
  return `not covered: ${path}:${line}: ${source.trim()}`;
}

function refuse(reason: string): false {
  console.error(`coverage: ${reason}`);
  return false;
}
