import { expect } from "chai";
import { buildMerkleTree, merkleRoot } from "../../../src/domain/merkle.ts";
import type { Batch, BatchHeader } from "../../../src/domain/batch.ts";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { networkFeeUp } from "../../../src/domain/corridor.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { transferLeaf, type Transfer } from "../../../src/domain/transfer.ts";
import type { MultiProofStruct, RejectionStruct } from "../support/abi.ts";
import {
  NO_PROOF,
  idOf,
  makeBatch,
  openBatch,
  openedBatch,
  settleArgs,
  settleBatch,
  withHeader,
  type BatchPlan,
} from "../support/batches.ts";
import { refuseAll, type Refusals } from "../../support/transfers.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { CORRIDORS, TERMS, fail, freshNetwork, type Network } from "../support/network.ts";

/** Opens a batch and settles it with what `change` makes of good rejections and their proof. */
async function settleChanged(
  refusals: Refusals,
  change: (rejections: RejectionStruct[], proof: MultiProofStruct) => [RejectionStruct[], MultiProofStruct],
) {
  const network = await freshNetwork();
  const batch = await openedBatch(network, { count: 4 });
  const [header, rejections, proof, accept] = await settleArgs(network, batch, refusals);
  const call = network.transfers.settle(header, ...change(rejections, proof), accept);
  return { network, call, id: idOf(network, batch), rejections };
}

/** Opens a batch whose header says something else than its tree. */
async function openLying(network: Network, changes: (header: BatchHeader) => Partial<BatchHeader>, plan?: BatchPlan) {
  const honest = await makeBatch(network, plan);
  const batch = withHeader(honest, changes(honest.header));
  await openBatch(network, batch);
  return batch;
}

/** A batch of these transfers, under the totals and the quote of a good one. */
async function openTree(
  network: Network,
  good: Batch,
  transfers: readonly Transfer[],
  changes: Partial<BatchHeader> = {},
) {
  const tree = buildMerkleTree(transfers.map(transferLeaf));
  const root = toHex(merkleRoot(tree));
  const batch = { header: { ...good.header, root, ...changes }, transfers, tree };
  await openBatch(network, batch);
  return batch;
}

function feeOf(sourceTotal: bigint) {
  return { fee: networkFeeUp(sourceTotal, TERMS.feeBps) };
}

function amounts(batch: Batch, index: number) {
  return batch.transfers[index] ?? fail(`no transfer ${index}`);
}

