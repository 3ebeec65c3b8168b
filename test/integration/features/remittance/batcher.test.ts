import { expect } from "chai";
import { batchId, exceedsRate } from "../../../../src/domain/batch.ts";
import { corridorId } from "../../../../src/domain/corridor.ts";
import { commitsTo } from "../../../../src/domain/payload.ts";
import { parseUetr } from "../../../../src/domain/uetr.ts";
import { openCall } from "../../../../src/ledger/calls.ts";
import { ledgerTimeAt } from "../../../../src/ledger/state.ts";
import { batcherStep } from "../../../../src/features/remittance/steps/batcher.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { ITS_BATCH } from "../../../../src/features/remittance/store/batch-ranges.ts";
import { transfersOfBatches } from "../../../../src/features/remittance/store/batch-transfers.ts";
import { batchesToOpen, voidBatch } from "../../../../src/features/remittance/store/batches.ts";
import { eventsAfter } from "../../../../src/kernel/store/events.ts";
import { countWaiting, waitingGroups } from "../../../../src/features/remittance/store/waiting-transfers.ts";
import { stepFaults } from "../../../../src/kernel/store/step-faults.ts";
import { cancelTransfer } from "../../../../src/features/remittance/store/transfers.ts";
import { FUNDS, HKD_TO_HKD, HKD_TO_PHP, networkHelpers } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { asGovernance } from "../../support/governance.ts";
import { failureOf, ownBatch } from "../../support/relay-batches.ts";
import {
  acceptTransfers,
  Killed,
  passTime,
  run,
  SETTINGS,
  standingQuote,
  testClock,
  testRelay,
  type TestRelay,
  type TestRelayOptions,
} from "../../support/relay-context.ts";
import { withdrawOne } from "../../support/submitting.ts";

