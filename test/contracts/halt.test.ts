import { expect } from "chai";
import type { Batch } from "../../src/domain/batch.ts";
import { packHeader } from "../../src/domain/packed-header.ts";
import { BatchStatus } from "../../src/domain/lifecycle.ts";
import { expectConserved, heldIn } from "./support/balances.ts";
import {
  QUOTE_LIFETIME,
  expireBatch,
  idOf,
  makeBatch,
  makeQuote,
  openArgs,
  openBatch,
  openedBatch,
  settleArgs,
  settleBatch,
} from "./support/batches.ts";
import { halt, latestTimestamp, ledgerTime, nextBlockAt, nextCallAt, runUntil } from "./support/clock.ts";
import { expectRevert } from "./support/expect-revert.ts";
import {
  BEAT_INTERVAL,
  CORRIDORS,
  GRACE,
  HKD,
  PHP,
  Purpose,
  fail,
  freshNetwork,
  keysOf,
  type Network,
} from "./support/network.ts";

const HOUR = 3_600;

/** The ledger just after a beat was written down, with open batches of these remaining lives in seconds. */
async function withBatches(...lives: readonly number[]) {
  const network = await freshNetwork();
  const { transfers } = network;
  // Far enough ahead for the beat to be written down whenever the last one was, and within the grace of it.
  const now = (await ledgerTime(transfers)) + GRACE - BEAT_INTERVAL;
  const batches: Batch[] = [];
  for (const life of lives) {
    const plan = { seed: `life ${life}`, expiresAt: now + life };
    batches.push(await openedBatch(network, plan));
  }
  await nextBlockAt((await latestTimestamp()) + now - (await ledgerTime(transfers)));
  await transfers.beat();
  expect(await ledgerTime(transfers)).to.equal(now);
  return { network, transfers, now, batches };
}

async function statusOf(network: Network, batch: Batch): Promise<bigint> {
  return network.transfers.statusOf(idOf(network, batch));
}

function only(batches: readonly Batch[]): Batch {
  return batches[0] ?? fail("no batch");
}

function pair(batches: readonly Batch[]): readonly [Batch, Batch] {
  return [batches[0] ?? fail("no batch"), batches[1] ?? fail("no second batch")];
}

describe("A halt of the ledger for an hour", () => {
  it("costs ledger time no more than the grace, and says how much was lost", async () => {
    const { transfers, now } = await withBatches();
    await nextBlockAt((await latestTimestamp()) + HOUR);
    await expect(transfers.beat())
      .to.emit(transfers, "TimeLost")
      .withArgs(now + GRACE, HOUR - GRACE);
    expect(await ledgerTime(transfers)).to.equal(now + GRACE);
  });

  it("neither expires a batch with more life left than the grace nor keeps it from settling", async () => {
    const { network, transfers, now, batches } = await withBatches(GRACE + 1, GRACE + 1 + BEAT_INTERVAL);
    const [first, second] = pair(batches);
    await nextBlockAt((await latestTimestamp()) + HOUR);
    const args = [now + GRACE, now + GRACE + 1];
    await expectRevert(transfers.expire(packHeader(first.header)), "TransferRegistry_NotExpired", args);
    await runUntil(transfers, now + GRACE);
    await settleBatch(network, second);
    expect(await statusOf(network, second)).to.equal(BatchStatus.Settled);
    expect(await statusOf(network, first)).to.equal(BatchStatus.Open);
  });

  it("settles, in the first block back, a batch with a second more than the grace", async () => {
    const { network, transfers, batches } = await withBatches(GRACE + 1, GRACE);
    const [first] = pair(batches);
    const args = await settleArgs(network, first);
    await nextBlockAt((await latestTimestamp()) + HOUR);
    await expect(transfers.settle(...args)).to.emit(transfers, "Settled");
  });

  it("expires, in the first block back, a batch with no more than the grace left", async () => {
    const { network, transfers, batches, now } = await withBatches(GRACE, GRACE + 1);
    const [first] = pair(batches);
    const args = await settleArgs(network, first);
    await halt(HOUR);
    await expectRevert(transfers.settle(...args), "TransferRegistry_Expired", [now + GRACE, now + GRACE]);
    await expect(transfers.expire(packHeader(first.header))).to.emit(transfers, "Expired");
  });

  it("leaves every batch with its remaining life, counted from the beat before the halt", async () => {
    const { network, transfers, batches, now } = await withBatches(300, 600);
    const [first, second] = pair(batches);
    await halt(HOUR);
    await transfers.beat();
    await nextCallAt(transfers, now + 300 - 1);
    await expectRevert(transfers.expire(packHeader(first.header)), "TransferRegistry_NotExpired", [
      now + 299,
      now + 300,
    ]);
    await expireBatch(network, first);
    await settleBatch(network, second);
    expect(await statusOf(network, first)).to.equal(BatchStatus.Expired);
    expect(await statusOf(network, second)).to.equal(BatchStatus.Settled);
    expect([await heldIn(network, HKD), await heldIn(network, PHP)]).to.deep.equal([0n, 0n]);
    await expectConserved(network);
  });

  it("ends quotes all the same: their validity is wall-clock time", async () => {
    const network = await freshNetwork();
    const quote = await makeQuote(CORRIDORS.hkdToPhp);
    const batch = await makeBatch(network, { quote });
    const args = await openArgs(network, batch);
    const back = (await latestTimestamp()) + QUOTE_LIFETIME + 1;
    await nextBlockAt(back);
    const values = [back, quote.validUntil];
    await expectRevert(network.transfers.open(...args), "QuoteBook_Expired", values);
  });

  it("ends keys all the same, and a batch then settles with another", async () => {
    const { network, transfers, batches } = await withBatches(600);
    const batch = only(batches);
    const { admin, accept } = keysOf(network, 4);
    const [other] = network.cast.spare;
    await network.registry.connect(admin).authorizeKey(4, accept, Purpose.accept, (await latestTimestamp()) + 60);
    await halt(HOUR);
    const args = [4, accept.address, Purpose.accept];
    await expectRevert(settleBatch(network, batch), "PartnerRegistry_KeyNotAuthorized", args);
    await network.registry.connect(admin).authorizeKey(4, other, Purpose.accept, (await latestTimestamp()) + HOUR);
    await transfers.settle(...(await settleArgs(network, batch, {}, other)));
    expect(await statusOf(network, batch)).to.equal(BatchStatus.Settled);
  });

  it("is over for new batches at once: they open, settle and expire as before", async () => {
    const network = await freshNetwork();
    await halt(HOUR);
    const first = await openedBatch(network, { seed: "first" });
    const second = await openedBatch(network, { seed: "second" });
    await settleBatch(network, first, { 0: "AC03" });
    await expireBatch(network, second);
    expect(await statusOf(network, first)).to.equal(BatchStatus.Settled);
    expect(await statusOf(network, second)).to.equal(BatchStatus.Expired);
    await expectConserved(network);
  });

  it("can come again and again: each halt costs the grace", async () => {
    const { network, transfers, batches, now } = await withBatches(4 * GRACE);
    const batch = only(batches);
    for (const halts of [1, 2, 3]) {
      await nextBlockAt((await latestTimestamp()) + HOUR);
      await transfers.beat();
      expect(await ledgerTime(transfers)).to.equal(now + halts * GRACE);
    }
    await settleBatch(network, batch);
    expect(await statusOf(network, batch)).to.equal(BatchStatus.Settled);
  });
});

