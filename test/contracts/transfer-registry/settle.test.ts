import { expect } from "chai";
import type { Batch } from "../../../src/domain/batch.ts";
import type { Hex } from "../../../src/domain/bytes/hex.ts";
import { corridorId, feeForSettledUp } from "../../../src/domain/corridor.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import { settlementDigest } from "../../../src/domain/settlement.ts";
import { rejectedTuples } from "../support/abi.ts";
import { expectChanges } from "../support/balances.ts";
import {
  bringTo,
  idOf,
  makeBatch,
  makeQuote,
  openBatch,
  openedBatch,
  settleArgs,
  settleBatch,
  signSettlement,
} from "../support/batches.ts";
import { proveRefusals, refuseAll, type Refusals } from "../../support/transfers.ts";
import { nextCallAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { setRoles, setTerms } from "../support/governance.ts";
import {
  CNY,
  CORRIDORS,
  FUNDS,
  HKD,
  HUB,
  KEYS_VALID_UNTIL,
  PHP,
  PartnerStatus,
  Purpose,
  Role,
  TERMS,
  freshNetwork,
  fundPartner,
  keysOf,
  type Network,
} from "../support/network.ts";

/** What the three transfers of a batch come to when the one at `index` is refused. */
function lessOne({ header, transfers }: Batch, index: number) {
  const { sourceAmount = 0n, targetAmount = 0n } = transfers[index] ?? {};
  const settledSource = header.sourceTotal - sourceAmount;
  const fee = feeForSettledUp(header.fee, settledSource, header.sourceTotal);
  return { settledSource, settledTarget: header.targetTotal - targetAmount, fee, sourceAmount, targetAmount };
}

async function hashOf(network: Network, batch: Batch): Promise<string> {
  return network.transfers.rejectionsHashOf(idOf(network, batch));
}

/** What the ledger keeps of a rejections hash: its first 31 bytes. */
function kept(rejectionsHash: Hex): string {
  return rejectionsHash.slice(0, 64);
}

describe("TransferRegistry.settle", () => {
  describe("given the batch is not open", () => {
    for (const status of ["None", "Settled", "Rejected", "Expired"] as const) {
      it(`reverts with IllegalStatus when it is ${status}`, async () => {
        const network = await freshNetwork();
        const batch = await makeBatch(network);
        await bringTo(network, batch, status);
        const args = [idOf(network, batch), BatchStatus[status], BatchStatus.Open];
        await expectRevert(settleBatch(network, batch), "TransferRegistry_IllegalStatus", args);
      });
    }
  });

  describe("when the batch's time is over", () => {
    for (const [title, late] of [
      ["at the expiry", 0],
      ["past the expiry", 1],
    ] as const) {
      it(`reverts with Expired ${title}`, async () => {
        const network = await freshNetwork();
        const batch = await openedBatch(network);
        const { expiresAt } = batch.header;
        const args = await settleArgs(network, batch);
        await nextCallAt(network.transfers, expiresAt + late);
        const call = network.transfers.settle(...args);
        await expectRevert(call, "TransferRegistry_Expired", [expiresAt + late, expiresAt]);
      });
    }

    it("settles a second before the expiry", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const args = await settleArgs(network, batch);
      await nextCallAt(network.transfers, batch.header.expiresAt - 1);
      await expect(network.transfers.settle(...args)).to.emit(network.transfers, "Settled");
    });
  });

  describe("when the partner registry refuses", () => {
    it("reverts with PartnerNotActive for a frozen target partner", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      await network.registry.connect(network.cast.guardian).freeze(4);
      const args = [4, PartnerStatus.Frozen];
      await expectRevert(settleBatch(network, batch), "PartnerRegistry_PartnerNotActive", args);
    });

    it("reverts with KeyNotAuthorized for a key that may not accept", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const { send } = keysOf(network, 4);
      const call = network.transfers.settle(...(await settleArgs(network, batch, {}, send)));
      const args = [4, send.address, Purpose.accept];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });

    it("reverts with KeyNotAuthorized for the source partner's key", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const { accept } = keysOf(network, 7);
      const call = network.transfers.settle(...(await settleArgs(network, batch, {}, accept)));
      const args = [4, accept.address, Purpose.accept];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });
  });

  describe("when the target partner's signature is not its key's", () => {
    it("reverts with InvalidSignature", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const { accept } = keysOf(network, 4);
      const [header, rejections, proof, { signature }] = await settleArgs(network, batch, {}, network.cast.stranger);
      const call = network.transfers.settle(header, rejections, proof, { key: accept.address, signature });
      const settlement = { batchId: idOf(network, batch), rejectionsHash: `0x${"00".repeat(32)}` } as const;
      const args = [4, accept.address, settlementDigest(settlement, network.chain)];
      await expectRevert(call, "Module_InvalidSignature", args);
    });

    it("reverts with InvalidSignature when rejections were added to what was signed", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const [header, rejections, proof] = await settleArgs(network, batch, { 0: "AC03" });
      const [, , , accept] = await settleArgs(network, batch);
      const { rejectionsHash } = proveRefusals(batch, { 0: "AC03" });
      const digest = settlementDigest({ batchId: idOf(network, batch), rejectionsHash }, network.chain);
      const call = network.transfers.settle(header, rejections, proof, accept);
      await expectRevert(call, "Module_InvalidSignature", [4, accept.key, digest]);
    });

    it("reverts with InvalidSignature when another reason was signed", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const [header, rejections, proof] = await settleArgs(network, batch, { 0: "AC03" });
      const batchId = idOf(network, batch);
      const { rejectionsHash: signed } = proveRefusals(batch, { 0: "AC06" });
      const { rejectionsHash } = proveRefusals(batch, { 0: "AC03" });
      const accept = await signSettlement(network, { batchId, rejectionsHash: signed }, keysOf(network, 4).accept);
      const digest = settlementDigest({ batchId, rejectionsHash }, network.chain);
      const call = network.transfers.settle(header, rejections, proof, accept);
      await expectRevert(call, "Module_InvalidSignature", [4, accept.key, digest]);
    });
  });

  describe("when nothing is rejected", () => {
    it("exchanges both currencies, charges the fee and emits Settled", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { count: 5 });
      const { sourceTotal, targetTotal, fee } = batch.header;
      await expectChanges(
        network,
        async () =>
          expect(settleBatch(network, batch))
            .to.emit(network.transfers, "Settled")
            .withArgs(idOf(network, batch), 7, 4, sourceTotal, targetTotal, fee, []),
        [
          { partner: 7, currency: HKD, held: -(sourceTotal + fee) },
          { partner: 11, currency: HKD, available: sourceTotal },
          { partner: HUB, currency: HKD, available: fee },
          { partner: 11, currency: PHP, held: -targetTotal },
          { partner: 4, currency: PHP, available: targetTotal },
        ],
      );
      expect(await network.transfers.statusOf(idOf(network, batch))).to.equal(BatchStatus.Settled);
      expect(await hashOf(network, batch)).to.equal(`0x${"00".repeat(31)}`);
    });

    it("settles a batch of one", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { count: 1 });
      await expect(settleBatch(network, batch)).to.emit(network.transfers, "Settled");
    });

    it("pays the target partner from the source partner where currencies are the same", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { corridor: CORRIDORS.hkdToHkd });
      const { sourceTotal, fee } = batch.header;
      await expectChanges(network, async () => settleBatch(network, batch), [
        { partner: 7, currency: HKD, held: -(sourceTotal + fee) },
        { partner: 8, currency: HKD, available: sourceTotal },
        { partner: HUB, currency: HKD, available: fee },
      ]);
    });

    it("gives the hub its own fee back when the hub is the source partner", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { corridor: CORRIDORS.cnyToPhp });
      const { sourceTotal, targetTotal, fee } = batch.header;
      await expectChanges(network, async () => settleBatch(network, batch), [
        { partner: HUB, currency: CNY, held: -(sourceTotal + fee), available: fee },
        { partner: 11, currency: CNY, available: sourceTotal },
        { partner: 11, currency: PHP, held: -targetTotal },
        { partner: 4, currency: PHP, available: targetTotal },
      ]);
    });

    it("settles where the source partner is its own provider", async () => {
      const network = await freshNetwork();
      const { send, admin } = keysOf(network, 7);
      await setRoles(network, 7, Role.both);
      await network.registry.connect(admin).authorizeKey(7, send, Purpose.send | Purpose.quote, KEYS_VALID_UNTIL);
      await fundPartner(network, 7, PHP, FUNDS);
      const quote = await makeQuote(CORRIDORS.hkdToPhp, { provider: parsePartnerId(7) });
      const batch = await makeBatch(network, { quote });
      await openBatch(network, batch, { quote: send });
      const { sourceTotal, targetTotal, fee } = batch.header;
      await expectChanges(network, async () => settleBatch(network, batch), [
        { partner: 7, currency: HKD, held: -(sourceTotal + fee), available: sourceTotal },
        { partner: HUB, currency: HKD, available: fee },
        { partner: 7, currency: PHP, held: -targetTotal },
        { partner: 4, currency: PHP, available: targetTotal },
      ]);
    });
  });

  describe("when some transfers are rejected", () => {
    it("refunds them on both sides, with the fee's share, and publishes them", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const refusals: Refusals = { 1: "AC03" };
      const { rejections, rejectionsHash } = proveRefusals(batch, refusals);
      const { settledSource, settledTarget, fee, sourceAmount, targetAmount } = lessOne(batch, 1);
      await expectChanges(
        network,
        async () =>
          expect(settleBatch(network, batch, refusals))
            .to.emit(network.transfers, "Settled")
            .withArgs(idOf(network, batch), 7, 4, settledSource, settledTarget, fee, rejectedTuples(rejections)),
        [
          {
            partner: 7,
            currency: HKD,
            held: -(batch.header.sourceTotal + batch.header.fee),
            available: sourceAmount + batch.header.fee - fee,
          },
          { partner: 11, currency: HKD, available: settledSource },
          { partner: HUB, currency: HKD, available: fee },
          { partner: 11, currency: PHP, held: -batch.header.targetTotal, available: targetAmount },
          { partner: 4, currency: PHP, available: settledTarget },
        ],
      );
      expect(await network.transfers.statusOf(idOf(network, batch))).to.equal(BatchStatus.Settled);
      expect(await hashOf(network, batch)).to.equal(kept(rejectionsHash));
    });

    it("refunds the source partner alone where currencies are the same", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { corridor: CORRIDORS.hkdToHkd });
      const { settledSource, fee, sourceAmount } = lessOne(batch, 0);
      const { header } = batch;
      await expectChanges(network, async () => settleBatch(network, batch, { 0: "BE01" }), [
        {
          partner: 7,
          currency: HKD,
          held: -(header.sourceTotal + header.fee),
          available: sourceAmount + header.fee - fee,
        },
        { partner: 8, currency: HKD, available: settledSource },
        { partner: HUB, currency: HKD, available: fee },
      ]);
    });

    it("takes any number of rejections, each with its own reason", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { count: 9 });
      const refusals: Refusals = { 0: "AC03", 2: "AC06", 3: "BE01", 7: "RR04", 8: "AC03" };
      const { rejections, rejectionsHash } = proveRefusals(batch, refusals);
      await expect(settleBatch(network, batch, refusals))
        .to.emit(network.transfers, "Settled")
        .withArgs(
          idOf(network, batch),
          7,
          4,
          (left: bigint) => left > 0n,
          (left: bigint) => left > 0n,
          (fee: bigint) => fee > 0n,
          rejectedTuples(rejections),
        );
      expect(await hashOf(network, batch)).to.equal(kept(rejectionsHash));
    });
  });

  describe("when every transfer is rejected", () => {
    it("refunds everything, charges nothing and emits Rejected", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const { sourceTotal, targetTotal, fee } = batch.header;
      const { rejections, rejectionsHash } = proveRefusals(batch, refuseAll(batch));
      await expectChanges(
        network,
        async () =>
          expect(settleBatch(network, batch, refuseAll(batch)))
            .to.emit(network.transfers, "Rejected")
            .withArgs(idOf(network, batch), 7, 4, rejectedTuples(rejections)),
        [
          { partner: 7, currency: HKD, held: -(sourceTotal + fee), available: sourceTotal + fee },
          { partner: 11, currency: PHP, held: -targetTotal, available: targetTotal },
        ],
      );
      expect(await network.transfers.statusOf(idOf(network, batch))).to.equal(BatchStatus.Rejected);
      expect(await hashOf(network, batch)).to.equal(kept(rejectionsHash));
    });

    it("refunds a batch of one", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { count: 1 });
      await expect(settleBatch(network, batch, { 0: "AC03" })).to.emit(network.transfers, "Rejected");
    });

    it("refunds the source partner alone where currencies are the same", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { corridor: CORRIDORS.hkdToHkd });
      const held = batch.header.sourceTotal + batch.header.fee;
      await expectChanges(network, async () => settleBatch(network, batch, refuseAll(batch)), [
        { partner: 7, currency: HKD, held: -held, available: held },
      ]);
    });
  });

  describe("when the corridor asks for no fee", () => {
    it("credits the hub with nothing", async () => {
      const network = await freshNetwork();
      await setTerms(network, corridorId(CORRIDORS.hkdToPhp), { ...TERMS, feeBps: 0n });
      const batch = await openedBatch(network, { feeBps: 0n });
      const { sourceTotal, targetTotal } = batch.header;
      await expectChanges(network, async () => settleBatch(network, batch), [
        { partner: 7, currency: HKD, held: -sourceTotal },
        { partner: 11, currency: HKD, available: sourceTotal },
        { partner: 11, currency: PHP, held: -targetTotal },
        { partner: 4, currency: PHP, available: targetTotal },
      ]);
    });

    it("moves no fee and refunds nothing: the treasury tells of two movements", async () => {
      const network = await freshNetwork();
      await setTerms(network, corridorId(CORRIDORS.hkdToPhp), { ...TERMS, feeBps: 0n });
      const batch = await openedBatch(network, { feeBps: 0n });
      const receipt = await (await settleBatch(network, batch)).wait();
      const treasury = await network.treasury.getAddress();
      const told = (receipt?.logs ?? []).filter(({ address }) => address === treasury);
      expect(told.map((log) => network.treasury.interface.parseLog(log)?.name)).to.deep.equal(["Moved", "Moved"]);
    });
  });
});
