import { expect } from "chai";
import type { Batch, BatchHeader } from "../../../src/domain/batch.ts";
import { packHeader } from "../../../src/domain/packed-header.ts";
import { concat, compareBytes } from "../../../src/domain/bytes/bytes.ts";
import { fromHex, toHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import { keccak256 } from "../../../src/domain/bytes/keccak.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { reasonToBytes4 } from "../../../src/domain/reason.ts";
import { transferLeaf, type Transfer } from "../../../src/domain/transfer.ts";
import { type MultiProofStruct, type RejectedLeafStruct } from "../support/abi.ts";
import { transferStruct } from "../../../src/ledger/calls.ts";
import { expectChanges, expectConserved } from "../support/balances.ts";
import {
  NO_PROOF,
  expireBatch,
  idOf,
  makeBatch,
  openBatch,
  openedBatch,
  proofOf,
  settleArgs,
  settleBatch,
  signSettlement,
  withHeader,
} from "../support/batches.ts";
import { proveRefusals } from "../../support/transfers.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { HKD, PHP, fail, freshNetwork, keysOf, type Network } from "../support/network.ts";

const AC03 = reasonToBytes4("AC03");

function leafHex(transfer: Transfer): Hex {
  return toHex(transferLeaf(transfer));
}

function hashPair(left: Hex, right: Hex): Hex {
  const pair = [fromHex(left), fromHex(right)].sort(compareBytes);
  return toHex(keccak256(concat(...pair)));
}

function chainOf(rejected: readonly RejectedLeafStruct[]): Hex {
  const padding = new Uint8Array(28);
  return rejected.reduce<Hex>(
    (hash, { leaf, reason }) => toHex(keccak256(concat(fromHex(hash), fromHex(leaf), fromHex(reason), padding))),
    `0x${"00".repeat(32)}`,
  );
}

/** The source partner opens a batch of its own making: a root that no honest relay would compute. */
async function openForged(
  network: Network,
  transfers: readonly Transfer[],
  root: Hex,
  given: Partial<BatchHeader> = {},
) {
  const good = await makeBatch(network);
  const sum = (amount: (transfer: Transfer) => bigint) => transfers.reduce((total, each) => total + amount(each), 0n);
  const sourceTotal = sum(({ sourceAmount }) => sourceAmount);
  const header: BatchHeader = {
    ...good.header,
    count: transfers.length,
    sourceTotal,
    targetTotal: sum(({ targetAmount }) => targetAmount),
    fee: (sourceTotal * 25n + 9_999n) / 10_000n,
    root,
    ...given,
  };
  const batch: Batch = { ...good, header };
  await openBatch(network, batch);
  return batch;
}

/** Settles with rejections and a proof of the attacker's own, signed by a target partner that plays along. */
async function settleForged(network: Network, batch: Batch, rejected: readonly Transfer[], proof: MultiProofStruct) {
  const rejectionsHash = chainOf(rejected.map((transfer) => ({ leaf: leafHex(transfer), reason: AC03 })));
  const settlement = { batchId: idOf(network, batch), rejectionsHash };
  const accept = await signSettlement(network, settlement, keysOf(network, 4).accept);
  const rejections = rejected.map((transfer) => ({ transfer: transferStruct(transfer), reason: AC03 }));
  return network.transfers.settle(packHeader(batch.header), rejections, proof, accept);
}

async function threeTransfers(network: Network): Promise<readonly [Transfer, Transfer, Transfer]> {
  const { transfers } = await makeBatch(network, { count: 3 });
  const [first, second, third] = [...transfers].sort((a, b) => compareBytes(transferLeaf(a), transferLeaf(b)));
  return [first ?? fail("no first"), second ?? fail("no second"), third ?? fail("no third")];
}

describe("Attack: a proof is forged", () => {
  it("a transfer of another batch is not in this one", async () => {
    const network = await freshNetwork();
    const [batch, other] = [await openedBatch(network), await makeBatch(network, { seed: "other" })];
    const [header, , , accept] = await settleArgs(network, batch);
    const [, rejections, proof] = await settleArgs(network, other, { 0: "AC03" });
    const call = network.transfers.settle(header, rejections, proof, accept);
    await expectRevert(call, "TransferRegistry_InvalidProof", [idOf(network, batch)]);
  });

  it("an inner node is no transfer: two hashes do not fill one, and a leaf is hashed twice", async () => {
    const network = await freshNetwork();
    const batch = await openedBatch(network, { count: 2 });
    const [left, right] = batch.transfers.map(leafHex).sort();
    // The only bytes that hash to the root, read as the 128 bytes of a transfer: its first 64, and nothing after.
    const forged: Transfer = {
      ...(batch.transfers[0] ?? fail("no transfer")),
      sourceAmount: BigInt(left ?? "0x0") >> 128n,
      targetAmount: BigInt(right ?? "0x0") >> 128n,
    };
    const call = settleForged(network, batch, [forged], NO_PROOF);
    await expectRevert(call, "TransferRegistry_InvalidProof", [idOf(network, batch)]);
    expect(leafHex(forged)).not.to.equal(batch.header.root);
  });

  it("a root is not a leaf of itself: verify refuses the empty proof in a batch of several", async () => {
    const network = await freshNetwork();
    const batch = await openedBatch(network, { count: 2 });
    const transfer = transferStruct(batch.transfers[0] ?? fail("no transfer"));
    const call = network.transfers.verify(packHeader(batch.header), transfer, [], []);
    await expectRevert(call, "TransferRegistry_InvalidProof", [idOf(network, batch)]);
  });

  it("a rejections list with an inner node in it is not what the batch was settled with", async () => {
    const network = await freshNetwork();
    const batch = await openedBatch(network);
    await settleBatch(network, batch, { 1: "AC03" });
    const [sibling] = proofOf(batch, 1);
    const forged = [{ leaf: sibling ?? fail("no sibling"), reason: AC03 }];
    const call = network.transfers.verify(
      packHeader(batch.header),
      transferStruct(batch.transfers[0] ?? fail("no transfer")),
      proofOf(batch, 0),
      forged,
    );
    const kept = proveRefusals(batch, { 1: "AC03" }).rejectionsHash.slice(0, 64);
    const args = [idOf(network, batch), kept, chainOf(forged).slice(0, 64)];
    await expectRevert(call, "TransferRegistry_WrongRejections", args);
  });

  it("a changed header is another batch, about which verify says None", async () => {
    const network = await freshNetwork();
    const batch = await openedBatch(network);
    await settleBatch(network, batch);
    const changed = withHeader(batch, { targetTotal: batch.header.targetTotal - 1n });
    const transfer = transferStruct(batch.transfers[0] ?? fail("no transfer"));
    const { status } = await network.transfers.verify(packHeader(changed.header), transfer, proofOf(batch, 0), []);
    expect(status).to.equal(BatchStatus.None);
  });

  const MALFORMED: readonly [title: string, proof: MultiProofStruct][] = [
    ["a flag too many", { siblings: [], flags: [true] }],
    ["a hash too many", { siblings: [`0x${"11".repeat(32)}`], flags: [] }],
    ["two flags and no hash", { siblings: [], flags: [true, true] }],
  ];
  for (const [title, proof] of MALFORMED) {
    it(`a multiproof with ${title} is refused as malformed`, async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { count: 2 });
      const call = settleForged(network, batch, batch.transfers.slice(0, 1), proof);
      await expectRevert(call, "TransferRegistry_InvalidProof", [idOf(network, batch)]);
    });
  }

  it("a multiproof that pairs a leaf with a hash not yet computed proves nothing", async () => {
    const network = await freshNetwork();
    const batch = await openedBatch(network, { count: 2 });
    // One leaf and one sibling, but the flag takes the second operand from the queue, where only zeros are.
    const proof = { siblings: proofOf(batch, 0), flags: [true] };
    const call = settleForged(network, batch, batch.transfers.slice(0, 1), proof);
    await expectRevert(call, "TransferRegistry_InvalidProof", [idOf(network, batch)]);
  });
});

