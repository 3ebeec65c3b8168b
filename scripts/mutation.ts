// Puts one small fault after the other into the contracts, and looks whether a test notices. See docs/developer.md.
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { InvalidInput } from "../src/domain/errors.ts";
import { formatDuration } from "./lib/run.ts";
import { runScript } from "./lib/script.ts";
import { parseFolders } from "./lib/solidity/compile.ts";
import { stopSignal } from "./lib/stop-signal.ts";
import { readAccepted } from "./mutation/accepted.ts";
import { generate } from "./mutation/generate.ts";
import { LEAST_SCORE, asJson, describeMutant, describeSummary, scoreOf, summarize } from "./mutation/report.ts";
import { tryMutants } from "./mutation/run.ts";
import { drawSample, pick } from "./mutation/select.ts";

const USAGE = `Tests the contracts' tests: changes one thing in a contract at a time, and runs the tests until one fails.

  npm run test:mutation -- [options]

  --sample N      so many of the mutants, drawn by the seed
  --seed TEXT     decides which ones; drawn and shown without
  --only NAME     those of a file or folder, or the one with this id; may be given several times
  --workers N     mutants tried at a time (default 2)
  --list          shows the mutants, and tries none
  --json          one JSON object on the last line of stdout, and nothing else there
  --help

Ends with 1 when fewer than ${LEAST_SCORE} of 100 are killed, when one survives that scripts/mutation/accepted.json does not name,
and when that file names one that is killed or that is no more.
`;

const CONTRACTS = "contracts";
/** Contracts of the tests: mutants are tried through them, and they have none. */
const HELPERS = "test/contracts/helpers";

runScript(async () => {
  const { values } = parseArgs({
    options: {
      sample: { type: "string" },
      seed: { type: "string" },
      only: { type: "string", multiple: true, default: [] },
      workers: { type: "string", default: "2" },
      list: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const workers = readCount(values.workers, "--workers", 64);
  const count = values.sample === undefined ? undefined : readCount(values.sample, "--sample", 100_000);
  if (values.seed !== undefined && count === undefined) throw new InvalidInput("--seed", "goes with --sample");
  const out = values.json ? process.stderr : process.stdout;
  const say = (text: string): void => void out.write(`${text}\n`);

  const sources = await parseFolders([CONTRACTS, HELPERS]);
  const all = generate(sources.filter(({ path }) => path.startsWith(`${CONTRACTS}/`)));
  const picked = pick(all, values.only);
  const seed = values.seed ?? randomBytes(4).toString("hex");
  const mutants = count === undefined ? picked : drawSample(picked, count, seed);
  say(`${mutants.length} of ${all.length} mutants${count === undefined ? "" : `, drawn by --seed ${seed}`}`);
  if (values.list) {
    say(mutants.map(describeMutant).join("\n"));
    if (values.json) process.stdout.write(`${JSON.stringify({ mutants })}\n`);
    return 0;
  }

  const stop = new AbortController();
  void stopSignal().then(() => stop.abort());
  const startedAt = performance.now();
  const isOwn = (path: string): boolean => [CONTRACTS, HELPERS].some((folder) => path.startsWith(`${folder}/`));
  const results = await tryMutants({ sources, isOwn, mutants, workers }, say, stop.signal);
  const summary = summarize(results, all, await readAccepted());
  const tookMs = performance.now() - startedAt;
  const stopped = results.length < mutants.length;
  const passed = summary.passed && !stopped;
  say(`\n${describeSummary(summary)}`);
  const share = stopped ? `; stopped after ${results.length} of ${mutants.length}` : "";
  say(`score ${scoreOf(summary.total)} %, ${formatDuration(tookMs)}${share}`);
  const run = { seed, mutants: all.length, chosen: mutants.length, tookMs };
  if (values.json) process.stdout.write(`${JSON.stringify({ passed, ...run, ...asJson(summary, results) })}\n`);
  return passed ? 0 : 1;
});

function readCount(text: string, option: string, most: number): number {
  const count = /^[1-9]\d{0,5}$/.test(text) ? Number.parseInt(text, 10) : 0;
  if (count < 1 || count > most) throw new InvalidInput(option, `a number from 1 to ${most}`, text);
  return count;
}
