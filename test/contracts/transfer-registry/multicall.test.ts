import { packHeader } from "../../../src/domain/packed-header.ts";
import { expect } from "chai";
import type { Batch } from "../../../src/domain/batch.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { expectChanges, expectConserved } from "../support/balances.ts";
import { idOf, makeBatch, openArgs, openedBatch, settleArgs, settleBatch } from "../support/batches.ts";
import { runUntil } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { HKD, PHP, freshNetwork, type Network } from "../support/network.ts";

async function makeBatches(network: Network, count: number): Promise<Batch[]> {
  const seeds = Array.from({ length: count }, (_, index) => `batch ${index}`);
  return Promise.all(seeds.map((seed) => makeBatch(network, { seed })));
}

async function openCall(network: Network, batch: Batch): Promise<string> {
  return network.transfers.interface.encodeFunctionData("open", await openArgs(network, batch));
}

async function settleCall(network: Network, batch: Batch): Promise<string> {
  return network.transfers.interface.encodeFunctionData("settle", await settleArgs(network, batch));
}

async function statuses(network: Network, batches: readonly Batch[]): Promise<bigint[]> {
  return Promise.all(batches.map((batch) => network.transfers.statusOf(idOf(network, batch))));
}

describe("TransferRegistry.multicall", () => {
  describe("when every call succeeds", () => {
    it("opens several batches in one transaction and returns their ids", async () => {
      const network = await freshNetwork();
      const { transfers } = network;
      const batches = await makeBatches(network, 4);
      const calls = await Promise.all(batches.map((batch) => openCall(network, batch)));
      const results = await transfers.multicall.staticCall(calls);
      expect(results).to.deep.equal(batches.map((batch) => idOf(network, batch)));

      const held = batches.reduce((sum, { header }) => sum + header.sourceTotal + header.fee, 0n);
      const heldTarget = batches.reduce((sum, { header }) => sum + header.targetTotal, 0n);
      await expectChanges(network, async () => transfers.connect(network.cast.courier).multicall(calls), [
        { partner: 7, currency: HKD, available: -held, held },
        { partner: 11, currency: PHP, available: -heldTarget, held: heldTarget },
      ]);
      expect(await statuses(network, batches)).to.deep.equal(batches.map(() => BigInt(BatchStatus.Open)));
    });

    it("opens and settles a batch in one transaction", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      await network.transfers.multicall([await openCall(network, batch), await settleCall(network, batch)]);
      expect(await statuses(network, [batch])).to.deep.equal([BigInt(BatchStatus.Settled)]);
      await expectConserved(network);
    });

    it("settles one batch and expires another", async () => {
      const network = await freshNetwork();
      const [first, second] = [await openedBatch(network, { seed: "first" }), await makeBatch(network)];
      await runUntil(network.transfers, first.header.expiresAt);
      const later = await openedBatch(network, { seed: "later" });
      const expire = network.transfers.interface.encodeFunctionData("expire", [packHeader(first.header)]);
      await network.transfers.multicall([await settleCall(network, later), expire]);
      const expected = [BatchStatus.Expired, BatchStatus.None, BatchStatus.Settled].map(BigInt);
      expect(await statuses(network, [first, second, later])).to.deep.equal(expected);
      await expectConserved(network);
    });

    it("does nothing without calls", async () => {
      const network = await freshNetwork();
      expect(await network.transfers.multicall.staticCall([])).to.deep.equal([]);
      await expectChanges(network, async () => network.transfers.multicall([]), []);
    });
  });

  describe("when one call reverts", () => {
    it("reverts all of them with that call's error", async () => {
      const network = await freshNetwork();
      const { transfers } = network;
      const [first, done] = [await makeBatch(network, { seed: "first" }), await openedBatch(network)];
      await settleBatch(network, done);
      const calls = [await openCall(network, first), await settleCall(network, done)];
      const args = [idOf(network, done), BatchStatus.Settled, BatchStatus.Open];
      await expectRevert(transfers.multicall(calls), "TransferRegistry_IllegalStatus", args);
      expect(await statuses(network, [first])).to.deep.equal([BigInt(BatchStatus.None)]);
    });

    it("reverts with IllegalStatus when one batch is opened twice", async () => {
      const network = await freshNetwork();
      const { transfers } = network;
      const batch = await makeBatch(network);
      const call = await openCall(network, batch);
      const args = [idOf(network, batch), BatchStatus.Open, BatchStatus.None];
      await expectRevert(transfers.multicall([call, call]), "TransferRegistry_IllegalStatus", args);
    });
  });

  describe("when a call needs a right", () => {
    it("reverts with AccessManagedUnauthorized for a caller who lacks it", async () => {
      const { transfers, cast } = await freshNetwork();
      const pause = transfers.interface.encodeFunctionData("pause");
      const call = transfers.connect(cast.stranger).multicall([pause]);
      await expectRevert(call, "AccessManagedUnauthorized", [cast.stranger.address]);
    });

    it("acts for a caller who has it", async () => {
      const { transfers, cast } = await freshNetwork();
      const pause = transfers.interface.encodeFunctionData("pause");
      await expect(transfers.connect(cast.guardian).multicall([pause])).to.emit(transfers, "Paused");
    });
  });

  describe("when the registry is paused", () => {
    it("reverts with EnforcedPause for an open within", async () => {
      const network = await freshNetwork();
      const { transfers, cast } = network;
      const call = await openCall(network, await makeBatch(network));
      await transfers.connect(cast.guardian).pause();
      await expectRevert(transfers.multicall([call]), "EnforcedPause", []);
    });
  });
});
