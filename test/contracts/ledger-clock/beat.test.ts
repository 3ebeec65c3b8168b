import { expect } from "chai";
import type { TransferRegistry } from "../../../types/ethers-contracts/index.ts";
import { ethers } from "../support/chain.ts";
import { halt, latestTimestamp, ledgerTime, nextBlockAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { BEAT_INTERVAL, GRACE, freshNetwork } from "../support/network.ts";

/** A clock whose last beat was written in the latest block. */
async function freshClock(): Promise<TransferRegistry> {
  const { transfers } = await freshNetwork();
  await nextBlockAt((await latestTimestamp()) + BEAT_INTERVAL);
  await transfers.beat();
  return transfers;
}

async function lagNow(transfers: TransferRegistry): Promise<bigint> {
  return transfers.lag({ blockTag: "latest" });
}

async function deployClock(beatInterval: number, grace: number): Promise<TransferRegistry> {
  const { manager, registry, treasury, corridors, quotes } = await freshNetwork();
  const args = [manager, registry, treasury, corridors, quotes, beatInterval, grace];
  return ethers.deployContract("TransferRegistry", args);
}

describe("LedgerClock.constructor", () => {
  describe("when the interval is zero", () => {
    it("reverts with InvalidGrace", async () => {
      await expectRevert(deployClock(0, 30), "LedgerClock_InvalidGrace", [0, 30]);
    });
  });

  describe("when the grace is less than two intervals", () => {
    it("reverts with InvalidGrace", async () => {
      await expectRevert(deployClock(10, 19), "LedgerClock_InvalidGrace", [10, 19]);
    });
  });

  describe("when the grace is two intervals or more", () => {
    it("starts at the block's timestamp", async () => {
      const clock = await deployClock(10, 20);
      expect(await ledgerTime(clock)).to.equal(await latestTimestamp());
      expect(await lagNow(clock)).to.equal(0);
      expect(await clock.beatInterval()).to.equal(10);
      expect(await clock.grace()).to.equal(20);
    });

    it("takes the largest values without overflow", async () => {
      const clock = await deployClock(2 ** 31 - 1, 2 ** 32 - 1);
      expect(await clock.grace()).to.equal(2 ** 32 - 1);
    });
  });
});

describe("LedgerClock.beat", () => {
  describe("when the last beat is younger than the interval", () => {
    it("advances ledger time and writes nothing", async () => {
      const clock = await freshClock();
      const time = await ledgerTime(clock);
      const before = await latestTimestamp();
      await nextBlockAt(before + BEAT_INTERVAL - 1);
      const receipt = await (await clock.beat()).wait();
      expect(await ledgerTime(clock)).to.equal(time + BEAT_INTERVAL - 1);
      expect(receipt?.logs).to.deep.equal([]);
      // Nothing was written: the grace still counts from the beat before.
      await nextBlockAt(before + GRACE + 5);
      await expect(clock.beat())
        .to.emit(clock, "TimeLost")
        .withArgs(time + GRACE, 5);
    });
  });

  describe("when the last beat is as old as the interval", () => {
    it("writes the beat down, from which the grace then counts", async () => {
      const clock = await freshClock();
      const time = await ledgerTime(clock);
      const before = await latestTimestamp();
      await nextBlockAt(before + BEAT_INTERVAL);
      await clock.beat();
      await nextBlockAt(before + BEAT_INTERVAL + GRACE);
      await expect(clock.beat()).not.to.emit(clock, "TimeLost");
      expect(await ledgerTime(clock)).to.equal(time + BEAT_INTERVAL + GRACE);
    });
  });

  describe("when the last beat is as old as the grace", () => {
    it("counts all of the time", async () => {
      const clock = await freshClock();
      const [time, lag] = [await ledgerTime(clock), await lagNow(clock)];
      await nextBlockAt((await latestTimestamp()) + GRACE);
      await expect(clock.beat()).not.to.emit(clock, "TimeLost");
      expect(await ledgerTime(clock)).to.equal(time + GRACE);
      expect(await lagNow(clock)).to.equal(lag);
    });
  });

  describe("when the last beat is older than the grace", () => {
    for (const over of [1, 3_600]) {
      it(`counts the grace, and ${over} s are lost`, async () => {
        const clock = await freshClock();
        const [time, lag] = [await ledgerTime(clock), await lagNow(clock)];
        await nextBlockAt((await latestTimestamp()) + GRACE + over);
        await expect(clock.beat())
          .to.emit(clock, "TimeLost")
          .withArgs(time + GRACE, over);
        expect(await ledgerTime(clock)).to.equal(time + GRACE);
        expect(await lagNow(clock)).to.equal(lag + BigInt(over));
      });
    }
  });

  describe("when two beats are in one block", () => {
    it("counts the time once", async () => {
      const { transfers } = await freshNetwork();
      const time = await ledgerTime(transfers);
      await nextBlockAt((await latestTimestamp()) + BEAT_INTERVAL);
      const beat = transfers.interface.encodeFunctionData("beat");
      await transfers.multicall([beat, beat]);
      expect(await ledgerTime(transfers)).to.equal(time + BEAT_INTERVAL);
    });
  });

  it("returns ledger time", async () => {
    const { transfers } = await freshNetwork();
    const time = await transfers.beat.staticCall({ blockTag: "latest" });
    expect(time).to.equal(await ledgerTime(transfers));
  });

  it("is open to anyone", async () => {
    const { transfers, cast } = await freshNetwork();
    const time = await ledgerTime(transfers);
    await nextBlockAt((await latestTimestamp()) + BEAT_INTERVAL);
    await transfers.connect(cast.stranger).beat();
    expect(await ledgerTime(transfers)).to.equal(time + BEAT_INTERVAL);
  });
});

describe("LedgerClock.time", () => {
  it("runs on without beats, but never more than the grace", async () => {
    const clock = await freshClock();
    const time = await ledgerTime(clock);
    await halt(GRACE - 1);
    expect(await ledgerTime(clock)).to.equal(time + GRACE - 1);
    await halt(1);
    expect(await ledgerTime(clock)).to.equal(time + GRACE);
    await halt(86_400);
    expect(await ledgerTime(clock)).to.equal(time + GRACE);
    expect(await lagNow(clock)).to.equal(BigInt((await latestTimestamp()) - time - GRACE));
  });
});

describe("LedgerClock.lastBeat", () => {
  it("tells what the last beat that was written down made of ledger time, and when", async () => {
    const clock = await freshClock();
    const [time, start] = [await ledgerTime(clock), await latestTimestamp()];
    expect([...(await clock.lastBeat())]).to.deep.equal([BigInt(time), BigInt(start)]);
    await nextBlockAt(start + BEAT_INTERVAL - 1);
    await clock.beat();
    expect([...(await clock.lastBeat())]).to.deep.equal([BigInt(time), BigInt(start)]);
    await nextBlockAt(start + GRACE + 100);
    await clock.beat();
    expect([...(await clock.lastBeat())]).to.deep.equal([BigInt(time + GRACE), BigInt(start + GRACE + 100)]);
  });
});
