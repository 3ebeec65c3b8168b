import { ethers } from "./chain.ts";
import { announce } from "./modules.ts";
import { ModuleStatus, RESTRICTED, addressOf, deployTransfers, restrict, type Network } from "./network.ts";

/**
 * A new treasury with a new registry of batches, as docs/runbooks/new-treasury.md has it up to the notice: deployed,
 * governed, and announced where the books look. Partners, books and tokens are the network's.
 */
export async function announceNextTreasury(network: Network): Promise<Network> {
  const { manager, registry, cast, chain } = network;
  const treasury = await ethers.deployContract("Treasury", [manager, registry]);
  const transfers = await deployTransfers({ ...network, treasury });
  await restrict(network, [
    [treasury, RESTRICTED.Treasury],
    [transfers, RESTRICTED.TransferRegistry],
  ]);
  // Before it has a token, and so without a notice.
  await treasury.connect(cast.council).announceModule(transfers, ModuleStatus.Active);
  await treasury.connect(cast.council).activateModule(transfers, ModuleStatus.Active);
  // Draws on the books, which ask the treasury that they were made with.
  await announce(network, transfers, ModuleStatus.Active);
  await transfers.beat();
  return { ...network, treasury, transfers, chain: { ...chain, transferRegistry: await addressOf(transfers) } };
}

/** The rest, once the notice is over: the new registry may draw, and the tokens come to the new treasury as well. */
export async function activateNextTreasury({ treasury, cast }: Network, next: Network): Promise<void> {
  await treasury.connect(cast.council).activateModule(next.transfers, ModuleStatus.Active);
  for (const token of next.tokens.values()) {
    await token.connect(cast.council).offerTreasury(treasury, next.treasury);
    await next.treasury.connect(cast.council).registerToken(token);
  }
  await next.transfers.beat();
}
