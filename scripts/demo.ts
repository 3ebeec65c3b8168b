// The main job: a day of remittances between the ten countries, sent by ten relays over a ledger of its own. See docs/demo.md.
import { parseArgs } from "node:util";
import { InvalidInput } from "../src/domain/errors.ts";
import { successTable } from "../src/features/statistics/success-table.ts";
import { LOG_LEVELS, type LogLevel } from "../src/kernel/telemetry/logger.ts";
import { MAX_TRANSFERS } from "../sandbox/day/day.ts";
import { loadRateBook } from "../sandbox/provider/rates.ts";
import { corridorTable, figures, reconciliationTable, summaryJson } from "../sandbox/day/report.ts";
import type { DayRun } from "../sandbox/day/run-day.ts";
import { summarize, type Summary } from "../sandbox/day/summary.ts";
import { loadWorkload, type Workload } from "../sandbox/day/workload.ts";
import type { DemoOptions } from "./demo/own-network.ts";
import { compileContracts } from "./lib/compile.ts";
import { requireNetwork } from "./lib/require-network.ts";
import { runScript, type Say } from "./lib/script.ts";

const USAGE = `A day of remittances between the ten countries, sent by ten relays over a ledger of its own.

  npm run demo -- [options]

  --transfers N    how many (default 5000)
  --date D         day of the exchange rates, YYYY-MM-DD (default: that of the rates package)
  --seed S         any text; the same seed makes the same day (default "feiqian")
  --batch-size N   most transfers in a batch (default 1000)
  --network NAME   a network of hardhat.config.ts to deploy on, such as bft (default: a chain in this process)
  --rpc URL,URL    that network's nodes, for the relays to choose from (default: the one in hardhat.config.ts)
  --input FILE     orders of your own, CSV or NDJSON (see docs/demo.md), in place of a made-up day
  --log LEVEL      what the relays log, to stderr, from this level up: debug, info, warn, error, fatal or
                   silent (default silent: an outage makes them complain)
  --json           one JSON object on the last line of stdout, and nothing else there
  --help
`;

const MOST_IN_A_BATCH = 10_000;

runScript(main);

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 0;
  // What people read is out of the way of the JSON.
  const say: Say = options.json
    ? (text) => process.stderr.write(`${text}\n`)
    : (text) => process.stdout.write(`${text}\n`);

  const rates = (await loadRateBook()).on(options.date);
  const workload = await loadWorkload({ ...options, rates });
  sayRefused(workload, say);
  if (workload.orders.length === 0) throw new InvalidInput("input", "at least one order that can be sent");

  if (options.network !== undefined) await requireNetwork(options.network, options.rpcUrls);
  await compileContracts(say, options.network);
  // It takes a while to load: by now it has been said what is going on.
  const { runOnOwnNetwork } = await import("./demo/own-network.ts");
  const run = await runOnOwnNetwork(workload, rates, options, say);
  const summary = summarize(run.day, run.measured, run.reconciliation, rates);
  report(summary, run, options, say);
  const { balanceDifferences, currencies } = run.reconciliation;
  const isSound =
    summary.unaccounted + balanceDifferences.length + run.relayDifferences.length === 0 &&
    currencies.every(({ difference }) => difference === 0n);
  return isSound ? 0 : 1;
}

function readOptions(): DemoOptions | undefined {
  const { values } = parseArgs({
    options: {
      transfers: { type: "string", default: "5000" },
      date: { type: "string" },
      seed: { type: "string", default: "feiqian" },
      "batch-size": { type: "string", default: "1000" },
      network: { type: "string" },
      rpc: { type: "string" },
      input: { type: "string" },
      log: { type: "string", default: "silent" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return undefined;
  }
  if (values.rpc !== undefined && values.network === undefined) throw new InvalidInput("--rpc", "with --network only");
  return {
    transfers: readCount(values.transfers, "--transfers", MAX_TRANSFERS),
    date: values.date,
    seed: values.seed,
    batchSize: readCount(values["batch-size"], "--batch-size", MOST_IN_A_BATCH),
    network: values.network,
    rpcUrls: values.rpc?.split(","),
    input: values.input,
    log: readLevel(values.log),
    json: values.json,
  };
}

function readCount(text: string, option: string, most: number): number {
  const count = /^[1-9]\d{0,15}$/.test(text) ? Number.parseInt(text, 10) : 0;
  if (count < 1 || count > most) throw new InvalidInput(option, `an integer from 1 to ${most}`, text);
  return count;
}

function readLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level === undefined) throw new InvalidInput("--log", `one of ${LOG_LEVELS.join(", ")}`, text);
  return level;
}

function sayRefused({ refused }: Workload, say: Say): void {
  for (const { line, field, rule, reason } of refused) say(`  line ${line}: ${field}: ${rule} (${reason})`);
  if (refused.length > 0) say(`${refused.length} orders refused; the others go through`);
}

function report(
  summary: Summary,
  { reconciliation, relayDifferences, success }: DayRun,
  { json }: DemoOptions,
  say: Say,
): void {
  say(`\n${corridorTable(summary)}\n`);
  say(`${reconciliationTable(reconciliation)}\n`);
  for (const { partner, currency, expected, found } of reconciliation.balanceDifferences) {
    say(`partner ${partner} has ${found} ${currency} minor units available instead of ${expected}`);
  }
  for (const { partner, difference } of relayDifferences) {
    say(`partner ${partner}'s relay finds a difference: ${JSON.stringify(difference)}`);
  }
  for (const uetr of reconciliation.unaccounted) say(`unaccounted for: ${uetr}`);
  say(figures(summary));
  say(`\n${successTable(success)}`);
  if (json) process.stdout.write(`${summaryJson(summary, success)}\n`);
}
