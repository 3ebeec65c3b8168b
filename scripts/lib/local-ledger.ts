import hre from "hardhat";
import { deployLedger } from "../../ignition/deploy.ts";
import { connectLedger } from "../../src/ledger/contracts.ts";
import { differences, verifyDeployment } from "../../src/ledger/deployment/verify.ts";
import { sandboxConfig, sandboxKeys } from "../../src/sandbox/network.ts";
import type { NetworkOptions } from "../../src/sandbox/network-up.ts";

/** The sandbox's ledger on a chain in this process. */
export interface LocalLedger extends Pick<NetworkOptions, "chain" | "provider" | "addresses" | "config"> {
  /** Roles and settings that were read back, all as configured. */
  readonly settings: number;
}

/**
 * Deploys the network of ten on a chain in this process: one without fees, whose blocks come as fast as transactions do.
 * @throws Error when what is there is not what is configured
 */
export async function deployLocally(): Promise<LocalLedger> {
  const override = { initialBaseFeePerGas: 0, allowBlocksWithSameTimestamp: true };
  const connection = await hre.network.create({ override });
  const { provider } = connection.ethers;
  const config = sandboxConfig(sandboxKeys());
  const addresses = await deployLedger(connection, config);
  const settings = await verifyDeployment(await connectLedger(provider, addresses), config);
  const wrong = differences(settings).map(({ name, expected, found }) => `${name}: ${found} instead of ${expected}`);
  if (wrong.length > 0) throw new Error(`the ledger is not as configured: ${wrong.join("; ")}`);
  return { chain: connection.provider, provider, addresses, config, settings: settings.length };
}
