import { expect } from "chai";
import { BatchStatus } from "../../../../src/domain/lifecycle.ts";
import { beatCall } from "../../../../src/ledger/calls.ts";
import { clockAt, latestHead, statusesAt } from "../../../../src/ledger/state.ts";
import type { Submitter } from "../../../../src/ledger/submitter.ts";
import { sweeperStep } from "../../../../src/features/remittance/steps/sweeper.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { makeBatch, makeSettlement, type OpenableBatch } from "../../../support/batches.ts";
import { runPastExpiry } from "../../support/chain.ts";
import { ALIPAY_HK, CNY_TO_PHP, fundedLedger, GCASH, HUB, networkHelpers, provider } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { failureOf, ownBatch } from "../../support/relay-batches.ts";
import { Killed, passTime, run, testRelay, type TestRelay } from "../../support/relay-context.ts";

describeOnBothDatabases("sweeper", (open) => {
  async function openOnLedger({ sandbox }: TestRelay, batch: OpenableBatch): Promise<OpenableBatch> {
    await (await sandbox.submitterOf({ kind: "courier" })).submit(batch.open);
    return batch;
  }
  const statusOf = async ({ ledger }: TestRelay, { id }: OpenableBatch) =>
    (await statusesAt(ledger, [id], await provider.getBlockNumber()))[0];
  const clockOf = async ({ ledger }: TestRelay) => clockAt(ledger, await latestHead(ledger));
  /** Counts what is submitted, by the name of the function. */
  function counting(relay: TestRelay): { readonly relay: TestRelay; readonly calls: string[] } {
    const calls: string[] = [];
    const submitter: Submitter = {
      address: relay.submitter.address,
      submit(call) {
        calls.push(relay.ledger.transferRegistry.interface.parseTransaction({ data: call.data })?.name ?? "?");
        return relay.submitter.submit(call);
      },
    };
    return { relay: { ...relay, submitter }, calls };
  }

  it("gives back the money of own batches past their expiry, as source and as target", async () => {
    for (const partner of [ALIPAY_HK, GCASH]) {
      const relay = await testRelay({ db: await open(), partner });
      const late = await openOnLedger(relay, await makeBatch(relay.sandbox, { seed: "late" }));
      await runPastExpiry(relay.sandbox, late);
      const young = await openOnLedger(relay, await makeBatch(relay.sandbox, { seed: "young" }));
      await run(relay, watcherStep);
      relay.woken.length = 0;
      await run(relay, sweeperStep);
      expect(await statusOf(relay, late)).to.equal(BatchStatus.Expired);
      expect(await statusOf(relay, young)).to.equal(BatchStatus.Open);
      expect(relay.woken).to.include("watcher");
    }
  });

  it("expires others' batches only when nobody else has for a while", async () => {
    const relay = await testRelay({ db: await open() });
    const late = await openOnLedger(relay, await makeBatch(relay.sandbox, { corridor: CNY_TO_PHP }));
    await runPastExpiry(relay.sandbox, late);
    await run(relay, watcherStep);
    await run(relay, sweeperStep);
    expect(await statusOf(relay, late)).to.equal(BatchStatus.Open);
    const courier = await relay.sandbox.submitterOf({ kind: "courier" });
    for (let rounds = 0; rounds < 4; rounds++) {
      await passTime(relay, 20);
      await courier.submit(beatCall(relay.ledger));
    }
    await run(relay, sweeperStep);
    expect(await statusOf(relay, late)).to.equal(BatchStatus.Expired);
  });

  it("does nothing about a batch that has been settled, though it has not read so", async () => {
    const plain = await testRelay({ db: await open() });
    const { relay, calls } = counting(plain);
    const batch = await openOnLedger(relay, await makeBatch(relay.sandbox));
    await run(relay, watcherStep);
    const courier = await relay.sandbox.submitterOf({ kind: "courier" });
    await courier.submit(await makeSettlement(relay.sandbox, batch));
    await runPastExpiry(relay.sandbox, batch);
    await run(relay, sweeperStep);
    expect(calls).to.deep.equal(["expire"]);
    expect(await statusOf(relay, batch)).to.equal(BatchStatus.Settled);
    const [counted] = (await relay.metrics.ledgerSubmissions.get()).values;
    expect(counted?.labels).to.deep.include({ call: "expire", outcome: "done" });
  });

  it("expires once when it is killed after submitting and runs again", async () => {
    const relay = await testRelay({ db: await open() });
    const late = await openOnLedger(relay, await makeBatch(relay.sandbox));
    await runPastExpiry(relay.sandbox, late);
    await run(relay, watcherStep);
    relay.killAt("sweeper.submitted");
    expect(await failureOf(run(relay, sweeperStep))).to.be.instanceOf(Killed);
    await run(relay, sweeperStep);
    await run(relay, watcherStep);
    expect(await statusOf(relay, late)).to.equal(BatchStatus.Expired);
    const { calls } = counting(relay);
    await run(relay, sweeperStep);
    expect(calls).to.deep.equal([]);
  });

  describe("beats", () => {
    it("while a batch is open and the last beat is as old as the interval", async () => {
      const plain = await testRelay({ db: await open() });
      const { relay, calls } = counting(plain);
      await run(relay, watcherStep);
      await passTime(relay, 60);
      await run(relay, sweeperStep);
      expect(calls).to.deep.equal([]);

      await openOnLedger(relay, await makeBatch(relay.sandbox));
      await run(relay, watcherStep);
      const opened = await clockOf(relay);
      await run(relay, sweeperStep);
      expect(calls).to.deep.equal([]);
      await passTime(relay, 15);
      await run(relay, sweeperStep);
      await run(relay, sweeperStep);
      expect(calls).to.deep.equal(["beat"]);
      const beaten = await clockOf(relay);
      expect(beaten.lastBeatSeconds).to.be.at.least(opened.lastBeatSeconds + 15);
    });

    it("in turns: the one whose batch is open before the one who only looks on", async () => {
      const sandbox = await fundedLedger();
      const [source, target, other] = await Promise.all(
        [ALIPAY_HK, GCASH, HUB].map(async (partner) =>
          counting(await testRelay({ db: await open(), sandbox, partner })),
        ),
      );
      if (source === undefined || target === undefined || other === undefined) throw new Error("there are three");
      const all = [other, source, target];
      await openOnLedger(source.relay, await makeBatch(sandbox));
      for (const { relay } of all) await run(relay, watcherStep);
      const { lastBeatSeconds } = await clockOf(source.relay);
      // The same moment for all of them, just as the interval is over.
      await networkHelpers.time.increaseTo(lastBeatSeconds + 10);
      for (const { relay } of all) relay.clock.advance((lastBeatSeconds + 10) * 1_000 - relay.clock.nowMs());
      for (const { relay } of all) await run(relay, sweeperStep);
      expect([other.calls, source.calls, target.calls]).to.deep.equal([[], [], ["beat"]]);
      expect(source.relay.woken).to.include("sweeper");
      // Nobody else did: then it is everybody's turn.
      await networkHelpers.time.increase(25);
      other.relay.clock.advance(25_000);
      await run(other.relay, sweeperStep);
      expect(other.calls).to.deep.equal(["beat"]);
    });

    it("for a signed batch that waits to be opened, too, so that its end can be seen", async () => {
      const plain = await testRelay({ db: await open() });
      const { relay, calls } = counting(plain);
      await ownBatch(relay, { count: 1 });
      await run(relay, watcherStep);
      await passTime(relay, 60);
      await run(relay, sweeperStep);
      expect(calls).to.deep.equal(["beat"]);
    });

    it("until a batch of which nobody else knows has expired and is refunded", async () => {
      const relay = await testRelay({ db: await open() });
      const batch = await openOnLedger(relay, await makeBatch(relay.sandbox));
      await run(relay, watcherStep);
      for (let rounds = 0; rounds < 40 && (await statusOf(relay, batch)) === BatchStatus.Open; rounds++) {
        await passTime(relay, 12);
        await run(relay, sweeperStep);
        await run(relay, watcherStep);
      }
      expect(await statusOf(relay, batch)).to.equal(BatchStatus.Expired);
    });
  });

  it("reads the last beat that was written down, at any block", async () => {
    const relay = await testRelay({ db: await open() });
    const courier = await relay.sandbox.submitterOf({ kind: "courier" });
    await networkHelpers.time.increase(100);
    const head = await latestHead(relay.ledger);
    const before = await clockOf(relay);
    const { blockNumber } = await courier.submit(beatCall(relay.ledger));
    const block = await provider.getBlock(blockNumber);
    const after = await clockOf(relay);
    expect(after.lastBeatSeconds).to.equal(block?.timestamp);
    expect(before.lastBeatSeconds).to.be.lessThan(after.lastBeatSeconds - 99);
    expect([after.beatIntervalSeconds, after.graceSeconds]).to.deep.equal([10, 30]);
    expect(await clockAt(relay.ledger, head)).to.deep.equal(before);
  });
});
