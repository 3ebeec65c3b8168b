import { expect } from "chai";
import type { Batch } from "../../../src/domain/batch.ts";
import { packHeader } from "../../../src/domain/packed-header.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { reasonToBytes4 } from "../../../src/domain/reason.ts";
import { rejectedLeafStructs, type RejectedLeafStruct } from "../support/abi.ts";
import { transferStruct } from "../../../src/ledger/calls.ts";
import { expireBatch, idOf, makeBatch, openedBatch, proofOf, settleBatch } from "../support/batches.ts";
import { proveRefusals, refuseAll, type Refusals } from "../../support/transfers.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { fail, freshNetwork, type Network } from "../support/network.ts";

const NO_REASON = "0x00000000";
const NO_HASH = `0x${"00".repeat(31)}`;

function leavesOf(batch: Batch, refusals: Refusals): RejectedLeafStruct[] {
  return rejectedLeafStructs(proveRefusals(batch, refusals).rejections);
}

async function verify({ transfers }: Network, batch: Batch, index: number, rejected: RejectedLeafStruct[]) {
  const transfer = transferStruct(batch.transfers[index] ?? fail(`no transfer ${index}`));
  const { status, reason } = await transfers.verify(
    packHeader(batch.header),
    transfer,
    proofOf(batch, index),
    rejected,
  );
  return { status, reason };
}

describe("TransferRegistry.verify", () => {
  describe("when the transfer is not proved to be in the batch", () => {
    it("reverts with InvalidProof for a changed amount", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const [first] = batch.transfers;
      const changed = { ...transferStruct(first ?? fail("no transfer")), targetAmount: 1n };
      const call = network.transfers.verify(packHeader(batch.header), changed, proofOf(batch, 0), []);
      await expectRevert(call, "TransferRegistry_InvalidProof", [idOf(network, batch)]);
    });

    it("reverts with InvalidProof for another transfer's proof", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const [first] = batch.transfers;
      const call = network.transfers.verify(
        packHeader(batch.header),
        transferStruct(first ?? fail("no transfer")),
        proofOf(batch, 1),
        [],
      );
      await expectRevert(call, "TransferRegistry_InvalidProof", [idOf(network, batch)]);
    });
  });

  describe("when the list is not the batch's rejections", () => {
    it("reverts with WrongRejections when rejections are left out", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      await settleBatch(network, batch, { 0: "AC03" });
      const expected = await network.transfers.rejectionsHashOf(idOf(network, batch));
      const args = [idOf(network, batch), expected, NO_HASH];
      await expectRevert(verify(network, batch, 0, []), "TransferRegistry_WrongRejections", args);
    });

    it("reverts with WrongRejections when a reason is another", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      await settleBatch(network, batch, { 0: "AC03" });
      const expected = await network.transfers.rejectionsHashOf(idOf(network, batch));
      const { rejectionsHash } = proveRefusals(batch, { 0: "AC06" });
      const args = [idOf(network, batch), expected, rejectionsHash.slice(0, 64)];
      const call = verify(network, batch, 0, leavesOf(batch, { 0: "AC06" }));
      await expectRevert(call, "TransferRegistry_WrongRejections", args);
    });

    it("reverts with WrongRejections for rejections of a batch that settled in full", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      await settleBatch(network, batch);
      const { rejectionsHash } = proveRefusals(batch, { 0: "AC03" });
      const args = [idOf(network, batch), NO_HASH, rejectionsHash.slice(0, 64)];
      const call = verify(network, batch, 0, leavesOf(batch, { 0: "AC03" }));
      await expectRevert(call, "TransferRegistry_WrongRejections", args);
    });
  });

  describe("when the batch was never opened", () => {
    it("returns None", async () => {
      const network = await freshNetwork();
      const answer = await verify(network, await makeBatch(network), 0, []);
      expect(answer).to.deep.equal({ status: BigInt(BatchStatus.None), reason: NO_REASON });
    });
  });

  describe("when the batch is open", () => {
    it("returns Open", async () => {
      const network = await freshNetwork();
      const answer = await verify(network, await openedBatch(network), 2, []);
      expect(answer).to.deep.equal({ status: BigInt(BatchStatus.Open), reason: NO_REASON });
    });
  });

  describe("when the batch has settled", () => {
    it("returns Settled for a transfer that was not rejected", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { count: 5 });
      const refusals: Refusals = { 1: "AC03", 3: "BE01" };
      await settleBatch(network, batch, refusals);
      for (const index of [0, 2, 4]) {
        const answer = await verify(network, batch, index, leavesOf(batch, refusals));
        expect(answer).to.deep.equal({ status: BigInt(BatchStatus.Settled), reason: NO_REASON });
      }
    });

    it("returns Rejected and the reason for a transfer that was", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { count: 5 });
      const refusals: Refusals = { 1: "AC03", 3: "BE01" };
      await settleBatch(network, batch, refusals);
      for (const [index, reason] of [
        [1, "AC03"],
        [3, "BE01"],
      ] as const) {
        const answer = await verify(network, batch, index, leavesOf(batch, refusals));
        expect(answer).to.deep.equal({ status: BigInt(BatchStatus.Rejected), reason: reasonToBytes4(reason) });
      }
    });

    it("answers for a batch of one without a proof", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { count: 1 });
      await settleBatch(network, batch);
      expect(proofOf(batch, 0)).to.deep.equal([]);
      const answer = await verify(network, batch, 0, []);
      expect(answer).to.deep.equal({ status: BigInt(BatchStatus.Settled), reason: NO_REASON });
    });
  });

  describe("when the batch was rejected", () => {
    it("returns Rejected and the reason for each transfer", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      await settleBatch(network, batch, refuseAll(batch));
      for (const index of batch.transfers.keys()) {
        const answer = await verify(network, batch, index, leavesOf(batch, refuseAll(batch)));
        expect(answer).to.deep.equal({ status: BigInt(BatchStatus.Rejected), reason: reasonToBytes4("AC03") });
      }
    });
  });

  describe("when the batch has expired", () => {
    it("returns Expired", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      await expireBatch(network, batch);
      const answer = await verify(network, batch, 1, []);
      expect(answer).to.deep.equal({ status: BigInt(BatchStatus.Expired), reason: NO_REASON });
    });
  });
});
