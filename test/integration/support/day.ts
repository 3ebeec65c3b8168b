import { randomBytes } from "node:crypto";
import hre from "hardhat";
import { deployLedger } from "../../../ignition/deploy.ts";
import { money } from "../../../src/domain/money.ts";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { silentLogger } from "../../../src/kernel/telemetry/logger.ts";
import { makeDay } from "../../../sandbox/day/day.ts";
import { dayDeposits } from "../../../sandbox/funding.ts";
import { sandboxConfig, sandboxKeys } from "../../../sandbox/network.ts";
import { startNetwork, type RunningNetwork } from "../../../sandbox/network-up.ts";
import type { Order } from "../../../sandbox/orders/order.ts";
import { loadRateBook } from "../../../sandbox/provider/rates.ts";
import type { RunDayOptions } from "../../../sandbox/day/run-day.ts";
import { parseWallet } from "../../../sandbox/wallet/wallets.ts";
import { holdersFor } from "../../../sandbox/day/workload.ts";

const RATES = (await loadRateBook()).on();
/** A small day, in which one beneficiary in twenty does not exist. */
export const DAY = makeDay({ transfers: 60, seed: "small", rates: RATES, unknownBeneficiaryBps: 500 });

const GCASH = parseWallet("GCash");
/** Its relay neither offers one step nor asks for it. */
export const IN_TWO_STEPS = parseWallet("bKash").id;
const [template] = DAY.orders;
const [sender] = DAY.directory.customersOf(GCASH.id);
if (template === undefined || sender === undefined) throw new Error("test set-up: an order, and a customer of GCash");
/** From GCash, which has so few in a small day that there may be none, to somebody whom Alipay does not know. */
export const FROM_GCASH: Order = {
  ...template,
  source: GCASH.id,
  target: parseWallet("Alipay").id,
  sourceAmount: money(50_000n, GCASH.currency.code),
  debtor: sender,
  creditor: { name: "Nobody", nameLocal: "Nobody", phone: "+8613700000000" },
};

/** Three times over: tests send some again under other UETRs. */
const FUNDED = [...DAY.orders, ...DAY.orders, ...DAY.orders, FROM_GCASH];
export const DEPOSITS = dayDeposits(FUNDED, RATES);

/** The network of ten on a chain of its own, and what a day is run with. */
export interface DayNetwork {
  readonly network: RunningNetwork;
  /** How many transfers had ended, each time that some had. */
  readonly progress: readonly number[];
  readonly runOptions: (orders: readonly Order[]) => RunDayOptions;
}

export async function startDayNetwork(): Promise<DayNetwork> {
  const connection = await hre.network.create({
    override: { initialBaseFeePerGas: 0, allowBlocksWithSameTimestamp: true },
  });
  const config = sandboxConfig(sandboxKeys());
  const network = await startNetwork({
    chain: { kind: "inProcess", chain: connection.provider },
    provider: connection.ethers.provider,
    addresses: await deployLedger(connection, config),
    config,
    holdersOf: holdersFor(FUNDED, DAY.directory),
    deposits: DEPOSITS,
    rates: RATES,
    seed: "small",
    drawBytes: (length) => randomBytes(length),
    inTwoSteps: [IN_TWO_STEPS],
    relaySettings: {
      batch: { maxTransfers: 5, maxDelayMs: 100, holdSeconds: 60 },
      ledger: { pollIntervalMs: 50 },
      retry: { maxDelayMs: 500 },
    },
    log: silentLogger,
  });
  const progress: number[] = [];
  return {
    network,
    progress,
    runOptions: (orders) => ({
      orders,
      deposits: DEPOSITS,
      clock: systemClock,
      mostUnderWay: 1_000,
      patienceMs: 600_000,
      onProgress: (done) => progress.push(done),
    }),
  };
}
