import { expect } from "chai";
import type { Batch } from "../../../src/domain/batch.ts";
import { corridorId } from "../../../src/domain/corridor.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { packHeader } from "../../../src/domain/packed-header.ts";
import { quoteId } from "../../../src/domain/quote.ts";
import { acceptanceDigest, settlementDigest } from "../../../src/domain/settlement.ts";
import { headerTuple } from "../support/abi.ts";
import { expectChanges, expectConserved } from "../support/balances.ts";
import {
  NO_PROOF,
  acceptedBatch,
  bringTo,
  idOf,
  makeBatch,
  makeQuote,
  openAndSettleBatch,
  openArgs,
  openedBatch,
  settleArgs,
  withHeader,
  type AcceptSigners,
} from "../support/batches.ts";
import { PROVIDER } from "../../support/transfers.ts";
import { dayOf, latestTimestamp, ledgerTime, nextBlockAt, nextCallAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { setTerms } from "../support/governance.ts";
import {
  CORRIDORS,
  HKD,
  PHP,
  PartnerStatus,
  Purpose,
  TERMS,
  freshNetwork,
  keysOf,
  type Network,
} from "../support/network.ts";

const NONE_REJECTED = `0x${"0".repeat(64)}` as const;

/** That the batch is refused, whoever has signed it, for this reason and with these values. */
async function expectRefused(
  network: Network,
  batch: Batch,
  error: string,
  values: readonly unknown[],
  signers: AcceptSigners = {},
): Promise<void> {
  await expectChanges(network, () => expectRevert(openAndSettleBatch(network, batch, signers), error, values), []);
}

describe("TransferRegistry.openAndSettle", () => {
  describe("when the batch could not be opened", () => {
    it("reverts with EnforcedPause when the registry is paused", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      await network.transfers.connect(network.cast.guardian).pause();
      await expectRefused(network, batch, "EnforcedPause", []);
    });

    for (const status of ["Open", "Settled", "Rejected", "Expired"] as const) {
      it(`reverts with IllegalStatus when it is ${status}`, async () => {
        const network = await freshNetwork();
        const batch = await makeBatch(network);
        await bringTo(network, batch, status);
        const values = [idOf(network, batch), BatchStatus[status], BatchStatus.None];
        await expectRefused(network, batch, "TransferRegistry_IllegalStatus", values);
      });
    }

    it("reverts with EmptyBatch when the count is zero", async () => {
      const network = await freshNetwork();
      const batch = withHeader(await makeBatch(network), { count: 0 });
      const { sourceTotal, targetTotal } = batch.header;
      await expectRefused(network, batch, "TransferRegistry_EmptyBatch", [0, sourceTotal, targetTotal]);
    });

    it("reverts with Expired at the expiry, although the acceptance counts", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const { expiresAt } = batch.header;
      const accepted = await acceptedBatch(network, batch, { acceptedUntil: expiresAt + 3_600 });
      await nextCallAt(network.transfers, expiresAt);
      const values = [expiresAt, expiresAt];
      await expectRevert(network.transfers.openAndSettle(accepted), "TransferRegistry_Expired", values);
    });

    it("reverts with HoldTooLong for a header that could not be held: both ways take the same batches", async () => {
      const network = await freshNetwork();
      const now = await nextLedgerTime(network);
      const batch = await makeBatch(network, { expiresAt: now + 86_401 });
      await nextCallAt(network.transfers, now);
      const accepted = await acceptedBatch(network, batch);
      await expectRevert(network.transfers.openAndSettle(accepted), "TransferRegistry_HoldTooLong", [86_401, 86_400]);
    });

    it("reverts with FeeMismatch for a unit less", async () => {
      const network = await freshNetwork();
      const good = await makeBatch(network);
      const { fee } = good.header;
      const batch = withHeader(good, { fee: fee - 1n });
      await expectRefused(network, batch, "TransferRegistry_FeeMismatch", [fee - 1n, fee]);
    });

    it("reverts with DayLimitExceeded when earlier batches have used the day up", async () => {
      const network = await freshNetwork();
      const [first, second] = [await makeBatch(network, { seed: "1" }), await makeBatch(network, { seed: "2" })];
      const id = corridorId(CORRIDORS.hkdToPhp);
      const most = first.header.sourceTotal + second.header.sourceTotal - 1n;
      await setTerms(network, id, { ...TERMS, maxPerBatch: most, maxPerDay: most });
      await openAndSettleBatch(network, first);
      const values = [id, first.header.sourceTotal, second.header.sourceTotal, most];
      await expectRefused(network, second, "CorridorBook_DayLimitExceeded", values);
    });

    it("reverts with PartnerNotActive for a suspended target partner, which could settle what is open", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      await network.registry.connect(network.cast.guardian).suspend(4);
      await expectRefused(network, batch, "PartnerRegistry_PartnerNotActive", [4, PartnerStatus.Suspended]);
    });

    it("reverts with InvalidSignature when the source partner has not signed", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const accepted = await acceptedBatch(network, batch);
      const forged = { ...accepted, bySource: { ...accepted.bySource, signature: accepted.byTarget.signature } };
      const values = [7, accepted.bySource.key, idOf(network, batch)];
      await expectRevert(network.transfers.openAndSettle(forged), "Module_InvalidSignature", values);
    });

    it("reverts with UsedUp when the quote's capacity is drawn, in one step or in two", async () => {
      const network = await freshNetwork();
      const [one, two] = [await makeBatch(network, { seed: "1" }), await makeBatch(network, { seed: "2" })];
      const capacity = one.header.targetTotal + two.header.targetTotal;
      const quote = await makeQuote(CORRIDORS.hkdToPhp, { capacity });
      const [first, second, third] = [
        await makeBatch(network, { seed: "1", quote }),
        await makeBatch(network, { seed: "2", quote }),
        await makeBatch(network, { seed: "3", quote }),
      ];
      await openAndSettleBatch(network, first);
      await network.transfers.open(...(await openArgs(network, second)));
      const values = [quoteId(quote, network.chain), capacity, third.header.targetTotal, capacity];
      await expectRefused(network, third, "QuoteBook_UsedUp", values);
    });

    it("reverts with InsufficientAvailable when the source partner has a unit too little", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const needed = batch.header.sourceTotal + batch.header.fee;
      const left = await leave(network, 7, HKD, needed - 1n);
      await expectRefused(network, batch, "Treasury_InsufficientAvailable", [7, HKD, left, needed]);
    });

    it("reverts with InsufficientAvailable when the provider has a unit too little", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const { targetTotal } = batch.header;
      const left = await leave(network, PROVIDER, PHP, targetTotal - 1n);
      await expectRefused(network, batch, "Treasury_InsufficientAvailable", [PROVIDER, PHP, left, targetTotal]);
    });
  });

  describe("when the acceptance no longer counts", () => {
    it("reverts with AcceptanceExpired a second after its last", async () => {
      const network = await freshNetwork();
      const acceptedUntil = (await latestTimestamp()) + 10;
      const accepted = await acceptedBatch(network, await makeBatch(network), { acceptedUntil });
      await nextBlockAt(acceptedUntil + 1);
      const values = [acceptedUntil + 1, acceptedUntil];
      await expectRevert(network.transfers.openAndSettle(accepted), "TransferRegistry_AcceptanceExpired", values);
    });

    it("settles in its last second", async () => {
      const network = await freshNetwork();
      const acceptedUntil = (await latestTimestamp()) + 10;
      const batch = await makeBatch(network);
      const accepted = await acceptedBatch(network, batch, { acceptedUntil });
      await nextBlockAt(acceptedUntil);
      await network.transfers.openAndSettle(accepted);
      expect(await network.transfers.statusOf(idOf(network, batch))).to.equal(BigInt(BatchStatus.Settled));
    });

    it("leaves the batch to be opened and settled in two steps", async () => {
      const network = await freshNetwork();
      const acceptedUntil = (await latestTimestamp()) + 10;
      const batch = await makeBatch(network);
      const accepted = await acceptedBatch(network, batch, { acceptedUntil });
      await nextBlockAt(acceptedUntil + 1);
      const values = [acceptedUntil + 1, acceptedUntil];
      await expectRevert(network.transfers.openAndSettle(accepted), "TransferRegistry_AcceptanceExpired", values);
      await network.transfers.open(accepted.header, accepted.bySource, accepted.byProvider);
      await network.transfers.settle(...(await settleArgs(network, batch, { 0: "AC03" })));
      await expectConserved(network);
    });
  });

  describe("when the acceptance is not this batch's", () => {
    it("reverts with KeyNotAuthorized for a key that may not accept", async () => {
      const network = await freshNetwork();
      const { fund } = keysOf(network, 4);
      const values = [4, fund.address, Purpose.accept];
      const batch = await makeBatch(network);
      await expectRefused(network, batch, "PartnerRegistry_KeyNotAuthorized", values, { accept: fund });
    });

    it("reverts with InvalidSignature for the acceptance of another batch", async () => {
      const network = await freshNetwork();
      const [batch, other] = [await makeBatch(network), await makeBatch(network, { seed: "other" })];
      const acceptedUntil = (await latestTimestamp()) + 60;
      const accepted = await acceptedBatch(network, batch, { acceptedUntil });
      const { byTarget } = await acceptedBatch(network, other, { acceptedUntil });
      const digest = acceptanceDigest({ batchId: idOf(network, batch), validUntil: acceptedUntil }, network.chain);
      const call = network.transfers.openAndSettle({ ...accepted, byTarget });
      await expectRevert(call, "Module_InvalidSignature", [4, byTarget.key, digest]);
    });

    it("reverts with InvalidSignature for another deadline than was signed", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const accepted = await acceptedBatch(network, batch);
      const acceptedUntil = accepted.acceptedUntil + 1;
      const digest = acceptanceDigest({ batchId: idOf(network, batch), validUntil: acceptedUntil }, network.chain);
      const call = network.transfers.openAndSettle({ ...accepted, acceptedUntil });
      await expectRevert(call, "Module_InvalidSignature", [4, accepted.byTarget.key, digest]);
    });

    it("reverts with InvalidSignature for a settlement of the batch", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const accepted = await acceptedBatch(network, batch);
      const [, , , byTarget] = await settleArgs(network, batch);
      const { acceptedUntil: validUntil } = accepted;
      const digest = acceptanceDigest({ batchId: idOf(network, batch), validUntil }, network.chain);
      const call = network.transfers.openAndSettle({ ...accepted, byTarget });
      await expectRevert(call, "Module_InvalidSignature", [4, byTarget.key, digest]);
    });

    it("does not settle an open batch: it is no settlement", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const { byTarget } = await acceptedBatch(network, batch);
      const settlement = { batchId: idOf(network, batch), rejectionsHash: NONE_REJECTED };
      const digest = settlementDigest(settlement, network.chain);
      const call = network.transfers.settle(packHeader(batch.header), [], NO_PROOF, byTarget);
      await expectRevert(call, "Module_InvalidSignature", [4, byTarget.key, digest]);
    });
  });

  describe("when nothing is wrong", () => {
    it("exchanges both currencies, charges the fee, holds nothing, and emits Opened and Settled", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const { sourceTotal, targetTotal, fee } = batch.header;
      const id = idOf(network, batch);
      const act = async () => {
        const call = openAndSettleBatch(network, batch);
        await expect(call).to.emit(network.transfers, "Opened").withArgs(id, 7, 4, headerTuple(batch.header));
        await expect(call).to.emit(network.transfers, "Settled").withArgs(id, 7, 4, sourceTotal, targetTotal, fee, []);
      };
      await expectChanges(network, act, [
        { partner: 7, currency: HKD, available: -(sourceTotal + fee) },
        { partner: PROVIDER, currency: HKD, available: sourceTotal },
        { partner: PROVIDER, currency: PHP, available: -targetTotal },
        { partner: 4, currency: PHP, available: targetTotal },
        { partner: 1, currency: HKD, available: fee },
      ]);
      expect(await network.transfers.statusOf(id)).to.equal(BigInt(BatchStatus.Settled));
      expect(await network.transfers.rejectionsHashOf(id)).to.equal(`0x${"0".repeat(62)}`);
      await expectConserved(network);
    });

    it("returns the batch's id", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const accepted = await acceptedBatch(network, batch);
      expect(await network.transfers.openAndSettle.staticCall(accepted)).to.equal(idOf(network, batch));
    });

    it("pays the target partner from the source partner where currencies are the same", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network, { corridor: CORRIDORS.hkdToHkd });
      const { source, target, sourceTotal, fee } = batch.header;
      const hub = target === 1 ? sourceTotal + fee : fee;
      await expectChanges(network, () => openAndSettleBatch(network, batch), [
        { partner: source, currency: HKD, available: -(sourceTotal + fee) },
        ...(target === 1 ? [] : [{ partner: target, currency: HKD, available: sourceTotal }]),
        { partner: 1, currency: HKD, available: hub },
      ]);
    });

    it("moves no fee where the corridor asks for none", async () => {
      const network = await freshNetwork();
      await setTerms(network, corridorId(CORRIDORS.hkdToPhp), { ...TERMS, feeBps: 0n });
      const batch = await makeBatch(network, { feeBps: 0n });
      const { sourceTotal, targetTotal } = batch.header;
      await expectChanges(network, () => openAndSettleBatch(network, batch), [
        { partner: 7, currency: HKD, available: -sourceTotal },
        { partner: PROVIDER, currency: HKD, available: sourceTotal },
        { partner: PROVIDER, currency: PHP, available: -targetTotal },
        { partner: 4, currency: PHP, available: targetTotal },
      ]);
    });

    it("draws on the quote and on the corridor's day", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      await openAndSettleBatch(network, batch);
      const { sourceTotal, targetTotal, quote } = batch.header;
      expect(await network.quotes.drawnOf(quoteId(quote, network.chain))).to.equal(targetTotal);
      const day = dayOf(await latestTimestamp());
      expect(await network.corridors.drawnOn(corridorId(CORRIDORS.hkdToPhp), day)).to.equal(sourceTotal);
    });
  });

  describe("when the batch has settled so", () => {
    it("is final: it is not opened, settled, expired or settled so again", async () => {
      const network = await freshNetwork();
      const { transfers } = network;
      const batch = await makeBatch(network);
      const accepted = await acceptedBatch(network, batch);
      await transfers.openAndSettle(accepted);
      const id = idOf(network, batch);
      const settlement = await settleArgs(network, batch);
      const calls: readonly [call: () => Promise<unknown>, needed: number][] = [
        [() => transfers.openAndSettle(accepted), BatchStatus.None],
        [() => transfers.open(accepted.header, accepted.bySource, accepted.byProvider), BatchStatus.None],
        [() => transfers.settle(...settlement), BatchStatus.Open],
        [() => transfers.expire(accepted.header), BatchStatus.Open],
      ];
      for (const [call, needed] of calls) {
        await expectRevert(call(), "TransferRegistry_IllegalStatus", [id, BatchStatus.Settled, needed]);
      }
    });
  });
});

/** Ledger time in the next block, a second after the latest one. */
async function nextLedgerTime({ transfers }: Network): Promise<number> {
  await transfers.beat();
  return (await ledgerTime(transfers)) + 1;
}

/** Has a partner withdraw all but so much. */
async function leave(network: Network, partner: number, currency: number, amount: bigint): Promise<bigint> {
  const { available } = await network.treasury.balanceOf(partner, currency);
  const { fund } = keysOf(network, partner);
  await network.treasury.connect(fund).withdraw(partner, currency, available - amount, fund);
  return amount;
}