describe("An idle ledger on which nobody beats for hours", () => {
  it("loses the time beyond the grace, as in a halt, although blocks are made", async () => {
    const { network, transfers, batches, now } = await withBatches(600);
    const batch = only(batches);
    for (let hours = 0; hours < 5; hours++) await halt(HOUR);
    expect(await ledgerTime(transfers)).to.equal(now + GRACE);
    await settleBatch(network, batch);
    expect(await statusOf(network, batch)).to.equal(BatchStatus.Settled);
  });

  it("counts on as soon as anything happens", async () => {
    const { network, transfers, now } = await withBatches();
    for (let hours = 0; hours < 3; hours++) await halt(HOUR);
    await openBatch(network, await makeBatch(network));
    expect(await ledgerTime(transfers)).to.equal(now + GRACE);
    await nextBlockAt((await latestTimestamp()) + 20);
    await transfers.beat();
    expect(await ledgerTime(transfers)).to.equal(now + GRACE + 20);
  });
});

describe("A batch's expiry, at the exact second", () => {
  it("settles at a second before", async () => {
    const { network, transfers, batches, now } = await withBatches(25);
    const batch = only(batches);
    const args = await settleArgs(network, batch);
    await nextCallAt(transfers, now + 24);
    await expect(transfers.settle(...args)).to.emit(transfers, "Settled");
  });

  it("does not settle at the second", async () => {
    const { network, transfers, batches, now } = await withBatches(25);
    const batch = only(batches);
    const args = await settleArgs(network, batch);
    await nextCallAt(transfers, now + 25);
    await expectRevert(transfers.settle(...args), "TransferRegistry_Expired", [now + 25, now + 25]);
  });

  it("does not expire a second before", async () => {
    const { transfers, batches, now } = await withBatches(25);
    const batch = only(batches);
    await nextCallAt(transfers, now + 24);
    const args = [now + 24, now + 25];
    await expectRevert(transfers.expire(packHeader(batch.header)), "TransferRegistry_NotExpired", args);
  });

  it("expires at the second", async () => {
    const { transfers, batches, now } = await withBatches(25);
    const batch = only(batches);
    await nextCallAt(transfers, now + 25);
    await expect(transfers.expire(packHeader(batch.header))).to.emit(transfers, "Expired");
  });
});
