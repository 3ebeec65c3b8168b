import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { getCreateAddress } from "ethers";
import { z } from "zod/v4";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { broadcast } from "../../../src/ledger/rpc/broadcast.ts";
import { askEach, everywhere, theSame } from "../support/everywhere.ts";
import { useNodes, type Nodes, type NodeUnderTest } from "../support/nodes.ts";
import { eventually } from "../support/pace.ts";
import { receiptWithin, signRaw } from "../support/raw.ts";

const START_TIMEOUT_MS = 300_000;
const HEIGHTS = 10;
const MOST_CLOCK_SECONDS = 60;

/** Init code that returns the word 42 by way of one opcode. Run by eth_call, it needs no transaction. */
const OPCODES = {
  "PUSH0 (Shanghai)": "0x602a5f5260205ff3",
  "MCOPY (Cancun)": "0x602a5f5260205f60205e60206020f3",
  "TSTORE and TLOAD (Cancun)": "0x602a5f5d5f5c5f5260205ff3",
} as const;
const FORTY_TWO = `0x${"2a".padStart(64, "0")}`;
/** Init code that deploys the word above, by way of all three. */
const PROBE = "0x602a5f5d5f5c5f5260205f60205e60206020f3";

describe("every node of the ledger", function () {
  this.timeout(START_TIMEOUT_MS);
  let target: Nodes;

  before(async function () {
    target = await useNodes(this);
  });

  const latestOf = ({ provider }: NodeUnderTest) => provider.getBlockNumber();

  it("is on one chain", async () => {
    const answers = await askEach(target.nodes, ({ provider }) => provider.send("eth_chainId", []));
    theSame("the chain id", answers, "is a URL of another ledger among them?");
  });

  it("has one genesis", async () => {
    // Some ledgers begin with block 1, and answer with that.
    const answers = await askEach(
      target.nodes,
      async ({ provider }) => ((await provider.getBlock(0)) ?? (await provider.getBlock(1)))?.hash,
    );
    theSame("the genesis block's hash", answers, "were the nodes started from one genesis file?");
  });

  it("has the same block at the same height", async () => {
    const highest = await askEach(target.nodes, latestOf);
    const common = Math.min(...highest.map(({ value }) => value));
    for (let height = Math.max(1, common - HEIGHTS); height <= common; height++) {
      const answers = await askEach(target.nodes, async ({ provider }) => (await provider.getBlock(height))?.hash);
      theSame(`the hash of block ${height}`, answers, "has one of them forked, or is it out of sync?");
    }
  });

  it("keeps up with the others", async () => {
    await eventually(target.pace, "all nodes at about the same height: is one of them still syncing?", async () => {
      const heights = (await askEach(target.nodes, latestOf)).map(({ value }) => value);
      return Math.max(...heights) - Math.min(...heights) <= 1 ? true : undefined;
    });
  });

  it("tells times that never go back, and are those of this machine", async () => {
    const { provider } = target.first;
    const latest = await provider.getBlockNumber();
    let before = 0;
    for (let height = Math.max(1, latest - HEIGHTS); height <= latest; height++) {
      const timeSeconds = (await provider.getBlock(height))?.timestamp ?? 0;
      expect(timeSeconds, `the time of block ${height} is before that of its parent`).to.be.at.least(before);
      before = timeSeconds;
    }
    // An idle ledger may have had no block for long, so this asks of the latest only that it is not of the future.
    expect(before, "the ledger is ahead of this machine: do the validators keep time (NTP)?").to.be.below(
      systemClock.nowMs() / 1_000 + MOST_CLOCK_SECONDS,
    );
  });

  it("lets every account that this suite sends from send, each node by itself", async () => {
    const { nodes, pace, accounts } = target;
    for (const { name, provider } of nodes) {
      const sent = await Promise.all(
        [...accounts.senders].map(async ([label, wallet]) => {
          const signed = await signRaw(provider, wallet, { to: wallet.address });
          return { label, signed, answer: await broadcast(provider, signed) };
        }),
      );
      const refused = sent.flatMap(({ label, signed, answer }) =>
        answer.kind === "accepted" ? [] : [`${signed.from}, ${label}: ${JSON.stringify(answer)}`],
      );
      expect(refused, `${name} refuses: does its account allow-list have them?`).to.deep.equal([]);
      const receipts = await Promise.all(sent.map(({ signed }) => receiptWithin(provider, pace, signed)));
      const left = sent
        .filter((_, index) => receipts[index]?.status !== 1)
        .map(({ label, signed }) => [signed.from, label]);
      expect(left, `${name} takes these, but they never get into a block: do the validators list them?`).to.deep.equal(
        [],
      );
      // The next node counts from what it has.
      const last = Math.max(...receipts.map((receipt) => receipt?.blockNumber ?? 0));
      await everywhere(target, last, "the last block", () => Promise.resolve(last));
    }
  });

  for (const [name, data] of Object.entries(OPCODES)) {
    it(`runs ${name}, which the contracts need`, async () => {
      const answers = await askEach(target.nodes, ({ provider }) =>
        provider.call({ from: target.accounts.deployer.address, data }),
      );
      expect(
        theSame(`the result of ${name}`, answers, "does one of them have another fork?"),
        `${name} does not work: does the genesis activate the fork from the start (cancunTime 0)?`,
      ).to.equal(FORTY_TWO);
    });
  }

  it("runs them in a block, too", async () => {
    const { first, accounts, pace, nodes } = target;
    const deployment = await signRaw(first.provider, accounts.deployer, { data: PROBE });
    await first.provider.broadcastTransaction(deployment.raw);
    const receipt = await receiptWithin(first.provider, pace, deployment);
    if (receipt === undefined) {
      throw new Error(`no receipt of the deployer's transaction ${deployment.hash}: may ${deployment.from} deploy?`);
    }
    expect(receipt.status, "the opcodes fail in a block: are all validators of the fork?").to.equal(1);
    const address = getCreateAddress(deployment);
    for (const { name, provider } of nodes) {
      await eventually(pace, `${name} has the code of ${address}`, async () =>
        (await provider.getCode(address)) === FORTY_TWO ? true : undefined,
      );
    }
  });

  it("lets the largest transaction that a relay sends into a block", async () => {
    const needed = await largestGas();
    for (const { name, value } of await askEach(target.nodes, ({ provider }) => provider.getBlock("latest"))) {
      expect(value?.gasLimit, `${name}: the block gas limit, which the genesis sets`).to.satisfy(
        (limit: bigint) => limit >= needed,
        `less than the ${needed} gas of the largest settlement`,
      );
    }
  });

  it("takes the fee that relays pay: what the base fee asks, and nothing on top", async () => {
    const { first, accounts, pace } = target;
    const courier = accounts.keys.walletOf({ kind: "courier" });
    const paying = await signRaw(first.provider, courier, { to: courier.address });
    const hint = "relays pay no priority fee unless told to (ledger.priorityFeeWei): does the node ask for one?";
    await first.provider.broadcastTransaction(paying.raw).catch((cause: unknown) => {
      throw new Error(`${hint} It answers: ${String(cause)}`, { cause });
    });
    const receipt = await receiptWithin(first.provider, pace, paying);
    if (receipt === undefined) throw new Error(`no receipt; ${hint}`);
    const block = await first.provider.getBlock(receipt.blockNumber);
    expect(receipt.gasPrice, "the price of gas, in wei").to.equal(block?.baseFeePerGas ?? 0n);
  });

  it("tells when a transaction is finished by its block's number, receipt and nonce, all at once", async () => {
    const { nodes, pace, accounts, first } = target;
    const courier = accounts.keys.walletOf({ kind: "courier" });
    const sent = await signRaw(first.provider, courier, { to: courier.address });
    await first.provider.broadcastTransaction(sent.raw);
    const receipt = await receiptWithin(first.provider, pace, sent);
    if (receipt === undefined) throw new Error(`no receipt of ${sent.hash}`);
    expect(await first.provider.getTransactionCount(courier.address, "latest")).to.equal(sent.nonce + 1);
    const read = await everywhere({ nodes, pace }, receipt.blockNumber, "a receipt", async ({ provider }) => {
      const found = await provider.getTransactionReceipt(sent.hash);
      return {
        block: found?.blockHash,
        nonce: await provider.getTransactionCount(courier.address, receipt.blockNumber),
      };
    });
    expect(read).to.deep.equal({ block: receipt.blockHash, nonce: sent.nonce + 1 });
  });
});

const snapshotSchema = z.record(z.string(), z.object({ transfers: z.number(), settle: z.number() }));
/** A batch of a relay has up to a thousand transfers, of which any may be rejected. */
const MOST_REJECTED = 500;
/** What the submitter adds to its estimates. */
const MARGIN_PERCENT = 130n;

/** The largest settlement: half of a relay's largest batch rejected, one by one, from what fifty cost. */
async function largestGas(): Promise<bigint> {
  const snapshot = snapshotSchema.parse(JSON.parse(await readFile("test/contracts/gas-snapshot.json", "utf8")));
  const none = snapshot["1,000 transfers"]?.settle ?? 0;
  const fifty = snapshot["1,000 transfers, 50 rejected"]?.settle ?? 0;
  return (BigInt(none + ((fifty - none) / 50) * MOST_REJECTED) * MARGIN_PERCENT) / 100n;
}
