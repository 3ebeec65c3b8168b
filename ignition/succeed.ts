import type { NetworkConnection } from "hardhat/types/network";
import type { LedgerAddresses } from "../src/ledger/contracts.ts";
import { checkConfig, type LedgerConfig } from "../src/ledger/deployment/config.ts";
import { succeededBy, type Renewal } from "../src/ledger/deployment/succession.ts";
import { nextRegistryModule } from "./modules/next-registry.ts";
import { runModule } from "./run.ts";

/**
 * Deploys what a ledger in use moves on to, as the connection's first account, which needs no role for it. Run again with the
 * same addresses, it goes on where it stopped, or finds what it has deployed.
 * @param journal under which name Ignition keeps it; one for each registry that is succeeded where it is left out
 * @returns the ledger's addresses once it has moved on: those that were current are under `draining`
 * @throws InvalidInput when the configuration is not consistent
 */
export async function deploySuccessor(
  connection: NetworkConnection,
  config: LedgerConfig,
  addresses: LedgerAddresses,
  renewal: Renewal,
  journal?: string,
): Promise<LedgerAddresses> {
  checkConfig(config);
  const { chainId } = await connection.ethers.provider.getNetwork();
  const usual = `chain-${chainId}-${renewal}-after-${addresses.transferRegistry}`;
  const addressOf = await runModule(connection, nextRegistryModule(config, addresses, renewal), journal ?? usual);
  return succeededBy(addresses, {
    transferRegistry: await addressOf("transferRegistry"),
    treasury: renewal === "treasury" ? await addressOf("treasury") : addresses.treasury,
  });
}