describeOnBothDatabases("batcher", (open) => {
  /** A relay that has read the ledger. */
  async function relayOf(options: Omit<TestRelayOptions, "db"> = {}): Promise<TestRelay> {
    const relay = await testRelay({ db: await open(), ...options });
    await run(relay, watcherStep);
    relay.woken.length = 0;
    return relay;
  }

  const signed = ({ db }: TestRelay) => batchesToOpen(db, Number.MAX_SAFE_INTEGER, 100);

  interface Row {
    readonly uetr: string;
    readonly batch: Uint8Array | null;
    readonly ended: string | null;
    readonly ended_reason: string | null;
  }
  const rows = ({ db }: TestRelay) =>
    db.query<Row>(
      `SELECT t.uetr, r.batch, t.ended, t.ended_reason FROM transfers t ${ITS_BATCH} ORDER BY t.source_amount, t.seq`,
    );
  const reserved = async ({ db }: TestRelay, id: string) =>
    (
      await db.query<{ reserved: bigint }>("SELECT reserved FROM provider_quotes WHERE encode(id, 'hex') = $1", [
        id.slice(2),
      ])
    )[0]?.reserved;
  const batchSettings = (batch: Partial<typeof SETTINGS.batch>) => ({
    settings: { batch: { ...SETTINGS.batch, ...batch } },
  });

  it("signs what waits, so that the ledger takes it, and tells nobody before it is on disk", async () => {
    const relay = await relayOf();
    const quote = await standingQuote(relay);
    const transfers = await acceptTransfers(relay, 5, { quote });
    await run(relay, batcherStep);
    const [batch, ...others] = await signed(relay);
    if (batch === undefined) throw new Error("nothing was signed");
    expect(others).to.deep.equal([]);
    const { header } = batch;
    expect(batch.id).to.equal(batchId(header, relay.ledger.chain));
    expect(header).to.deep.include({ count: 5, quote: quote.quote, source: 7, target: 4 });
    const stored = (await transfersOfBatches(relay.db, [batch.id])).get(batch.id) ?? [];
    expect(new Set(stored.map(({ uetr }) => uetr))).to.deep.equal(new Set(transfers.map(({ uetr }) => uetr)));
    expect(commitsTo(header, stored)).to.equal(true);
    expect(header.expiresAt).to.equal((await ledgerTimeAt(relay.ledger, "latest")) + 300);
    await relay.submitter.submit(openCall(relay.ledger, header, batch.send, batch.quote));
    expect(relay.woken).to.include.members(["opener", "courier"]);
  });

  it("needs no quote where both currencies are the same", async () => {
    const relay = await relayOf();
    await acceptTransfers(relay, 2, { corridor: HKD_TO_HKD });
    await run(relay, batcherStep);
    const [batch] = await signed(relay);
    if (batch === undefined) throw new Error("nothing was signed");
    await relay.submitter.submit(openCall(relay.ledger, batch.header, batch.send, batch.quote));
  });

  it("closes a batch when it is full, or after its time, whichever is first", async () => {
    // Nothing but the test makes time pass: the first batch is on its way for as long as it says.
    const options = { ...batchSettings({ maxTransfers: 3, maxDelayMs: 400 }), clock: testClock(Date.now()) };
    const relay = await relayOf(options);
    const quote = await standingQuote(relay);
    await acceptTransfers(relay, 4, { quote });
    await run(relay, batcherStep);
    expect((await signed(relay)).map(({ header }) => header.count)).to.deep.equal([3]);
    relay.woken.length = 0;
    expect(await batcherStep(relay)).to.equal(false);
    expect(relay.woken).to.deep.equal(["batcher"]);
    relay.clock.advance(400);
    await run(relay, batcherStep);
    expect((await signed(relay)).map(({ header }) => header.count)).to.deep.equal([3, 1]);
  });

  it("has nobody wait for others while no batch is on its way, and again once it is there", async () => {
    const options = { ...batchSettings({ maxDelayMs: 60_000 }), clock: testClock(Date.now()) };
    const relay = await relayOf(options);
    const quote = await standingQuote(relay);
    await acceptTransfers(relay, 1, { quote });
    await run(relay, batcherStep);
    const [first, ...others] = await signed(relay);
    expect([first?.header.count, others]).to.deep.equal([1, []]);
    await acceptTransfers(relay, 2, { quote });
    await run(relay, batcherStep);
    expect(await signed(relay)).to.have.lengthOf(1);
    await relay.db.query("UPDATE batches SET on_ledger = true");
    await run(relay, batcherStep);
    expect((await signed(relay)).map(({ header }) => header.count)).to.deep.equal([2]);
  });

  it("has nobody wait for what was signed, or taken in, by a clock that has been set back since", async () => {
    const relay = await relayOf({ ...batchSettings({ maxDelayMs: 60_000 }), clock: testClock(Date.now()) });
    // By the clock that is an hour ahead as well.
    const quote = await standingQuote(relay, { validUntil: (await networkHelpers.time.latest()) + 7_200 });
    const counts = async () => (await signed(relay)).map(({ header }) => header.count);
    relay.clock.advance(3_600_000);
    await acceptTransfers(relay, 1, { quote });
    await run(relay, batcherStep);
    await acceptTransfers(relay, 2, { quote });
    relay.clock.advance(-3_600_000);
    await run(relay, batcherStep);
    expect(await counts()).to.have.members([1, 2]);
    // What has just been signed is on its way; nobody knows how long these have waited.
    relay.clock.advance(3_600_000);
    await acceptTransfers(relay, 3, { quote });
    relay.clock.advance(-3_600_000);
    await run(relay, batcherStep);
    expect(await counts()).to.have.members([1, 2, 3]);
  });

  it("lets the next batch grow while two are on their way to the ledger, but not for long", async () => {
    // Nothing but the test makes time pass: however slow the machine is, no batch has waited for long.
    const relay = await relayOf({ clock: testClock(Date.now()) });
    const quote = await standingQuote(relay);
    const accept = async () => {
      await acceptTransfers(relay, 1, { quote });
      relay.clock.advance(20);
      await run(relay, batcherStep);
    };
    for (let count = 0; count < 5; count++) await accept();
    const counts = async () => (await signed(relay)).map(({ header }) => header.count);
    expect(await counts()).to.deep.equal([1, 1]);
    relay.clock.advance(500);
    await run(relay, batcherStep);
    expect(await counts()).to.have.members([1, 1, 3]);
  });

  it("keeps corridors and quotes apart, and a batch below the corridor's limit", async () => {
    const relay = await relayOf();
    const [one, two] = [await standingQuote(relay), await standingQuote(relay, { nonce: 2n, rateNumerator: 700n })];
    await acceptTransfers(relay, 2, { quote: one });
    await acceptTransfers(relay, 1, { quote: two });
    await acceptTransfers(relay, 1, { corridor: HKD_TO_HKD });
    // Two of them are above the limit for one batch, a billion.
    await acceptTransfers(relay, 3, { quote: one, amount: 600_000_000n });
    await run(relay, batcherStep);
    relay.clock.advance(1_000);
    await run(relay, batcherStep);
    const batches = (await signed(relay)).map(({ header }) => [header.count, header.quote.nonce, header.sourceTotal]);
    expect(batches).to.have.deep.members([
      [3, 1n, 21_234n + 600_000_000n],
      [1, 1n, 600_000_000n],
      [1, 1n, 600_000_000n],
      [1, 2n, 10_000n],
      [1, 0n, 10_000n],
    ]);
  });

  it("takes what the money reaches for: fails what may not wait, and lets the rest wait", async () => {
    const relay = await relayOf();
    const quote = await standingQuote(relay, { capacity: 10n ** 13n });
    await drain(relay, 100_000n);
    await acceptTransfers(relay, 1, { quote, amount: 60_000n, ifUnfunded: "wait" });
    await acceptTransfers(relay, 1, { quote, amount: 70_000n, ifUnfunded: "wait" });
    await acceptTransfers(relay, 1, { quote, amount: 80_000n, ifUnfunded: "fail" });
    await acceptTransfers(relay, 1, { quote, amount: 39_000n });
    await run(relay, batcherStep);
    expect(
      (await rows(relay)).map(({ batch, ended, ended_reason }) => [batch !== null, ended, ended_reason]),
    ).to.deep.equal([
      [true, null, null],
      [true, null, null],
      [false, null, null],
      [false, "failed", "AM04"],
    ]);
    const events = await eventsAfter(relay.db, 0n, 10);
    expect(events.map(({ type, data }) => [type, data])).to.deep.equal([["transfer.failed", { reason: "AM04" }]]);
    // What has failed gives back what it had reserved of the quote.
    const [{ sum } = { sum: 0n }] = await relay.db.query<{ sum: bigint }>(
      "SELECT sum(target_amount) AS sum FROM transfers WHERE ended IS NULL",
    );
    expect(await reserved(relay, quote.id)).to.equal(sum);
  });

  it("counts the money of signed batches as spent until they are on the ledger", async () => {
    const relay = await relayOf();
    await drain(relay, 100_000n);
    const first = await ownBatch(relay, { count: 1, amount: 60_000n });
    const quote = await standingQuote(relay);
    await acceptTransfers(relay, 1, { quote, amount: 50_000n, ifUnfunded: "wait" });
    await run(relay, batcherStep);
    expect(await signed(relay)).to.have.lengthOf(1);
    await relay.submitter.submit(openCall(relay.ledger, first.header, first.send, first.quote));
    await run(relay, watcherStep);
    await run(relay, batcherStep);
    // Now it is held, which is as good as spent.
    expect(await signed(relay)).to.deep.equal([]);
    await acceptTransfers(relay, 1, { quote, amount: 39_900n });
    await run(relay, batcherStep);
    expect((await signed(relay)).map(({ header }) => header.sourceTotal)).to.deep.equal([39_900n]);
  });

  it("fails what has waited for money until its time was over", async () => {
    const relay = await relayOf();
    const quote = await standingQuote(relay, { validUntil: 2 ** 40, capacity: 10n ** 15n });
    await acceptTransfers(relay, 1, { quote, amount: FUNDS, ifUnfunded: "wait", validityMs: 5_000 });
    await run(relay, batcherStep);
    expect((await rows(relay))[0]?.ended).to.equal(null);
    relay.clock.advance(5_000);
    await run(relay, batcherStep);
    expect((await rows(relay))[0]).to.deep.include({ ended: "failed", ended_reason: "AM04", batch: null });
    expect(await reserved(relay, quote.id)).to.equal(0n);
    expect(relay.woken).to.include("notifier");
  });

  it("fails nobody whose time is over by a clock that is wrong, and goes on signing", async () => {
    const relay = await relayOf();
    const quote = await standingQuote(relay, { validUntil: 2 ** 40, capacity: 10n ** 15n });
    await acceptTransfers(relay, 1, { quote, amount: FUNDS, ifUnfunded: "wait", validityMs: 5_000 });
    await acceptTransfers(relay, 1, { quote, amount: 10_000n, validityMs: 5_000 });
    relay.clock.advance(600_000);
    const now = () => ({ aheadMs: 600_000, by: "ledger", isBeyond: true }) as const;
    const wrong = { ...relay, clockSkew: { ...relay.clockSkew, now } };
    await run(wrong, batcherStep);
    expect((await rows(relay)).map(({ batch, ended }) => [batch !== null, ended])).to.deep.equal([
      [true, null],
      [false, null],
    ]);
    await run(relay, batcherStep);
    expect((await rows(relay))[1]).to.deep.include({ ended: "failed", ended_reason: "AM04" });
  });

  it("does nothing before it knows how much money there is", async () => {
    const relay = await testRelay({ db: await open() });
    await acceptTransfers(relay, 1, { corridor: HKD_TO_HKD });
    await run(relay, batcherStep);
    expect((await rows(relay))[0]).to.deep.include({ batch: null, ended: null });
  });

  it("signs nothing on a quote that is not there", async () => {
    const relay = await relayOf();
    await acceptTransfers(relay, 2, { quote: await standingQuote(relay) });
    await relay.db.query("DELETE FROM provider_quotes");
    await run(relay, batcherStep);
    expect(await signed(relay)).to.deep.equal([]);
    expect(await countWaiting(relay.db)).to.equal(2);
    const [fault] = (await stepFaults(relay.db, "batcher")).values();
    expect(fault?.error).to.contain("is gone");
  });

  it("counts what waits as it comes and goes, whoever has counted it before", async () => {
    const relay = await relayOf();
    const [{ db }, quote] = [relay, await standingQuote(relay)];
    const waits = async () => {
      const [sums] = await db.query<{ transfers: bigint; source: bigint; target: bigint }>(
        `SELECT coalesce(sum(transfers), 0)::bigint AS transfers, coalesce(sum(source_minor), 0) AS source,
           coalesce(sum(target_minor), 0) AS target FROM waiting_sums`,
      );
      const [rows] = await db.query<{ transfers: bigint; source: bigint; target: bigint }>(
        `SELECT count(*) AS transfers, coalesce(sum(source_amount + fee), 0) AS source,
           coalesce(sum(target_amount), 0) AS target
         FROM transfers t ${ITS_BATCH} WHERE r.batch IS NULL AND t.ended IS NULL`,
      );
      expect(sums).to.deep.equal(rows);
      return sums?.transfers;
    };
    const accepted = await acceptTransfers(relay, 12, { quote });
    expect(await waits()).to.equal(12n);
    const [first] = accepted;
    if (first === undefined) throw new Error("none was accepted");
    await db.transaction((tx) => cancelTransfer(tx, first.uetr, relay.clock.nowMs()));
    await db.query("UPDATE transfers SET sealed = NULL WHERE uetr = $1::uuid", [first.uetr]);
    expect(await waits()).to.equal(11n);
    await acceptTransfers(relay, 3, { corridor: HKD_TO_HKD });
    expect(await waits()).to.equal(14n);
    const groups = await waitingGroups(db, 5);
    expect(groups.map(({ quote: of, count }) => [of, count])).to.have.deep.members([
      [quote.id, 5],
      [undefined, 3],
    ]);
    await run(relay, batcherStep);
    expect(await waits()).to.equal(0n);
    const [batch] = await signed(relay);
    await db.query("UPDATE batches SET provider_fault = 'it has no money'");
    if (batch !== undefined) await db.transaction((tx) => voidBatch(tx, batch.id, false, relay.clock.nowMs()));
    expect(await waits()).to.be.oneOf([1n, 3n, 10n]);
    await db.query("WITH gone AS (DELETE FROM waiting) DELETE FROM transfers");
    expect(await waits()).to.equal(0n);
  });

  describe("when the quote ends", () => {
    it("moves transfers to one that gives them what was promised, with what they reserve", async () => {
      const relay = await relayOf();
      const old = await standingQuote(relay, { validUntil: (await networkHelpers.time.latest()) + 5 });
      const transfers = await acceptTransfers(relay, 3, { quote: old });
      const worse = await standingQuote(relay, { nonce: 2n, rateNumerator: 724n });
      const small = await standingQuote(relay, { nonce: 3n, capacity: 100n });
      const better = await standingQuote(relay, { nonce: 4n, rateNumerator: 726n });
      await run(relay, batcherStep);
      const [batch] = await signed(relay);
      expect(batch?.header.quote).to.deep.equal(better.quote);
      const promised = transfers.reduce((sum, { targetAmount }) => sum + targetAmount, 0n);
      expect(batch?.header.targetTotal).to.equal(promised);
      const all = await Promise.all([old, worse, small, better].map(({ id }) => reserved(relay, id)));
      expect(all).to.deep.equal([0n, 0n, 0n, promised]);
      if (batch === undefined) throw new Error("nothing was signed");
      expect(exceedsRate(batch.header, batch.header.sourceTotal, batch.header.targetTotal)).to.equal(false);
      await relay.submitter.submit(openCall(relay.ledger, batch.header, batch.send, batch.quote));
    });

    it("goes on with one that is about to end, rather than with none", async () => {
      const relay = await relayOf();
      const now = Math.floor(relay.clock.nowMs() / 1_000);
      const quote = await standingQuote(relay, { validUntil: Math.max(now, await networkHelpers.time.latest()) + 5 });
      await acceptTransfers(relay, 1, { quote });
      await run(relay, batcherStep);
      expect(await signed(relay)).to.have.lengthOf(1);
      expect(relay.woken).to.include("pricing");
    });

    it("lets them wait for another, and fails them when their time is over", async () => {
      const relay = await relayOf();
      const quote = await standingQuote(relay, { validUntil: await networkHelpers.time.latest() });
      await passTime(relay, 60);
      await acceptTransfers(relay, 1, { quote, validityMs: 30_000 });
      await run(relay, batcherStep);
      expect((await rows(relay))[0]).to.deep.include({ batch: null, ended: null });
      expect(relay.woken).to.include("pricing");
      relay.clock.advance(30_000);
      await run(relay, batcherStep);
      expect((await rows(relay))[0]).to.deep.include({ batch: null, ended: "failed", ended_reason: "AB04" });
    });
  });

  it("waits where the corridor is closed, or its day is over", async () => {
    const relay = await relayOf();
    const terms = { open: true, feeBps: 5n, maxPerBatch: 50_000n, maxPerDay: 50_000n };
    const args = [corridorId(HKD_TO_PHP), 1, terms];
    await asGovernance(relay.sandbox, "risk", "corridorBook", "setCorridor", args);
    // Blocks are what the watcher has seen of them.
    await run(relay, watcherStep);
    const quote = await standingQuote(relay);
    await acceptTransfers(relay, 2, { quote, amount: 30_000n });
    await run(relay, batcherStep);
    expect((await signed(relay)).map(({ header }) => header.sourceTotal)).to.deep.equal([30_000n]);
    await run(relay, batcherStep);
    expect(await signed(relay)).to.have.lengthOf(1);
    await asGovernance(relay.sandbox, "guardian", "corridorBook", "closeCorridor", [corridorId(HKD_TO_PHP)]);
    await run(relay, watcherStep);
    await acceptTransfers(relay, 1, { quote, amount: 10_000n });
    await run(relay, batcherStep);
    expect(await signed(relay)).to.have.lengthOf(1);
  });

  it("leaves out what is cancelled while it signs", async () => {
    const relay = await relayOf();
    const quote = await standingQuote(relay);
    const transfers = await acceptTransfers(relay, 3, { quote });
    const cancelled = transfers[1]?.uetr;
    if (cancelled === undefined) throw new Error("there are three");
    let isFirst = true;
    const send: typeof relay.keys.send = {
      ...relay.keys.send,
      async sign(message) {
        if (isFirst) await cancelTransfer(relay.db, cancelled, relay.clock.nowMs());
        isFirst = false;
        return relay.keys.send.sign(message);
      },
    };
    await run({ ...relay, keys: { ...relay.keys, send } }, batcherStep);
    expect(await signed(relay)).to.deep.equal([]);
    expect(relay.woken).to.deep.equal(["batcher"]);
    await run(relay, batcherStep);
    expect((await signed(relay)).map(({ header }) => header.count)).to.deep.equal([2]);
    expect(await cancelTransfer(relay.db, parseUetr(transfers[0]?.uetr ?? ""), relay.clock.nowMs())).to.equal(false);
  });

  for (const [point, batches] of [
    ["batch.signed", 0],
    ["batcher.stored", 1],
  ] as const) {
    it(`has each transfer in one batch when it is killed at ${point} and runs again`, async () => {
      const relay = await relayOf();
      const quote = await standingQuote(relay);
      await acceptTransfers(relay, 3, { quote });
      relay.killAt(point);
      expect(await failureOf(run(relay, batcherStep))).to.be.instanceOf(Killed);
      expect(await signed(relay)).to.have.lengthOf(batches);
      await run(relay, batcherStep);
      const [batch, ...others] = await signed(relay);
      expect([batch?.header.count, others]).to.deep.equal([3, []]);
    });
  }

  /** Leaves so much HKD available. */
  async function drain(relay: TestRelay, left: bigint): Promise<void> {
    const { to } = withdrawOne(relay.sandbox);
    const amount = FUNDS - left;
    const data = relay.ledger.treasury.interface.encodeFunctionData("withdraw", [
      7,
      344,
      amount,
      relay.submitter.address,
    ]);
    await relay.submitter.submit({ to, data: data as `0x${string}` }); // encodes to hexadecimal
    await run(relay, watcherStep);
    relay.woken.length = 0;
  }
});
