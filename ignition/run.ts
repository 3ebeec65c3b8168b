import { join } from "node:path";
import type { IgnitionModule } from "@nomicfoundation/ignition-core";
import type { NetworkConnection } from "hardhat/types/network";
import { fromHex, toHex, type Hex } from "../src/domain/bytes/hex.ts";
import { mendJournal } from "./journal.ts";

/** The connection's first account, which deploys. */
export async function deployerOf(connection: NetworkConnection) {
  const [deployer] = await connection.ethers.getSigners();
  if (deployer === undefined) throw new Error(`network ${connection.networkName} has no account to deploy with`);
  return deployer;
}

/**
 * Deploys a module. An interrupted deployment to a network that persists goes on where it stopped.
 * @param deploymentId under which name Ignition keeps its journal
 * @returns where a contract of the module is, by its name there
 */
export async function runModule(
  connection: NetworkConnection,
  module: IgnitionModule,
  deploymentId: string,
): Promise<(name: string) => Promise<Hex>> {
  const deployer = await deployerOf(connection);
  // A chain in this process is gone with it: Ignition keeps no journal, and one of that name is of another chain.
  if (connection.networkConfig.type === "http") {
    await mendJournal(join("ignition", "deployments", deploymentId), connection.ethers.provider);
  }
  const deployed: Readonly<Record<string, { getAddress(): Promise<string> } | undefined>> =
    await connection.ignition.deploy(module, { defaultSender: deployer.address, deploymentId });
  return async (name) => {
    const contract = deployed[name];
    if (contract === undefined) throw new Error(`the deployment has no contract ${name}`);
    return toHex(fromHex(await contract.getAddress()));
  };
}