describe("Attack: a tree that no honest relay would build", () => {
  it("a leaf that is there twice is refunded once", async () => {
    const network = await freshNetwork();
    const [first, second] = await threeTransfers(network);
    const [a, b] = [leafHex(first), leafHex(second)];
    const root = hashPair(hashPair(a, a), b);
    const batch = await openForged(network, [first, first, second], root);
    const twice = settleForged(network, batch, [first, first], { siblings: [b], flags: [true, false] });
    await expectRevert(twice, "TransferRegistry_RejectionsOutOfOrder", [1, a, a]);

    const { sourceTotal, targetTotal, fee } = batch.header;
    const left = sourceTotal - first.sourceAmount;
    const charged = (fee * left + sourceTotal - 1n) / sourceTotal;
    const once = () => settleForged(network, batch, [first], { siblings: [a, b], flags: [false, false] });
    await expectChanges(network, once, [
      { partner: 7, currency: HKD, held: -(sourceTotal + fee), available: first.sourceAmount + fee - charged },
      { partner: 11, currency: HKD, available: left },
      { partner: 1, currency: HKD, available: charged },
      { partner: 11, currency: PHP, held: -targetTotal, available: first.targetAmount },
      { partner: 4, currency: PHP, available: targetTotal - first.targetAmount },
    ]);
  });

  it("a multiproof of one leaf twice is refused before it is looked at", async () => {
    const network = await freshNetwork();
    const batch = await openedBatch(network);
    const [transfer] = batch.transfers;
    const twice = [transfer ?? fail("no transfer"), transfer ?? fail("no transfer")];
    const leaf = leafHex(twice[0] ?? fail("no transfer"));
    const call = settleForged(network, batch, twice, { siblings: proofOf(batch, 0), flags: [true, false] });
    await expectRevert(call, "TransferRegistry_RejectionsOutOfOrder", [1, leaf, leaf]);
  });

  it("a tree that is not complete still refunds what is proved, and no more than the header holds", async () => {
    const network = await freshNetwork();
    const [first, second, third] = await threeTransfers(network);
    const [a, b, c] = [leafHex(first), leafHex(second), leafHex(third)];
    // A chain instead of a balanced tree: the leaves lie at depths 1, 2 and 2.
    const batch = await openForged(network, [first, second, third], hashPair(a, hashPair(b, c)));
    await settleForged(network, batch, [first], { siblings: [hashPair(b, c)], flags: [false] });
    expect(await network.transfers.statusOf(idOf(network, batch))).to.equal(BatchStatus.Settled);
    await expectConserved(network);
  });

  it("a root that is no tree at all settles in full or expires: nothing of it can be rejected", async () => {
    const network = await freshNetwork();
    const transfers = await threeTransfers(network);
    const batch = await openForged(network, transfers, `0x${"ab".repeat(32)}`);
    const call = settleForged(network, batch, [transfers[0]], NO_PROOF);
    await expectRevert(call, "TransferRegistry_InvalidProof", [idOf(network, batch)]);
    await expireBatch(network, batch);
    await expectConserved(network);
  });

  it("leaves that sum to more than the totals pay out the totals alone", async () => {
    const network = await freshNetwork();
    const [first, second, third] = await threeTransfers(network);
    const root = hashPair(hashPair(leafHex(first), leafHex(second)), leafHex(third));
    const given = { sourceTotal: first.sourceAmount, targetTotal: first.targetAmount };
    const fee = (first.sourceAmount * 25n + 9_999n) / 10_000n;
    const batch = await openForged(network, [first, second, third], root, { ...given, fee });
    await expectChanges(network, () => settleForged(network, batch, [], NO_PROOF), [
      { partner: 7, currency: HKD, held: -(first.sourceAmount + fee) },
      { partner: 11, currency: HKD, available: first.sourceAmount },
      { partner: 1, currency: HKD, available: fee },
      { partner: 11, currency: PHP, held: -first.targetAmount },
      { partner: 4, currency: PHP, available: first.targetAmount },
    ]);
  });

  it("leaves that sum to more than the totals cannot all be rejected", async () => {
    const network = await freshNetwork();
    const [first, second, third] = await threeTransfers(network);
    const root = hashPair(hashPair(leafHex(first), leafHex(second)), leafHex(third));
    const fee = (first.sourceAmount * 25n + 9_999n) / 10_000n;
    const given = { sourceTotal: first.sourceAmount, targetTotal: first.targetAmount, fee };
    const batch = await openForged(network, [first, second, third], root, given);
    const proof = { siblings: [], flags: [true, true] };
    // Ascending leaves a < b < c; the queue pairs a with b, then c with their hash.
    const call = settleForged(network, batch, [first, second, third], proof);
    await expectRevert(call, "TransferRegistry_TotalsMismatch", [3, 0, 0]);
    await expireBatch(network, batch);
    await expectConserved(network);
  });

  it("a batch of nothing cannot be opened, and none can be settled as one", async () => {
    const network = await freshNetwork();
    const good = await makeBatch(network);
    const empty = withHeader(good, {
      count: 0,
      sourceTotal: 0n,
      targetTotal: 0n,
      fee: 0n,
      root: `0x${"00".repeat(32)}`,
    });
    await expectRevert(openBatch(network, empty), "TransferRegistry_EmptyBatch", [0, 0, 0]);
  });

  it("a multiproof that runs out of hashes proves nothing", async () => {
    const network = await freshNetwork();
    const batch = await openedBatch(network, { count: 4 });
    const proof = { siblings: proofOf(batch, 0), flags: [true, true] };
    const call = settleForged(network, batch, batch.transfers.slice(0, 1), proof);
    await expectRevert(call, "TransferRegistry_InvalidProof", [idOf(network, batch)]);
  });
});
