import { expect } from "chai";
import { storeOwner } from "../../../src/app/store-owner.ts";
import type { Ledger } from "../../../src/ledger/contracts.ts";

const hashOf = (block: number) => `0x${block.toString(16).padStart(64, "0")}`;
const ADDRESS = `0x${"11".repeat(20)}`;

/** A node that, asked for a block before its first, answers with its latest, as CometBFT's do. */
function ledgerOf(firstBlock: number): Ledger {
  const latest = 77;
  const getBlock = (number: number) => {
    const told = number < firstBlock ? latest : number;
    return Promise.resolve({ number: told, hash: hashOf(told), parentHash: hashOf(told - 1), timestamp: 1 });
  };
  const [accessManager, partnerRegistry, treasury, transferRegistry] = Array<string>(4).fill(ADDRESS);
  const addresses = { accessManager, partnerRegistry, treasury, transferRegistry, draining: [], announced: [] };
  // As much of a ledger as is asked here.
  return { provider: { getBlock }, addresses, chain: { chainId: 1n } } as unknown as Ledger;
}

describe("whose a database has to be", () => {
  it("is told by the chain's block 1, whether or not there is one before it", async () => {
    for (const firstBlock of [0, 1]) {
      expect(await storeOwner(7, ledgerOf(firstBlock))).to.include({ partner: 7, chainId: 1n, genesis: hashOf(1) });
    }
  });
});
