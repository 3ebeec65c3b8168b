import { systemClock } from "../../src/kernel/clock/clock.ts";
import { createLogger, type LogLevel } from "../../src/kernel/telemetry/logger.ts";
import { drawSecurely } from "../../src/kernel/secure-random.ts";
import { dayDeposits } from "../../sandbox/funding.ts";
import { startNetwork, type NetworkOptions } from "../../sandbox/network-up.ts";
import type { DailyRates } from "../../sandbox/provider/rates.ts";
import { PROVIDER_NAMES } from "../../sandbox/day/report.ts";
import { runDay, type DayRun } from "../../sandbox/day/run-day.ts";
import { holdersFor, type Workload } from "../../sandbox/day/workload.ts";
import { showProgress } from "../lib/progress.ts";
import { deploySandbox } from "../lib/sandbox-ledger.ts";
import type { Say } from "../lib/script.ts";

export interface DemoOptions {
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

const PROGRESS_STEP_PERCENT = 10;
/** Transfers under way at once: more would only wait longer. */
const MOST_UNDER_WAY = 5_000;
/** Without a transfer ending for so long, something is broken. */
const PATIENCE_MS = 300_000;
/** Customers wait so long at most for others to share a batch with. */
const MAX_DELAY_MS = 500;
/** Ten relays in one process look for blocks: what each reads of one costs as much as of many. */
const POLL_INTERVAL_MS = 2_000;
/** Checks of one wallet in a minute: a day's transfers go through in one. */
const MOST_UNPAID = 1_000_000;
/** Ledger time that the outage has to outlast: long for a machine that is busy, short to let pass. */
const HOLD_SECONDS = { inProcess: 120, nodes: 60 };

/** Starts a network of ten on a ledger of its own, sends a day of orders through it, and stops it. */
export async function runOnOwnNetwork(
  { orders, directory }: Workload,
  rates: DailyRates,
  { seed, batchSize, network: chainName, rpcUrls, log }: DemoOptions,
  say: Say,
): Promise<DayRun> {
  const place = chainName === undefined ? "a chain in this process" : `network ${chainName}`;
  const { settings, ...ledger } = await showProgress(`Deploying the ledger on ${place} …`, say, () =>
    deploySandbox({ network: chainName, rpcUrls }),
  );
  const { partners, corridors } = ledger.config;
  say(
    `  ${partners.length} partners, ${corridors.length} corridors; ${settings} settings checked on the ledger, all as configured`,
  );
  const deposits = dayDeposits(orders, rates);
  const funding = `Funding the partners for ${orders.length} orders at the rates of ${rates.date}; starting ten relays …`;
  const options: NetworkOptions = {
    ...ledger,
    holdersOf: holdersFor(orders, directory),
    deposits,
    rates,
    seed,
    drawBytes: drawSecurely,
    relaySettings: {
      batch: { maxTransfers: batchSize, maxDelayMs: MAX_DELAY_MS, holdSeconds: HOLD_SECONDS[ledger.chain.kind] },
      // Whom a block concerns is told of it; to the others it makes no difference.
      ledger: { pollIntervalMs: POLL_INTERVAL_MS },
      retry: { maxDelayMs: 1_000 },
      oneStep: { unpaidPerMinute: MOST_UNPAID },
    },
    log: createLogger({ level: log, destination: process.stderr }),
  };
  const network = await showProgress(funding, say, () => startNetwork(options));
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
