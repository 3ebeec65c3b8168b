import { expect } from "chai";
import type { Block } from "ethers";
import { askEach, everywhere } from "../support/everywhere.ts";
import { useNetwork, type Network } from "../support/network.ts";
import type { NodeUnderTest } from "../support/nodes.ts";
import { eventually } from "../support/pace.ts";
import { beatCall } from "../../../src/ledger/calls.ts";

const START_TIMEOUT_MS = 300_000;
const BLOCKS_WATCHED = 10;

/** Relays take what is in a block for final (ledger.confirmations 0), and pay customers by it. */
describe("what is in a block stays there:", function () {
  this.timeout(START_TIMEOUT_MS);
  let network: Network;

  before(async function () {
    network = await useNetwork(this);
  });

  it("no node ever shows another block at a height, while blocks are made", async () => {
    const { first, submit, nodes } = network;
    const start = await first.provider.getBlockNumber();
    const seen = new Map<number, string>();
    const changes: string[] = [];
    const look = async ({ name, provider }: NodeUnderTest) => {
      const { number = 0, hash = null } = (await provider.getBlock("latest")) ?? {};
      if (hash === null) return;
      const before = seen.get(number) ?? hash;
      if (before !== hash) changes.push(`${name}: block ${number} is ${hash}, was ${before}`);
      seen.set(number, hash);
    };
    await eventually(network.pace, `${BLOCKS_WATCHED} blocks`, async () => {
      const submitting = submit(beatCall(first.ledger));
      await Promise.all([submitting, ...nodes.map(look), ...nodes.map(look)]);
      await Promise.all(nodes.map(look));
      return (await first.provider.getBlockNumber()) >= start + BLOCKS_WATCHED ? true : undefined;
    });
    expect(changes, "blocks were replaced: this is not a BFT ledger, or a validator signs twice").to.deep.equal([]);
    for (const [number, hash] of seen) {
      const now = await everywhere(
        network,
        number,
        `block ${number}`,
        async ({ provider }) => (await provider.getBlock(number))?.hash,
      );
      expect(now, `block ${number} afterwards`).to.equal(hash);
    }
  });

  it("each block names the one before", async () => {
    const { provider } = network.first;
    const latest = await provider.getBlockNumber();
    let parent: Block | null = null;
    for (let number = latest - BLOCKS_WATCHED; number <= latest; number++) {
      const block: Block | null = await provider.getBlock(number);
      if (parent !== null) expect(block?.parentHash, `the parent of block ${number}`).to.equal(parent.hash);
      parent = block;
    }
  });

  it("every receipt so far is still of its block, on every node", async () => {
    const { receipts } = network;
    expect(receipts).not.to.be.empty;
    const latest = Math.max(...receipts.map(({ blockNumber }) => blockNumber));
    for (const { hash, blockNumber, blockHash, index } of receipts) {
      const now = await everywhere(network, latest, `the receipt of ${hash}`, async ({ provider }) => {
        const receipt = await provider.getTransactionReceipt(hash);
        const block = await provider.getBlock(blockNumber);
        return [receipt?.status, receipt?.index, receipt?.blockHash, block?.hash, block?.transactions[index]];
      });
      expect(now).to.deep.equal([1, index, blockHash, blockHash, hash]);
    }
  });

  for (const tag of ["finalized", "safe"]) {
    it(`the latest block is ${tag}, where the node has the tag`, async function () {
      const blocks = await askEach(network.nodes, async ({ provider }) => {
        const tagged = await provider.getBlock(tag).catch(() => null);
        return { tagged, latest: await provider.getBlockNumber() };
      });
      if (blocks.every(({ value: { tagged } }) => tagged === null)) {
        this.skip();
      }
      for (const { name, value } of blocks) {
        // Read one after the other, and the second may be of the next block.
        expect(value.tagged?.number, `${name}: ${tag} lags behind latest (${value.latest})`).to.be.at.least(
          value.latest - 2,
        );
      }
    });
  }
});