describe("TransferRegistry.settle, the rejections", () => {
  describe("when there are none", () => {
    const cases: readonly [string, MultiProofStruct][] = [
      ["a sibling", { siblings: [`0x${"11".repeat(32)}`], flags: [] }],
      ["a flag", { siblings: [], flags: [true] }],
    ];
    for (const [title, proof] of cases) {
      it(`reverts with InvalidProof when the proof has ${title}`, async () => {
        const { call, id } = await settleChanged({}, () => [[], proof]);
        await expectRevert(call, "TransferRegistry_InvalidProof", [id]);
      });
    }
  });

  describe("when one has no reason", () => {
    it("reverts with ReasonMissing and its index", async () => {
      const { call } = await settleChanged({ 0: "AC03", 2: "AC03" }, (rejections, proof) => [
        rejections.map((rejection, index) => (index === 1 ? { ...rejection, reason: "0x00000000" } : rejection)),
        proof,
      ]);
      await expectRevert(call, "TransferRegistry_ReasonMissing", [1]);
    });
  });

  describe("when they are not in strictly ascending order of their leaves", () => {
    it("reverts with RejectionsOutOfOrder when two are swapped", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { count: 4 });
      const [header, rejections, proof, accept] = await settleArgs(network, batch, { 0: "AC03", 2: "AC03" });
      const [low, high] = batch.transfers
        .filter((_, index) => index === 0 || index === 2)
        .map((transfer) => toHex(transferLeaf(transfer)))
        .sort();
      const call = network.transfers.settle(header, rejections.toReversed(), proof, accept);
      await expectRevert(call, "TransferRegistry_RejectionsOutOfOrder", [1, high, low]);
    });

    it("reverts with RejectionsOutOfOrder when one is there twice", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { count: 4 });
      const [header, rejections, proof, accept] = await settleArgs(network, batch, { 3: "AC03" });
      const leaf = toHex(transferLeaf(amounts(batch, 3)));
      const call = network.transfers.settle(header, [...rejections, ...rejections], proof, accept);
      await expectRevert(call, "TransferRegistry_RejectionsOutOfOrder", [1, leaf, leaf]);
    });
  });

  describe("when they are not proved", () => {
    it("reverts with InvalidProof for a transfer that is not in the batch", async () => {
      const { call, id } = await settleChanged({ 1: "AC03" }, (rejections, proof) => [
        rejections.map(({ transfer, reason }) => ({
          transfer: { ...transfer, sourceAmount: transfer.sourceAmount + 1n },
          reason,
        })),
        proof,
      ]);
      await expectRevert(call, "TransferRegistry_InvalidProof", [id]);
    });

    it("reverts with InvalidProof for another transfer's proof", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { count: 4 });
      const [header, rejections, , accept] = await settleArgs(network, batch, { 0: "AC03" });
      const [, , proof] = await settleArgs(network, batch, { 1: "AC03" });
      const call = network.transfers.settle(header, rejections, proof, accept);
      await expectRevert(call, "TransferRegistry_InvalidProof", [idOf(network, batch)]);
    });

    it("reverts with InvalidProof without a proof", async () => {
      const { call, id } = await settleChanged({ 1: "AC03" }, (rejections) => [rejections, NO_PROOF]);
      await expectRevert(call, "TransferRegistry_InvalidProof", [id]);
    });

    it("reverts with InvalidProof when the proof has too few hashes", async () => {
      const { call, id } = await settleChanged({ 1: "AC03" }, (rejections, { siblings, flags }) => [
        rejections,
        { siblings: siblings.slice(1), flags },
      ]);
      await expectRevert(call, "TransferRegistry_InvalidProof", [id]);
    });

    it("reverts with InvalidProof when the flags ask for more hashes than there are", async () => {
      const { call, id } = await settleChanged({ 1: "AC03" }, (rejections, { siblings, flags }) => [
        rejections,
        { siblings, flags: flags.map(() => true) },
      ]);
      await expectRevert(call, "TransferRegistry_InvalidProof", [id]);
    });
  });

  describe("when they do not add up to the header", () => {
    it("reverts with TotalsMismatch when more source money is rejected than the batch holds", async () => {
      const network = await freshNetwork();
      const good = await makeBatch(network);
      const [large] = good.transfers.map((transfer) => ({ ...transfer, sourceAmount: good.header.sourceTotal + 1n }));
      const batch = await openTree(network, good, [large ?? fail("no transfer"), ...good.transfers.slice(1)]);
      const args = [1, 0, good.header.targetTotal - amounts(batch, 0).targetAmount];
      const call = settleBatch(network, batch, { 0: "AC03" });
      await expectRevert(call, "TransferRegistry_TotalsMismatch", args);
    });

    it("reverts with TotalsMismatch when more target money is rejected than the batch holds", async () => {
      const network = await freshNetwork();
      const good = await makeBatch(network);
      const [large] = good.transfers.map((transfer) => ({ ...transfer, targetAmount: good.header.targetTotal + 1n }));
      const batch = await openTree(network, good, [large ?? fail("no transfer"), ...good.transfers.slice(1)]);
      const args = [1, good.header.sourceTotal - amounts(batch, 0).sourceAmount, 0];
      const call = settleBatch(network, batch, { 0: "AC03" });
      await expectRevert(call, "TransferRegistry_TotalsMismatch", args);
    });

    it("reverts with TotalsMismatch when no source money is left for a transfer that is not rejected", async () => {
      const network = await freshNetwork();
      const batch = await openLying(network, ({ sourceTotal, targetTotal, quote }) => ({
        count: 4,
        targetTotal: targetTotal + 1n,
        quote: { ...quote, rateNumerator: targetTotal + 1n, rateDenominator: sourceTotal },
      }));
      const call = settleBatch(network, batch, refuseAll(batch));
      await expectRevert(call, "TransferRegistry_TotalsMismatch", [3, 0, 1]);
    });

    it("reverts with TotalsMismatch when no target money is left for a transfer that is not rejected", async () => {
      const network = await freshNetwork();
      const batch = await openLying(network, ({ sourceTotal }) => ({ count: 4, sourceTotal: sourceTotal + 1n }));
      const call = settleBatch(network, batch, refuseAll(batch));
      await expectRevert(call, "TransferRegistry_TotalsMismatch", [3, 1, 0]);
    });

    it("reverts with TotalsMismatch when nothing is left for a transfer that is not rejected", async () => {
      const network = await freshNetwork();
      // Three transfers under a header that says four.
      const batch = await openLying(network, () => ({ count: 4 }));
      const call = settleBatch(network, batch, refuseAll(batch));
      await expectRevert(call, "TransferRegistry_TotalsMismatch", [3, 0, 0]);
    });

    it("reverts with TotalsMismatch when all are rejected and source money is left", async () => {
      const network = await freshNetwork();
      const batch = await openLying(network, ({ sourceTotal }) => ({ sourceTotal: sourceTotal + 1n }));
      const call = settleBatch(network, batch, refuseAll(batch));
      await expectRevert(call, "TransferRegistry_TotalsMismatch", [3, 1, 0]);
    });

    it("reverts with TotalsMismatch when all are rejected and target money is left", async () => {
      const network = await freshNetwork();
      const batch = await openLying(network, ({ sourceTotal, targetTotal, quote }) => ({
        targetTotal: targetTotal + 1n,
        quote: { ...quote, rateNumerator: targetTotal + 1n, rateDenominator: sourceTotal },
      }));
      const call = settleBatch(network, batch, refuseAll(batch));
      await expectRevert(call, "TransferRegistry_TotalsMismatch", [3, 0, 1]);
    });

    it("reverts with TotalsMismatch when all are rejected, and more source money than the batch holds", async () => {
      const network = await freshNetwork();
      const batch = await openLying(network, ({ sourceTotal, targetTotal, quote }) => ({
        sourceTotal: sourceTotal - 1n,
        ...feeOf(sourceTotal - 1n),
        quote: { ...quote, rateNumerator: targetTotal, rateDenominator: sourceTotal - 1n },
      }));
      const call = settleBatch(network, batch, refuseAll(batch));
      await expectRevert(call, "TransferRegistry_TotalsMismatch", [3, 0, 0]);
    });

    it("reverts with TotalsMismatch when all are rejected, and more target money than the batch holds", async () => {
      const network = await freshNetwork();
      const batch = await openLying(network, ({ targetTotal }) => ({ targetTotal: targetTotal - 1n }));
      const call = settleBatch(network, batch, refuseAll(batch));
      await expectRevert(call, "TransferRegistry_TotalsMismatch", [3, 0, 0]);
    });

    it("reverts with TotalsMismatch when more are rejected than the batch counts", async () => {
      const network = await freshNetwork();
      const batch = await openLying(network, () => ({ count: 2 }));
      const call = settleBatch(network, batch, refuseAll(batch));
      await expectRevert(call, "TransferRegistry_TotalsMismatch", [3, 0, 0]);
    });
  });

  describe("when they leave no more than there must be", () => {
    it("settles with one minor unit of each currency for every transfer that is not rejected", async () => {
      const network = await freshNetwork();
      const good = await makeBatch(network);
      const { sourceAmount, targetAmount } = amounts(good, 0);
      const [sourceTotal, targetTotal] = [sourceAmount + 2n, targetAmount + 2n];
      const batch = await openTree(network, good, good.transfers, { sourceTotal, targetTotal, ...feeOf(sourceTotal) });
      await settleBatch(network, batch, { 0: "AC03" });
      expect(await network.transfers.statusOf(idOf(network, batch))).to.equal(BatchStatus.Settled);
    });
  });

  describe("when what is left breaks the rate", () => {
    it("reverts with RateExceeded when the rejected part refunds too much source money", async () => {
      const network = await freshNetwork();
      const good = await makeBatch(network);
      const [first, ...rest] = good.transfers.map((transfer) => ({ ...transfer, targetAmount: 1n }));
      const batch = await openTree(network, good, [first ?? fail("no transfer"), ...rest]);
      const { sourceTotal, targetTotal } = good.header;
      const args = [sourceTotal - amounts(batch, 0).sourceAmount, targetTotal - 1n];
      const call = settleBatch(network, batch, { 0: "AC03" });
      await expectRevert(call, "TransferRegistry_RateExceeded", args);
    });

    it("reverts with RateExceeded when both amounts are not the same in one currency", async () => {
      const network = await freshNetwork();
      const good = await makeBatch(network, { corridor: CORRIDORS.hkdToHkd });
      const [first, ...rest] = good.transfers;
      const lopsided = { ...(first ?? fail("no transfer")), targetAmount: 1n };
      const batch = await openTree(network, good, [lopsided, ...rest]);
      const { sourceTotal, targetTotal } = good.header;
      const args = [sourceTotal - lopsided.sourceAmount, targetTotal - 1n];
      const call = settleBatch(network, batch, { 0: "AC03" });
      await expectRevert(call, "TransferRegistry_RateExceeded", args);
    });
  });
});
