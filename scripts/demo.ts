// The main job: a day of remittances between the ten countries, sent by ten relays over a ledger of its own. See README.md.
import { parseArgs } from "node:util";
import { InvalidInput } from "../src/domain/errors.ts";
import { systemClock } from "../src/platform/clock.ts";
import { createLogger, LOG_LEVELS, type LogLevel } from "../src/platform/logger.ts";
import { drawSecurely } from "../src/platform/secure-random.ts";
import { MAX_TRANSFERS } from "../src/sandbox/day.ts";
import { dayDeposits } from "../src/sandbox/funding.ts";
import { startNetwork } from "../src/sandbox/network-up.ts";
import { loadRateBook, type DailyRates } from "../src/sandbox/rates.ts";
import { corridorTable, figures, PROVIDER_NAMES, reconciliationTable, summaryJson } from "../src/sandbox/report.ts";
import { runDay, type DayRun } from "../src/sandbox/run-day.ts";
import { summarize, type Summary } from "../src/sandbox/summary.ts";
import { holdersFor, loadWorkload, type Workload } from "../src/sandbox/workload.ts";
import { deploySandbox } from "./lib/sandbox-ledger.ts";
import { runScript } from "./lib/script.ts";

const USAGE = `A day of remittances between the ten countries, sent by ten relays over a ledger of its own.

  npm run demo -- [options]

  --transfers N    how many (default 5000)
  --date D         day of the exchange rates, YYYY-MM-DD (default: that of the rates package)
  --seed S         any text; the same seed makes the same day (default "feiqian")
  --batch-size N   most transfers in a batch (default 100)
  --network NAME   a network of hardhat.config.ts to deploy on, such as bft (default: a chain in this process)
  --rpc URL,URL    that network's nodes, for the relays to choose from (default: the one in hardhat.config.ts)
  --input FILE     orders of your own, CSV or NDJSON (see README.md), in place of a made-up day
  --log LEVEL      what the relays log, to stderr, from this level up: debug, info, warn, error, fatal or
                   silent (default silent: an outage makes them complain)
  --json           one JSON object on the last line of stdout, and nothing else there
  --help
`;

interface Options {
  readonly transfers: number;
  readonly date: string | undefined;
  readonly seed: string;
  readonly batchSize: number;
  readonly network: string | undefined;
  readonly rpcUrls: readonly string[] | undefined;
  readonly input: string | undefined;
  readonly log: LogLevel;
  readonly json: boolean;
}

const MOST_IN_A_BATCH = 10_000;
const PROGRESS_STEP_PERCENT = 10;
/** Transfers under way at once: more would only wait longer. */
const MOST_UNDER_WAY = 5_000;
/** Without a transfer ending for so long, something is broken. */
const PATIENCE_MS = 120_000;
/** Customers wait so long at most for others to share a batch with. */
const MAX_DELAY_MS = 500;
/** Ledger time that the outage has to outlast: long for a machine that is busy, short to let pass. */
const HOLD_SECONDS = { inProcess: 120, nodes: 60 };

/** What people read: on stdout, or out of the way of the JSON. */
type Say = (text: string) => void;

runScript(main);

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 0;
  const say: Say = options.json
    ? (text) => process.stderr.write(`${text}\n`)
    : (text) => process.stdout.write(`${text}\n`);

  const rates = (await loadRateBook()).on(options.date);
  const workload = await loadWorkload({ ...options, rates });
  sayRefused(workload, say);
  if (workload.orders.length === 0) throw new InvalidInput("input", "at least one order that can be sent");

  const run = await runOnOwnNetwork(workload, rates, options, say);
  const summary = summarize(run.day, run.measured, run.reconciliation, rates);
  report(summary, run, options, say);
  const { balanceDifferences, currencies } = run.reconciliation;
  const isSound =
    summary.unaccounted + balanceDifferences.length + run.relayDifferences.length === 0 &&
    currencies.every(({ difference }) => difference === 0n);
  return isSound ? 0 : 1;
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      transfers: { type: "string", default: "5000" },
      date: { type: "string" },
      seed: { type: "string", default: "feiqian" },
      "batch-size": { type: "string", default: "100" },
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

async function runOnOwnNetwork(
  { orders, directory }: Workload,
  rates: DailyRates,
  { seed, batchSize, network: chainName, rpcUrls, log }: Options,
  say: Say,
): Promise<DayRun> {
  say(`Deploying the ledger on ${chainName === undefined ? "a chain in this process" : `network ${chainName}`} …`);
  const { settings, ...ledger } = await deploySandbox({ network: chainName, rpcUrls });
  const { partners, corridors } = ledger.config;
  say(
    `  ${partners.length} partners, ${corridors.length} corridors; ${settings} settings read back, all as configured`,
  );
  say(`Funding the partners for ${orders.length} orders at the rates of ${rates.date}; starting ten relays …`);
  const deposits = dayDeposits(orders, rates);
  const network = await startNetwork({
    ...ledger,
    holdersOf: holdersFor(orders, directory),
    deposits,
    rates,
    seed,
    drawBytes: drawSecurely,
    relaySettings: {
      batch: { maxTransfers: batchSize, maxDelayMs: MAX_DELAY_MS, holdSeconds: HOLD_SECONDS[ledger.chain.kind] },
      ledger: { pollIntervalMs: 100 },
      retry: { maxDelayMs: 1_000 },
    },
    log: createLogger({ level: log, destination: process.stderr }),
  });
  try {
    say(`Sending over HTTP, every order twice; ${PROVIDER_NAMES} compete;`);
    say("GCash's gateway is offline from 11:00 to 13:00 UTC, until what waits for it has expired …");
    return await runDay(network, {
      orders,
      deposits,
      clock: systemClock,
      mostUnderWay: MOST_UNDER_WAY,
      patienceMs: PATIENCE_MS,
      onProgress: progress(orders.length, say),
    });
  } finally {
    await network.stop();
  }
}

function progress(transfers: number, say: Say): (done: number) => void {
  let nextStep = PROGRESS_STEP_PERCENT;
  return (done) => {
    const percent = Math.floor((done * 100) / transfers);
    if (percent < nextStep) return;
    say(`  ${String(done).padStart(String(transfers).length)} of ${transfers} transfers ended (${percent} %)`);
    nextStep = percent - (percent % PROGRESS_STEP_PERCENT) + PROGRESS_STEP_PERCENT;
  };
}

function sayRefused({ refused }: Workload, say: Say): void {
  for (const { line, field, rule, reason } of refused) say(`  line ${line}: ${field}: ${rule} (${reason})`);
  if (refused.length > 0) say(`${refused.length} orders refused; the others go through`);
}

function report(summary: Summary, { reconciliation, relayDifferences }: DayRun, { json }: Options, say: Say): void {
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
  if (json) process.stdout.write(`${summaryJson(summary)}\n`);
}
