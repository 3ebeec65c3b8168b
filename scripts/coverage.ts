// Requires that tests cover the code: contracts/ as Hardhat measures it, in a run of their tests of its own (lines and
// statements, all of them must be covered), and src/, sdk/, sandbox/ and deploy/besu/ as V8 measured it while
// `npm test -- --coverage` ran (thresholds in .c8rc.json).
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { hasCode, parseLcov, parseStatementTable, uncoveredIn } from "./coverage/report.ts";
import type { FileCoverage } from "./coverage/report.ts";
import { V8_OUTPUT } from "./coverage/v8.ts";
import { run } from "./lib/run.ts";
import type { Command } from "./lib/run.ts";

const OUTPUT = "coverage";

/** .c8rc.json counts the same folders. */
const SOURCES = ["src", "sdk", "sandbox", "deploy/besu"];

// The written tests have to cover the contracts: what the random calls of the Solidity tests happen to reach is luck.
const contractTests: Command = {
  program: "hardhat",
  args: ["--config", "scripts/coverage/hardhat.config.ts", "--coverage", "test", "mocha"],
};
const sourceReport: Command = { program: "c8", args: ["report"] };

if (existsSync(V8_OUTPUT)) {
  // Side by side, as the one only reads.
  const passed = await Promise.all([coverContracts(), coverSources()]);
  process.exitCode = passed.every((each) => each) ? 0 : 1;
} else {
  refuse("no tests were measured; run them first: npm test -- --coverage");
  process.exitCode = 1;
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
  const report = await run(sourceReport, { hold: true, capture: true });
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
