import hre from "hardhat";
import { deployLedger } from "../../../ignition/deploy.ts";
import type { LedgerAddresses } from "../../../src/ledger/contracts.ts";
import { makeDay } from "../../../src/sandbox/day.ts";
import { closeDay, fundDay, type Movement } from "../../../src/sandbox/funding.ts";
import { sandboxConfig, sandboxKeys } from "../../../src/sandbox/network.ts";
import type { Order } from "../../../src/sandbox/order.ts";
import { loadRateBook } from "../../../src/sandbox/rates.ts";
import { openSandbox, type Sandbox } from "../../../src/sandbox/sandbox.ts";
import { simulate, type Simulation, type SimulationOptions } from "../../../src/sandbox/simulation.ts";

const connection = await hre.network.create({
  override: { initialBaseFeePerGas: 0, allowBlocksWithSameTimestamp: true },
});
const { provider } = connection.ethers;
const CONFIG = sandboxConfig(sandboxKeys());

export const RATES = (await loadRateBook()).on();
/** A small day, in which one beneficiary in twenty does not exist. */
export const DAY = makeDay({ transfers: 60, seed: "small", rates: RATES, unknownBeneficiaryBps: 500 });

/** A day that was sent over a ledger of its own. */
export interface SentDay {
  readonly sandbox: Sandbox;
  readonly simulation: Simulation;
  /** What was deposited before, and withdrawn after. */
  readonly movements: readonly Movement[];
  /** How many transfers had ended, each time that some had. */
  readonly progress: readonly number[];
}

async function deployed(): Promise<LedgerAddresses> {
  return deployLedger(connection, CONFIG);
}

/** Sends the orders over a ledger on which nothing has happened yet. */
export async function sendDay(
  orders: readonly Order[] = DAY.orders,
  options: Partial<SimulationOptions> = {},
): Promise<SentDay> {
  const addresses = await connection.networkHelpers.loadFixture(deployed);
  const sandbox = await openSandbox(provider, addresses, CONFIG);
  const deposits = await fundDay(sandbox, orders, RATES);
  const progress: number[] = [];
  const simulation = await simulate(sandbox, {
    orders,
    directory: DAY.directory,
    rates: RATES,
    seed: "small",
    batchSize: 5,
    passTime: async (seconds) => {
      await provider.send("evm_increaseTime", [seconds]);
    },
    now: () => performance.now(),
    onProgress: (done) => progress.push(done),
    ...options,
  });
  return { sandbox, simulation, movements: [...deposits, ...(await closeDay(sandbox, simulation))], progress };
}
