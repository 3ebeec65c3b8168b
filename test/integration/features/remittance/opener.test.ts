import { expect } from "chai";
import type { Hex } from "../../../../src/domain/bytes/hex.ts";
import { BatchStatus } from "../../../../src/domain/lifecycle.ts";
import { beatCall, openCall } from "../../../../src/ledger/calls.ts";
import { statusesAt } from "../../../../src/ledger/state.ts";
import { SubmissionError, type Submitter } from "../../../../src/ledger/submitter.ts";
import { openerStep } from "../../../../src/features/remittance/steps/opener.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { eventsAfter } from "../../../../src/kernel/store/events.ts";
import { until } from "../../../support/until.ts";
import { networkHelpers } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { asGovernance } from "../../support/governance.ts";
import { failureOf, ownBatch } from "../../support/relay-batches.ts";
import { Killed, passTime, run, testClock, testRelay, type TestRelay } from "../../support/relay-context.ts";
import { mine } from "../../support/submitting.ts";

describeOnBothDatabases("opener", (open) => {
  const relayOf = async (): Promise<TestRelay> => {
    const retry = { firstDelayMs: 20_000, maxDelayMs: 40_000 };
    const relay = await testRelay({ db: await open(), settings: { retry } });
    await run(relay, watcherStep);
    relay.woken.length = 0;
    return relay;
  };
  const statusOf = async ({ ledger }: TestRelay, id: Hex) =>
    (await statusesAt(ledger, [id], await ledger.provider.getBlockNumber()))[0];

  interface Row {
    readonly on_ledger: boolean;
    readonly voided_at: bigint | null;
    readonly open_attempts: number;
    readonly open_due_at: bigint;
    readonly open_error: string | null;
  }
  const rowOf = async ({ db }: TestRelay, id: string): Promise<Row | undefined> => {
    const [row] = await db.query<Row>("SELECT * FROM batches WHERE encode(id, 'hex') = $1", [id.slice(2)]);
    return row;
  };
  /** A submitter that counts, and may fail. */
  const counting = (real: Submitter, after: () => void = () => undefined): Submitter & { calls: number } => {
    const counter = {
      address: real.address,
      calls: 0,
      async submit(call: Parameters<Submitter["submit"]>[0]) {
        counter.calls++;
        const receipt = await real.submit(call);
        after();
        return receipt;
      },
    };
    return counter;
  };

  it("opens every signed batch, several at once, and leaves them alone from then on", async () => {
    const relay = await relayOf();
    const batches = [];
    for (let index = 0; index < 10; index++) batches.push(await ownBatch(relay, { count: 1 }));
    const submitter = counting(relay.submitter);
    await run({ ...relay, submitter }, openerStep);
    for (const { id } of batches) expect(await statusOf(relay, id)).to.equal(BatchStatus.Open);
    expect(relay.woken).to.include("watcher");
    await run({ ...relay, submitter }, openerStep);
    await run(relay, watcherStep);
    relay.clock.advance(60_000);
    await run({ ...relay, submitter }, openerStep);
    expect(submitter.calls).to.equal(10);
    const rows = await Promise.all(batches.map(({ id }) => rowOf(relay, id)));
    expect(rows.every((row) => row?.on_ledger === true && row.open_attempts === 0)).to.equal(true);
  });

  it("takes a batch that somebody else has opened for open", async () => {
    const relay = await relayOf();
    const batch = await ownBatch(relay, { count: 1 });
    const courier = await relay.sandbox.submitterOf({ kind: "courier" });
    await courier.submit(openCall(relay.ledger, batch.header, batch.send, batch.quote));
    await run(relay, openerStep);
    expect(await rowOf(relay, batch.id)).to.deep.include({ open_attempts: 0, open_error: null });
    expect(relay.woken).to.include("watcher");
  });

  it("opens the others when one is refused, and tries that one again after a while", async () => {
    const relay = await relayOf();
    // More than there is of the money.
    const poor = await ownBatch(relay, { count: 1, amount: 10n ** 9n });
    await relay.db.query("UPDATE batches SET send_signature = jsonb_set(send_signature, '{signature}', '\"0x1234\"')");
    const good = await ownBatch(relay, { count: 2 });
    await run(relay, openerStep);
    expect(await statusOf(relay, good.id)).to.equal(BatchStatus.Open);
    const row = await rowOf(relay, poor.id);
    expect(row?.open_attempts).to.equal(1);
    expect(row?.open_error).to.contain("Module_InvalidSignature");
    const submitter = counting(relay.submitter);
    await run({ ...relay, submitter }, openerStep);
    expect(submitter.calls).to.equal(0);
    relay.clock.advance(20_000);
    await run({ ...relay, submitter }, openerStep);
    expect((await rowOf(relay, poor.id))?.open_attempts).to.equal(2);
    const outcomes = (await relay.metrics.ledgerSubmissions.get()).values;
    expect(outcomes.map(({ labels, value }) => [labels.outcome, value])).to.have.deep.members([
      ["submitted", 1],
      ["refused", 2],
    ]);
  });

  it("waits while opening is paused", async () => {
    const relay = await relayOf();
    const batch = await ownBatch(relay, { count: 1, quoteValiditySeconds: 100_000 });
    await asGovernance(relay.sandbox, "guardian", "transferRegistry", "pause", []);
    await run(relay, openerStep);
    expect((await rowOf(relay, batch.id))?.open_error).to.contain("EnforcedPause");
    // The supervisor waits an hour for it, in which ledger time moves on by no more than the grace.
    await asGovernance(relay.sandbox, "supervisor", "transferRegistry", "unpause", [1]);
    relay.clock.advance(20_000);
    await run(relay, openerStep);
    expect(await statusOf(relay, batch.id)).to.equal(BatchStatus.Open);
  });

  it("takes a receipt that was lost for no refusal: the ledger opens a batch once", async () => {
    const relay = await relayOf();
    const batch = await ownBatch(relay, { count: 1 });
    const lossy = counting(relay.submitter, () => {
      throw new SubmissionError("NO_RECEIPT", "no receipt of nonce 1: after 3 broadcasts");
    });
    await run({ ...relay, submitter: lossy }, openerStep);
    expect((await rowOf(relay, batch.id))?.open_error).to.contain("NO_RECEIPT");
    relay.clock.advance(20_000);
    await run(relay, openerStep);
    await run(relay, watcherStep);
    expect((await rowOf(relay, batch.id))?.on_ledger).to.equal(true);
    expect((await eventsAfter(relay.db, 0n, 10)).map(({ type }) => type)).to.deep.equal(["transfer.held"]);
  });

  it("opens once when it is killed after submitting and runs again", async () => {
    const relay = await relayOf();
    const batch = await ownBatch(relay, { count: 1 });
    relay.killAt("opener.submitted");
    expect(await failureOf(run(relay, openerStep))).to.be.instanceOf(Killed);
    expect(await rowOf(relay, batch.id)).to.deep.include({ open_due_at: 0n });
    await run(relay, openerStep);
    await run(relay, watcherStep);
    expect(await statusOf(relay, batch.id)).to.equal(BatchStatus.Open);
  });

  it("leaves one that is in a block to the watcher, however short the pauses are of what has failed", async () => {
    const settings = { retry: { firstDelayMs: 10, maxDelayMs: 50 } };
    const relay = await testRelay({ db: await open(), settings, clock: testClock(Date.now()) });
    await run(relay, watcherStep);
    await ownBatch(relay, { count: 1 });
    const submitter = counting(relay.submitter);
    for (let pass = 0; pass < 20; pass++) {
      await run({ ...relay, submitter }, openerStep);
      relay.clock.advance(100);
    }
    expect(submitter.calls).to.equal(1);
    // The watcher has not come to it for long: perhaps it is not there.
    relay.clock.advance(10_000);
    await run({ ...relay, submitter }, openerStep);
    expect(submitter.calls).to.equal(2);
  });

  it("lets new batches through while one hangs", async () => {
    const relay = await relayOf();
    const slow = await ownBatch(relay, { count: 1 });
    const held = Promise.withResolvers<undefined>();
    let calls = 0;
    const submitter: Submitter = {
      address: relay.submitter.address,
      async submit(call) {
        if (calls++ === 0) await held.promise;
        return relay.submitter.submit(call);
      },
    };
    const pass = run({ ...relay, submitter }, openerStep);
    const fast = await ownBatch(relay, { count: 1 });
    relay.wake("opener");
    await until(async () => (await statusOf(relay, fast.id)) === BatchStatus.Open);
    expect(await statusOf(relay, slow.id)).to.equal(BatchStatus.None);
    held.resolve(undefined);
    await pass;
    expect(await statusOf(relay, slow.id)).to.equal(BatchStatus.Open);
  });

  describe("gives a batch up", () => {
    const reserved = async ({ db }: TestRelay) =>
      (await db.query<{ sum: bigint }>("SELECT sum(reserved) AS sum FROM provider_quotes"))[0]?.sum;
    const isVoid = async (relay: TestRelay, id: string) => typeof (await rowOf(relay, id))?.voided_at === "bigint";
    /** A submitter whose node is away. */
    const away = (relay: TestRelay): TestRelay => ({
      ...relay,
      submitter: { address: relay.submitter.address, submit: () => Promise.reject(new Error("ECONNREFUSED")) },
    });

    it("once its quote has ended on the ledger as it was read, and not before", async () => {
      const relay = away(await relayOf());
      const batch = await ownBatch(relay, { count: 2, quoteValiditySeconds: 40 });
      const until = batch.header.quote.validUntil;
      await networkHelpers.time.setNextBlockTimestamp(until);
      await mine();
      await run(relay, watcherStep);
      await run(relay, openerStep);
      expect(await isVoid(relay, batch.id)).to.equal(false);
      await networkHelpers.time.setNextBlockTimestamp(until + 1);
      await mine();
      // The ledger is past it, but this relay has not read so far: the batch may be in that block.
      await run(relay, openerStep);
      expect(await isVoid(relay, batch.id)).to.equal(false);
      await run(relay, watcherStep);
      relay.woken.length = 0;
      await run(relay, openerStep);
      expect(await isVoid(relay, batch.id)).to.equal(true);
      const events = await eventsAfter(relay.db, 0n, 10);
      expect(events.map(({ type, uetr, batch: of, data }) => [type, uetr, of, data])).to.deep.equal(
        batch.transfers.map(({ uetr }) => ["transfer.failed", uetr, batch.id, { reason: "AB03" }]),
      );
      expect(await reserved(relay)).to.equal(0n);
      expect(relay.woken).to.include.members(["notifier", "batcher"]);
      await run(relay, openerStep);
      expect(await eventsAfter(relay.db, 0n, 10)).to.have.lengthOf(2);
    });

    it("once it has expired by ledger time, however far block time is", async () => {
      const relay = away(await relayOf());
      const batch = await ownBatch(relay, { count: 1, holdSeconds: 50 });
      // Nobody beats: ledger time stops at the grace of 30 s after the last beat.
      await networkHelpers.time.increase(200);
      await run(relay, watcherStep);
      await run(relay, openerStep);
      expect(await isVoid(relay, batch.id)).to.equal(false);
      const courier = await relay.sandbox.submitterOf({ kind: "courier" });
      for (let beats = 0; beats < 4; beats++) {
        await courier.submit(beatCall(relay.ledger));
        await networkHelpers.time.increase(20);
      }
      await run(relay, watcherStep);
      await run(relay, openerStep);
      expect(await isVoid(relay, batch.id)).to.equal(true);
    });

    it("never when it is on the ledger, even if that is all that it can be told by", async () => {
      const relay = await relayOf();
      const batch = await ownBatch(relay, { count: 1, quoteValiditySeconds: 40 });
      const courier = await relay.sandbox.submitterOf({ kind: "courier" });
      await courier.submit(openCall(relay.ledger, batch.header, batch.send, batch.quote));
      await passTime(relay, 100);
      await run(relay, watcherStep);
      await run(away(relay), openerStep);
      expect(await rowOf(relay, batch.id)).to.deep.include({ voided_at: null, on_ledger: true });
    });
  });
});
