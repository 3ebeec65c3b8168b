import { expect } from "chai";
import type { LedgerEvent } from "../../../src/ledger/events.ts";
import { readEvents } from "../../../src/ledger/events.ts";
import { connectLedger, type Ledger } from "../../../src/ledger/contracts.ts";
import { fromOneEndpoint } from "../../../src/ledger/state.ts";
import { multicall } from "../../../src/ledger/calls.ts";
import { makeBatch } from "../support/batches.ts";
import { makeSettlement } from "../../support/batches.ts";
import { everywhere } from "../support/everywhere.ts";
import { useNetwork, type Network } from "../support/network.ts";
import { providerFor } from "../support/nodes.ts";
import { startProxy } from "../support/proxy.ts";

const START_TIMEOUT_MS = 300_000;

/** Relays read the ledger by its events and keep a cursor. Nothing may be missing, twice, or in another order. */
describe("the ledger's history", function () {
  this.timeout(START_TIMEOUT_MS);
  let network: Network;
  let latest: number;
  let whole: readonly LedgerEvent[];

  before(async function () {
    network = await useNetwork(this);
    // Several events in one block and in one transaction, whatever ran before.
    const batches = await Promise.all([1, 2, 3, 4].map(() => makeBatch(network)));
    const [first, second, ...others] = batches;
    if (first === undefined || second === undefined) throw new Error("test set-up: four batches");
    const together = multicall(network.first.ledger, [first.open, second.open]);
    await Promise.all([together, ...others.map(({ open }) => open)].map((call) => network.submit(call)));
    await network.submit(await makeSettlement(network.sandbox, first, { 1: "AC03" }));
    latest = await network.first.provider.getBlockNumber();
    whole = await readEvents(network.first.ledger, network.fromBlock, latest);
  });

  it("is the same on every node", async () => {
    const events = await everywhere(network, latest, "the history", ({ ledger }) =>
      readEvents(ledger, network.fromBlock, latest),
    );
    expect(events).to.have.length(whole.length);
    expect(whole.map(({ kind }) => kind)).to.include.members(["Deposited", "Opened", "Settled", "CorridorChanged"]);
  });

  it("has every event's place only once, in ascending order", () => {
    for (const [index, { cursor }] of whole.slice(1).entries()) {
      const before = whole[index]?.cursor ?? cursor;
      const isAfter =
        cursor.block > before.block || (cursor.block === before.block && cursor.logIndex > before.logIndex);
      expect(
        isAfter,
        `${JSON.stringify(cursor)} is not after ${JSON.stringify(before)}: are log indices a block's?`,
      ).to.equal(true);
    }
  });

  it("counts logs through the block, not the transaction", async () => {
    for (const block of new Set(whole.map(({ cursor }) => cursor.block))) {
      const { provider, ledger } = network.first;
      const logs = await provider.getLogs({ fromBlock: block, toBlock: block });
      const indices = logs.map(({ index }) => index);
      expect(new Set(indices).size, `two logs of block ${block} have one index`).to.equal(indices.length);
      expect(await readEvents(ledger, block, block)).to.deep.equal(
        whole.filter(({ cursor }) => cursor.block === block),
      );
    }
  });

  for (const blocks of [1, 2, 7, 100]) {
    it(`is the same read ${blocks} blocks at a time`, async () => {
      expect(await readInSlices(network.first.ledger, network.fromBlock, latest, blocks)).to.deep.equal(whole);
    });
  }

  it("goes on from a cursor at another node, when the one it was read from is gone", async () => {
    const [first, ...others] = network.nodes;
    if (first === undefined) throw new Error("test set-up: a node");
    const proxy = await startProxy(first.url);
    try {
      const provider = providerFor([proxy.url, ...(others.length > 0 ? others : [first]).map(({ url }) => url)]);
      const ledger = await connectLedger(provider, network.addresses);
      const middle = Math.floor((network.fromBlock + latest) / 2);
      const before = await readInSlices(ledger, network.fromBlock, middle, 10);
      await proxy.close();
      // As the relay's watcher does: what was read of two nodes is thrown away, and read again.
      const interrupted: unknown = await fromOneEndpoint(ledger, () => readEvents(ledger, middle + 1, latest)).catch(
        (failure: unknown) => failure,
      );
      expect(interrupted).to.be.instanceOf(Error);
      const after = await fromOneEndpoint(ledger, () => readInSlices(ledger, middle + 1, latest, 10));
      expect([...before, ...after]).to.deep.equal(whole);
      expect(provider.switches).to.be.at.least(1);
    } finally {
      await proxy.close().catch(() => undefined);
    }
  });
});

async function readInSlices(ledger: Ledger, from: number, to: number, blocks: number): Promise<readonly LedgerEvent[]> {
  const events: LedgerEvent[] = [];
  for (let start = from; start <= to; start += blocks) {
    events.push(...(await readEvents(ledger, start, Math.min(to, start + blocks - 1))));
  }
  return events;
}
