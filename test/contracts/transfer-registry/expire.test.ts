import { expect } from "chai";
import { corridorId } from "../../../src/domain/corridor.ts";
import { packHeader } from "../../../src/domain/packed-header.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { quoteId } from "../../../src/domain/quote.ts";
import { expectChanges } from "../support/balances.ts";
import { bringTo, expireBatch, idOf, makeBatch, openedBatch, withHeader } from "../support/batches.ts";
import { dayOf, latestTimestamp, nextCallAt, runUntil } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { CORRIDORS, HKD, PHP, freshNetwork } from "../support/network.ts";

describe("TransferRegistry.expire", () => {
  describe("given the batch is not open", () => {
    for (const status of ["None", "Settled", "Rejected", "Expired"] as const) {
      it(`reverts with IllegalStatus when it is ${status}`, async () => {
        const network = await freshNetwork();
        const batch = await makeBatch(network);
        await bringTo(network, batch, status);
        const args = [idOf(network, batch), BatchStatus[status], BatchStatus.Open];
        await expectRevert(expireBatch(network, batch), "TransferRegistry_IllegalStatus", args);
      });
    }

    it("reverts with IllegalStatus for an open batch's header with another expiry", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const sooner = withHeader(batch, { expiresAt: batch.header.expiresAt - 500 });
      const args = [idOf(network, sooner), BatchStatus.None, BatchStatus.Open];
      const call = network.transfers.expire(packHeader(sooner.header));
      await expectRevert(call, "TransferRegistry_IllegalStatus", args);
    });
  });

  describe("when the batch can still settle", () => {
    it("reverts with NotExpired a second before the expiry", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const { expiresAt } = batch.header;
      await nextCallAt(network.transfers, expiresAt - 1);
      const call = network.transfers.expire(packHeader(batch.header));
      await expectRevert(call, "TransferRegistry_NotExpired", [expiresAt - 1, expiresAt]);
    });
  });

  describe("when the batch's time is over", () => {
    it("refunds both sides in full and emits Expired, for anyone, at the exact second", async () => {
      const network = await freshNetwork();
      const { transfers, cast } = network;
      const batch = await openedBatch(network);
      const { sourceTotal, targetTotal, fee, expiresAt } = batch.header;
      await runUntil(transfers, expiresAt - 1);
      const act = async () => {
        await nextCallAt(transfers, expiresAt);
        const call = await transfers.connect(cast.stranger).expire(packHeader(batch.header));
        await expect(call).to.emit(transfers, "Expired").withArgs(idOf(network, batch), 7, 4);
        const treasury = await network.treasury.getAddress();
        const told = ((await call.wait())?.logs ?? []).filter(({ address }) => address === treasury);
        // Nothing is moved to anybody, not even nothing.
        const names = told.map((log) => network.treasury.interface.parseLog(log)?.name);
        expect(names).to.deep.equal(["Released", "Released"]);
      };
      await expectChanges(network, act, [
        { partner: 7, currency: HKD, held: -(sourceTotal + fee), available: sourceTotal + fee },
        { partner: 11, currency: PHP, held: -targetTotal, available: targetTotal },
      ]);
      expect(await transfers.statusOf(idOf(network, batch))).to.equal(BatchStatus.Expired);
      expect(await transfers.rejectionsHashOf(idOf(network, batch))).to.equal(`0x${"00".repeat(31)}`);
    });

    it("refunds the source partner alone where currencies are the same", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network, { corridor: CORRIDORS.hkdToHkd });
      const held = batch.header.sourceTotal + batch.header.fee;
      await expectChanges(network, async () => expireBatch(network, batch), [
        { partner: 7, currency: HKD, held: -held, available: held },
      ]);
    });

    it("gives nothing back to the quote and to the day's limit", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      await expireBatch(network, batch);
      const { quote, sourceTotal, targetTotal } = batch.header;
      expect(await network.quotes.drawnOf(quoteId(quote, network.chain))).to.equal(targetTotal);
      const today = dayOf(await latestTimestamp());
      expect(await network.corridors.drawnOn(corridorId(CORRIDORS.hkdToPhp), today)).to.equal(sourceTotal);
    });
  });
});
