import { randomBytes } from "node:crypto";
import hre from "hardhat";
import { deployLedger } from "../../../ignition/deploy.ts";
import { createRandom } from "../../../src/kernel/random.ts";
import { silentLogger } from "../../../src/kernel/telemetry/logger.ts";
import { playCustomers, playDeposits } from "../../../sandbox/day/play.ts";
import { sandboxConfig, sandboxKeys } from "../../../sandbox/network.ts";
import { startNetwork, type NetworkOptions, type RunningNetwork } from "../../../sandbox/network-up.ts";
import type { LocalChain } from "../../../sandbox/chain-server.ts";
import { loadRateBook } from "../../../sandbox/provider/rates.ts";

/** A network with customers and money to play with, on a chain of its own in this process, as `npm start` has. */
export async function startPlayNetwork(
  seed: string,
  {
    clock,
    ...options
  }: Pick<NetworkOptions, "relaySettings" | "wallets" | "inTwoSteps"> &
    Partial<Pick<NetworkOptions["config"], "clock">>,
): Promise<{ readonly network: RunningNetwork; readonly chain: LocalChain }> {
  const connection = await hre.network.create({
    override: { initialBaseFeePerGas: 0, allowBlocksWithSameTimestamp: true },
  });
  const own = sandboxConfig(sandboxKeys());
  const config = { ...own, clock: clock ?? own.clock };
  const rates = (await loadRateBook()).on();
  const network = await startNetwork({
    ...options,
    chain: { kind: "inProcess", chain: connection.provider },
    provider: connection.ethers.provider,
    addresses: await deployLedger(connection, config),
    config,
    holdersOf: playCustomers(rates, createRandom(seed)),
    deposits: playDeposits(rates),
    rates,
    seed,
    drawBytes: (length) => randomBytes(length),
    log: silentLogger,
  });
  return { network, chain: connection.provider };
}
