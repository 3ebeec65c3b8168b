import type { NetworkConnection } from "hardhat/types/network";
import { InvalidInput } from "../src/domain/errors.ts";
import { checkConfig, roleGrants, type LedgerConfig } from "../src/ledger/deployment/config.ts";
import { endOfDeployment } from "../src/ledger/deployment/history.ts";
import type { LedgerAddresses } from "../src/ledger/contracts.ts";
import { ledgerModule } from "./modules/ledger.ts";
import { deployerOf, runModule, type CodeSource } from "./run.ts";

interface DeployOptions {
  /** Under which name Ignition keeps its journal; one a chain where it is left out. */
  readonly journal?: string | undefined;
  /** Usually the compiler's. */
  readonly code?: CodeSource;
}

/**
 * Deploys a ledger by Hardhat Ignition, as the connection's first account. An interrupted deployment to a network that
 * persists goes on where it stopped.
 * @throws InvalidInput when the configuration is not consistent, or gives the deployer a role
 */
export async function deployLedger(
  connection: NetworkConnection,
  config: LedgerConfig,
  { journal, code }: DeployOptions = {},
): Promise<LedgerAddresses> {
  checkConfig(config);
  const deployer = await deployerOf(connection);
  // The last step takes the deployer's role away: it would leave the ledger without this holder, or without any admin.
  if (roleGrants(config).some(({ account }) => account.toLowerCase() === deployer.address.toLowerCase())) {
    throw new InvalidInput(
      "holders, tokens",
      "other accounts than the deployer's, which keeps no role",
      deployer.address,
    );
  }
  const { chainId } = await connection.ethers.provider.getNetwork();
  const deploymentId = journal ?? `chain-${chainId}`;
  const addressOf = await runModule(connection, ledgerModule(config, deployer.address), deploymentId, code);
  const tokens = config.tokens.map(async ({ currency }) => [currency, await addressOf(currency)] as const);
  const accessManager = await addressOf("accessManager");
  return {
    accessManager,
    partnerRegistry: await addressOf("partnerRegistry"),
    treasury: await addressOf("treasury"),
    corridorBook: await addressOf("corridorBook"),
    quoteBook: await addressOf("quoteBook"),
    transferRegistry: await addressOf("transferRegistry"),
    draining: [],
    announced: [],
    tokens: new Map(await Promise.all(tokens)),
    // Not the latest: a deployment that is complete can be asked for again.
    deployedBy: await endOfDeployment(connection.ethers.provider, accessManager, deployer.address),
  };
}
