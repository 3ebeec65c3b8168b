// The main job: a day of remittances between the ten countries, on a ledger of its own. See README.md.
import { parseArgs } from "node:util";
import hre from "hardhat";
import { deployLedger } from "../ignition/deploy.ts";
import { InvalidInput } from "../src/domain/errors.ts";
import { differences, verifyDeployment } from "../src/ledger/deployment/verify.ts";
import { MAX_TRANSFERS } from "../src/sandbox/day.ts";
import { closeDay, fundDay, type Movement } from "../src/sandbox/funding.ts";
import { sandboxConfig, sandboxKeys } from "../src/sandbox/network.ts";
import { loadRateBook, type DailyRates } from "../src/sandbox/rates.ts";
import { reconcile, type Reconciliation } from "../src/sandbox/reconciliation.ts";
import { corridorTable, figures, PROVIDER_NAMES, reconciliationTable, summaryJson } from "../src/sandbox/report.ts";
import { openSandbox, type Sandbox } from "../src/sandbox/sandbox.ts";
import { simulate } from "../src/sandbox/simulation.ts";
import { summarize, type Summary } from "../src/sandbox/summary.ts";
import { runScript } from "./lib/script.ts";
import { loadWorkload, type Workload } from "../src/sandbox/workload.ts";

const USAGE = `A day of remittances between the ten countries, settled on a ledger in this process.

  npm run demo -- [options]

  --transfers N    how many (default 5000)
  --date D         day of the exchange rates, YYYY-MM-DD (default: that of the rates package)
  --seed S         any text; the same seed makes the same day (default "feiqian")
  --batch-size N   most transfers in a batch (default 100)
  --input FILE     orders of your own, CSV or NDJSON (see README.md), in place of a made-up day
  --json           one JSON object on the last line of stdout, and nothing else there
  --help
`;

interface Options {
  readonly transfers: number;
  readonly date: string | undefined;
  readonly seed: string;
  readonly batchSize: number;
  readonly input: string | undefined;
  readonly json: boolean;
}

const MOST_IN_A_BATCH = 10_000;
const PROGRESS_STEP_PERCENT = 10;

/** What people read: on stdout, or out of the way of the JSON. */
type Say = (text: string) => void;
type PassTime = (seconds: number) => Promise<void>;

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

  const { sandbox, passTime } = await deploy(say);
  say(`Funding the partners for ${workload.orders.length} orders at the rates of ${rates.date} …`);
  const deposits = await fundDay(sandbox, workload.orders, rates);
  const { summary, reconciliation } = await runDay(sandbox, workload, rates, { ...options, passTime, deposits }, say);
  report(summary, reconciliation, options, say);
  const { balanceDifferences, currencies } = reconciliation;
  const isSound =
    summary.unaccounted + balanceDifferences.length === 0 && currencies.every(({ difference }) => difference === 0n);
  return isSound ? 0 : 1;
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      transfers: { type: "string", default: "5000" },
      date: { type: "string" },
      seed: { type: "string", default: "feiqian" },
      "batch-size": { type: "string", default: "100" },
      input: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return undefined;
  }
  return {
    transfers: readCount(values.transfers, "--transfers", MAX_TRANSFERS),
    date: values.date,
    seed: values.seed,
    batchSize: readCount(values["batch-size"], "--batch-size", MOST_IN_A_BATCH),
    input: values.input,
    json: values.json,
  };
}

function readCount(text: string, option: string, most: number): number {
  const count = /^[1-9]\d{0,15}$/.test(text) ? Number.parseInt(text, 10) : 0;
  if (count < 1 || count > most) throw new InvalidInput(option, `an integer from 1 to ${most}`, text);
  return count;
}

async function deploy(say: Say): Promise<{ readonly sandbox: Sandbox; readonly passTime: PassTime }> {
  say("Deploying the ledger on an in-process chain …");
  // A ledger without fees, whose blocks come as fast as transactions do.
  const override = { initialBaseFeePerGas: 0, allowBlocksWithSameTimestamp: true };
  const connection = await hre.network.create({ override });
  const { provider } = connection.ethers;
  const config = sandboxConfig(sandboxKeys());
  const sandbox = await openSandbox(provider, await deployLedger(connection, config), config);
  const settings = await verifyDeployment(sandbox.ledger, config);
  const wrong = differences(settings);
  for (const { name, expected, found } of wrong) say(`  ${name}: ${found} instead of ${expected}`);
  if (wrong.length > 0) throw new Error(`${wrong.length} settings of the ledger are not as configured`);
  say(
    `  ${config.partners.length} partners, ${config.corridors.length} corridors; ${settings.length} settings read back, all as configured`,
  );
  const passTime: PassTime = async (seconds) => {
    await provider.send("evm_increaseTime", [seconds]);
  };
  return { sandbox, passTime };
}

async function runDay(
  sandbox: Sandbox,
  { orders, directory }: Workload,
  rates: DailyRates,
  {
    seed,
    batchSize,
    passTime,
    deposits,
  }: Options & {
    readonly passTime: PassTime;
    readonly deposits: readonly Movement[];
  },
  say: Say,
): Promise<{ readonly summary: Summary; readonly reconciliation: Reconciliation }> {
  say(`Sending; ${PROVIDER_NAMES} compete, GCash is offline from 11:00 to 13:00 UTC, every call is submitted twice …`);
  let nextStep = PROGRESS_STEP_PERCENT;
  const simulation = await simulate(sandbox, {
    orders,
    directory,
    rates,
    seed,
    batchSize,
    passTime,
    now: () => performance.now(),
    onProgress: (done) => {
      const percent = Math.floor((done * 100) / orders.length);
      if (percent < nextStep) return;
      say(
        `  ${String(done).padStart(String(orders.length).length)} of ${orders.length} transfers ended (${percent} %)`,
      );
      nextStep = percent - (percent % PROGRESS_STEP_PERCENT) + PROGRESS_STEP_PERCENT;
    },
  });
  say("Taking the day's receipts out, redeeming them, and reconciling with the ledger …");
  const withdrawals = await closeDay(sandbox, simulation);
  const reconciliation = await reconcile(sandbox, simulation, [...deposits, ...withdrawals]);
  return { summary: summarize(simulation, reconciliation, rates), reconciliation };
}

function sayRefused({ refused }: Workload, say: Say): void {
  for (const { line, field, rule, reason } of refused) say(`  line ${line}: ${field}: ${rule} (${reason})`);
  if (refused.length > 0) say(`${refused.length} orders refused; the others go through`);
}

function report(summary: Summary, reconciliation: Reconciliation, { json }: Options, say: Say): void {
  say(`\n${corridorTable(summary)}\n`);
  say(`${reconciliationTable(reconciliation)}\n`);
  for (const { partner, currency, expected, found } of reconciliation.balanceDifferences) {
    say(`partner ${partner} has ${found} ${currency} minor units available instead of ${expected}`);
  }
  for (const uetr of reconciliation.unaccounted) say(`unaccounted for: ${uetr}`);
  say(figures(summary));
  if (json) process.stdout.write(`${summaryJson(summary)}\n`);
}
