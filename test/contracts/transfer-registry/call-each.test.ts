import { expect } from "chai";
import type { Batch } from "../../../src/domain/batch.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { expectChanges, expectConserved } from "../support/balances.ts";
import { acceptedBatch, idOf, makeBatch, openArgs, openedBatch, settleArgs, settleBatch } from "../support/batches.ts";
import { ethers } from "../support/chain.ts";
import { latestTimestamp } from "../support/clock.ts";
import { KEYS_VALID_UNTIL, Purpose, addressOf, freshNetwork, keysOf, type Network } from "../support/network.ts";

async function oneStepCall(network: Network, batch: Batch): Promise<string> {
  return network.transfers.interface.encodeFunctionData("openAndSettle", [await acceptedBatch(network, batch)]);
}

async function statuses(network: Network, batches: readonly Batch[]): Promise<bigint[]> {
  return Promise.all(batches.map((batch) => network.transfers.statusOf(idOf(network, batch))));
}

async function makeBatches(network: Network, count: number): Promise<Batch[]> {
  const seeds = Array.from({ length: count }, (_, index) => `batch ${index}`);
  return Promise.all(seeds.map((seed) => makeBatch(network, { seed })));
}

const [NONE, OPEN, SETTLED] = [BatchStatus.None, BatchStatus.Open, BatchStatus.Settled].map(BigInt);

describe("TransferRegistry.callEach", () => {
  describe("when every call succeeds", () => {
    it("opens and settles several batches in one transaction", async () => {
      const network = await freshNetwork();
      const batches = await makeBatches(network, 4);
      const calls = await Promise.all(batches.map((batch) => oneStepCall(network, batch)));
      await expect(network.transfers.callEach(calls)).not.to.emit(network.transfers, "CallFailed");
      expect(await statuses(network, batches)).to.deep.equal(batches.map(() => SETTLED));
      await expectConserved(network);
    });

    it("does nothing without calls", async () => {
      const network = await freshNetwork();
      await expectChanges(network, () => network.transfers.callEach([]), []);
    });
  });

  describe("when a call fails", () => {
    it("skips it, says which and why, and does the others", async () => {
      const network = await freshNetwork();
      const { transfers } = network;
      const [first, done, last] = [
        await makeBatch(network, { seed: "first" }),
        await openedBatch(network, { seed: "done" }),
        await makeBatch(network, { seed: "last" }),
      ];
      await settleBatch(network, done);
      const calls = await Promise.all([first, done, last].map((batch) => oneStepCall(network, batch)));
      const why = transfers.interface.encodeErrorResult("TransferRegistry_IllegalStatus", [
        idOf(network, done),
        BatchStatus.Settled,
        BatchStatus.None,
      ]);
      await expect(transfers.callEach(calls)).to.emit(transfers, "CallFailed").withArgs(1, why);
      expect(await statuses(network, [first, done, last])).to.deep.equal([SETTLED, SETTLED, SETTLED]);
      await expectConserved(network);
    });

    it("does a batch once that is there twice, in one step and in two", async () => {
      const network = await freshNetwork();
      const { transfers } = network;
      const batch = await makeBatch(network);
      const one = await oneStepCall(network, batch);
      const two = transfers.interface.encodeFunctionData("open", await openArgs(network, batch));
      const why = transfers.interface.encodeErrorResult("TransferRegistry_IllegalStatus", [
        idOf(network, batch),
        BatchStatus.Open,
        BatchStatus.None,
      ]);
      await expect(transfers.callEach([two, one]))
        .to.emit(transfers, "CallFailed")
        .withArgs(1, why);
      expect(await statuses(network, [batch])).to.deep.equal([OPEN]);
      await transfers.settle(...(await settleArgs(network, batch)));
      await expectConserved(network);
    });

    it("skips what is no call of the registry, without a reason", async () => {
      const { transfers } = await freshNetwork();
      await expect(transfers.callEach(["0x12345678"]))
        .to.emit(transfers, "CallFailed")
        .withArgs(0, "0x");
    });

    it("skips those that the gas does not suffice for, which anyone may try again", async () => {
      const network = await freshNetwork();
      const { transfers } = network;
      const batches = await makeBatches(network, 2);
      const calls = await Promise.all(batches.map((batch) => oneStepCall(network, batch)));
      const call = transfers.callEach(calls, { gasLimit: 250_000 });
      await expect(call).to.emit(transfers, "CallFailed").withArgs(0, "0x");
      expect(await statuses(network, batches)).to.deep.equal([NONE, NONE]);
      await transfers.callEach(calls);
      expect(await statuses(network, batches)).to.deep.equal([SETTLED, SETTLED]);
    });
  });

  describe("when a key burns all the gas that it gets", () => {
    it("costs the calls behind it nothing but what the burnt part was", async () => {
      const network = await freshNetwork();
      const { transfers, registry } = network;
      const burner = await ethers.deployContract("GasBurningKey");
      const { admin } = keysOf(network, 4);
      await registry.connect(admin).authorizeKey(4, burner, Purpose.accept, KEYS_VALID_UNTIL);
      const batches = await makeBatches(network, 3);
      const acceptedUntil = (await latestTimestamp()) + 60;
      const accepted = await Promise.all(batches.map((batch) => acceptedBatch(network, batch, { acceptedUntil })));
      const key = await addressOf(burner);
      const calls = accepted.map((each, index) =>
        transfers.interface.encodeFunctionData("openAndSettle", [
          index === 0 ? { ...each, byTarget: { key, signature: "0x" } } : each,
        ]),
      );
      await transfers.callEach(calls, { gasLimit: 1_500_000 });
      expect(await statuses(network, batches)).to.deep.equal([NONE, SETTLED, SETTLED]);
    });
  });

  describe("when a call needs a right", () => {
    it("skips it for a caller who lacks it", async () => {
      const { transfers, cast } = await freshNetwork();
      const pause = transfers.interface.encodeFunctionData("pause");
      const call = transfers.connect(cast.stranger).callEach([pause]);
      await expect(call).to.emit(transfers, "CallFailed");
      expect(await transfers.paused()).to.equal(false);
    });

    it("acts for a caller who has it", async () => {
      const { transfers, cast } = await freshNetwork();
      const pause = transfers.interface.encodeFunctionData("pause");
      await expect(transfers.connect(cast.guardian).callEach([pause])).to.emit(transfers, "Paused");
    });
  });

  describe("when the registry is paused", () => {
    it("skips what takes new money, and settles what is open", async () => {
      const network = await freshNetwork();
      const { transfers, cast } = network;
      const [fresh, open] = [await makeBatch(network, { seed: "fresh" }), await openedBatch(network)];
      const settle = transfers.interface.encodeFunctionData("settle", await settleArgs(network, open));
      const calls = [await oneStepCall(network, fresh), settle];
      await transfers.connect(cast.guardian).pause();
      const why = transfers.interface.encodeErrorResult("EnforcedPause", []);
      await expect(transfers.callEach(calls)).to.emit(transfers, "CallFailed").withArgs(0, why);
      expect(await statuses(network, [fresh, open])).to.deep.equal([NONE, SETTLED]);
    });
  });
});
