import { readSignedQuote } from "../../../../src/features/pricing/store/provider-quotes.ts";
import { readBalances } from "../../../../src/features/liquidity/store.ts";
import { expect } from "chai";
import { fromHex, toHex } from "../../../../src/domain/bytes/hex.ts";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { transferLeaf } from "../../../../src/domain/transfer.ts";
import { cancelQuoteCall, expireCall, openCall } from "../../../../src/ledger/calls.ts";
import { isFatal } from "../../../../src/kernel/steps/loop.ts";
import type { Metrics } from "../../../../src/kernel/telemetry/metrics.ts";
import { ForkDetected, watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { nothingWatched } from "../../../../src/features/remittance/watched.ts";
import { unknownSignatureAlarms } from "../../../../src/features/remittance/unknown-signatures.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { eventsAfter } from "../../../../src/kernel/store/events.ts";
import { readCursor } from "../../../../src/features/remittance/store/ledger-projection.ts";
import { makeBatch, makeSettlement, type OpenableBatch } from "../../../support/batches.ts";
import { runPastExpiry } from "../../support/chain.ts";
import type { Refusals } from "../../../support/transfers.ts";
import {
  ALIPAY_HK,
  CNY_TO_PHP,
  FUNDS,
  fundedLedger,
  GCASH,
  HKD_TO_HKD,
  HUB,
  networkHelpers,
  provider,
  PROVIDER,
} from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { secondModule } from "../../support/governance.ts";
import { withMethods } from "../../support/provider.ts";
import { failureOf, ownBatch } from "../../support/relay-batches.ts";
import { Killed, run, SETTINGS, standingQuote, testRelay, type TestRelay } from "../../support/relay-context.ts";
import { mine, withdrawOne } from "../../support/submitting.ts";
import { holdOf, releaseOf } from "../../../support/movements.ts";

const HKD = parseCurrency("HKD").code;

describeOnBothDatabases("watcher", (open) => {
  it("has the own balances from the first block that it reads to the end, and then its cursor there", async () => {
    const relay = await testRelay({ db: await open() });
    await run(relay, watcherStep);
    const latest = await provider.getBlock("latest");
    expect(await readCursor(relay.db)).to.deep.equal({
      block: latest?.number,
      hash: latest?.hash,
      timeSeconds: latest?.timestamp,
    });
    const balances = await readBalances(relay.db);
    expect(balances.map(({ currency, available }) => [currency, available])).to.deep.equal([
      ["CNY", 0n],
      ["HKD", FUNDS],
      ["PHP", 0n],
    ]);
    expect(relay.woken).to.include("batcher");
    relay.woken.length = 0;
    expect(await watcherStep(relay)).to.equal(false);
    expect(relay.woken).to.deep.equal([]);
  });

  it("reads money that it does not know without waiting for a block, once it has been started again", async () => {
    const relay = await testRelay({ db: await open() });
    await run(relay, watcherStep);
    const before = await readBalances(relay.db);
    await relay.db.query("DELETE FROM balances WHERE currency = 'HKD'");
    await run({ ...relay, watched: nothingWatched() }, watcherStep);
    expect(await readBalances(relay.db)).to.deep.equal(before);
  });

  it("knows the own money, whichever module moves it", async () => {
    const sandbox = await fundedLedger();
    const module = await secondModule(sandbox);
    const source = await testRelay({ db: await open(), sandbox });
    const target = await testRelay({ db: await open(), sandbox, partner: GCASH });
    const ofHkd = async ({ db }: TestRelay) => {
      const hkd = (await readBalances(db)).find(({ currency }) => currency === "HKD");
      return [hkd?.available, hkd?.held];
    };
    const follow = async () => {
      for (const relay of [source, target]) await run(relay, watcherStep);
    };
    await follow();
    const [before] = await ofHkd(target);
    await module("hold", [holdOf(ALIPAY_HK, 344, 5_000n)]);
    await follow();
    expect(await ofHkd(source)).to.deep.equal([FUNDS - 5_000n, 5_000n]);
    await module("release", [releaseOf(ALIPAY_HK, GCASH, 344, 2_000n)]);
    await module("release", [releaseOf(ALIPAY_HK, ALIPAY_HK, 344, 1_000n)]);
    await follow();
    expect(await ofHkd(source)).to.deep.equal([FUNDS - 4_000n, 2_000n]);
    expect(await ofHkd(target)).to.deep.equal([(before ?? 0n) + 2_000n, 0n]);
  });

  it("reads in ranges with the same result, and does not ask for balances of blocks long past", async () => {
    const sandbox = await fundedLedger();
    const opened = await makeBatch(sandbox);
    await (await sandbox.submitterOf({ kind: "courier" })).submit(opened.open);
    const asked: unknown[] = [];
    const treasury = new Proxy(sandbox.ledger.treasury, {
      get(target, name) {
        if (name !== "balanceOf") return Reflect.get(target, name) as unknown;
        return (partner: number, currency: number, at: { readonly blockTag: number }) => {
          asked.push(at.blockTag);
          return target.balanceOf(partner, currency, at);
        };
      },
    });
    const slow = await testRelay({
      db: await open(),
      sandbox,
      ledger: { ...sandbox.ledger, treasuries: new Map([[sandbox.ledger.addresses.treasury, treasury]]) },
      settings: { ledger: { ...SETTINGS.ledger, maxBlockRange: 3 } },
    });
    const fast = await testRelay({ db: await open(), sandbox });
    await run(slow, watcherStep);
    await run(fast, watcherStep);
    expect(await everything(slow)).to.deep.equal(await everything(fast));
    expect(new Set(asked)).to.deep.equal(new Set([await provider.getBlockNumber()]));
  });

  it("writes every partner's batches with what ended them", async () => {
    const sandbox = await fundedLedger();
    const relay = await testRelay({ db: await open(), sandbox, partner: GCASH });
    const courier = await sandbox.submitterOf({ kind: "courier" });
    const settled = await makeBatch(sandbox, { seed: "settled" });
    const rejected = await makeBatch(sandbox, { corridor: CNY_TO_PHP, seed: "rejected", count: 2 });
    const expired = await makeBatch(sandbox, { corridor: HKD_TO_HKD, seed: "expired" });
    for (const batch of [settled, rejected, expired]) await courier.submit(batch.open);
    await run(relay, watcherStep);
    expect((await batches(relay)).map(({ status }) => status)).to.deep.equal(["open", "open", "open"]);
    expect(relay.woken).to.include("responder");

    const refusals: Refusals = { 1: "AC03" };
    await courier.submit(await makeSettlement(sandbox, settled, refusals));
    await courier.submit(await makeSettlement(sandbox, rejected, { 0: "AC04", 1: "AC06" }));
    await runPastExpiry(sandbox, expired);
    await courier.submit(expireCall(sandbox.ledger, expired.header));
    relay.woken.length = 0;
    await run(relay, watcherStep);
    const rows = new Map((await batches(relay)).map((row) => [row.id, row]));
    expect(rows.get(settled.id)?.status).to.equal("settled");
    const [, refused] = settled.transfers;
    if (refused === undefined) throw new Error("it has three transfers");
    expect(rows.get(settled.id)?.rejected).to.deep.equal([{ leaf: toHex(transferLeaf(refused)), code: "0x41433033" }]);
    expect(rows.get(rejected.id)?.status).to.equal("rejected");
    expect(rows.get(rejected.id)?.rejected).to.have.lengthOf(2);
    expect(rows.get(expired.id)?.status).to.equal("expired");
    expect(relay.woken).to.include.members(["crediter", "settler", "batcher"]);
    const target = await readBalances(relay.db);
    expect(target.find(({ currency }) => currency === "PHP")?.available).to.equal(
      settled.header.targetTotal - refused.targetAmount,
    );
    // What happens to others' transfers is none of this relay's events; that it was settled without its relay is.
    expect((await eventsAfter(relay.db, 0n, 100)).map(({ type }) => type)).to.deep.equal(["signature.unknown"]);
  });

  it("tells what became of each own transfer, in the ledger's order, with the reason", async () => {
    const relay = await testRelay({ db: await open() });
    const { sandbox } = relay;
    const mixed = await ownBatch(relay, { count: 3 });
    const late = await ownBatch(relay, { count: 1 });
    const courier = await sandbox.submitterOf({ kind: "courier" });
    for (const { header, send, quote } of [mixed, late]) {
      await courier.submit(openCall(sandbox.ledger, header, send, quote));
    }
    await courier.submit(await makeSettlement(sandbox, mixed, { 1: "BE06" }));
    await runPastExpiry(sandbox, late);
    const receipt = await courier.submit(expireCall(sandbox.ledger, late.header));
    await run(relay, watcherStep);
    const events = await eventsAfter(relay.db, 0n, 100);
    const uetrs = mixed.transfers.map(({ uetr }) => uetr);
    const last = late.transfers[0]?.uetr;
    expect(events.map(({ type, uetr }) => [type, uetr])).to.deep.equal([
      ...uetrs.map((uetr) => ["transfer.held", uetr]),
      ["transfer.held", last],
      ["transfer.settled", uetrs[0]],
      ["transfer.rejected", uetrs[1]],
      ["transfer.settled", uetrs[2]],
      ["transfer.expired", last],
    ]);
    expect(events[5]?.data).to.include({ reason: "BE06", code: "0x42453036" });
    expect(events[7]).to.deep.include({
      batch: late.id,
      // What follows it is the refunds.
      ledger: { block: receipt.blockNumber, logIndex: receipt.logs.length - 3 },
    });
    expect(events[7]?.data).to.include({ reason: "AB03", transaction: receipt.hash });
    expect(relay.woken).to.include("notifier");
    const counted = await relay.metrics.transfersEnded.get();
    expect(counted.values.map(({ labels, value }) => [labels.status, value])).to.have.deep.members([
      ["settled", 2],
      ["rejected", 1],
      ["expired", 1],
    ]);
  });

  for (const point of ["watcher.read", "watcher.written"]) {
    it(`writes everything once when it is killed at ${point} and runs again`, async () => {
      const relay = await testRelay({ db: await open() });
      const batch = await ownBatch(relay, { count: 2 });
      const courier = await relay.sandbox.submitterOf({ kind: "courier" });
      await courier.submit(openCall(relay.ledger, batch.header, batch.send, batch.quote));
      relay.killAt(point);
      expect(await failureOf(run(relay, watcherStep))).to.be.instanceOf(Killed);
      await run(relay, watcherStep);
      await run(relay, watcherStep);
      expect((await eventsAfter(relay.db, 0n, 100)).map(({ type }) => type)).to.deep.equal([
        "transfer.held",
        "transfer.held",
      ]);
      expect(await batches(relay)).to.have.lengthOf(1);
    });
  }

  it("leaves a range to whoever wrote it first, of two processes that read it", async () => {
    const db = await open();
    const first = await testRelay({ db });
    const batch = await ownBatch(first, { count: 1 });
    await (
      await first.sandbox.submitterOf({ kind: "courier" })
    ).submit(openCall(first.ledger, batch.header, batch.send, batch.quote));
    const second = await testRelay({ db, sandbox: first.sandbox });
    await Promise.all([run(first, watcherStep), run(second, watcherStep)]);
    expect(await eventsAfter(db, 0n, 100)).to.have.lengthOf(1);
  });

  it("stays behind the latest block by as many as are to confirm one", async () => {
    const relay = await testRelay({ db: await open(), settings: { ledger: { ...SETTINGS.ledger, confirmations: 2 } } });
    await run(relay, watcherStep);
    expect((await readCursor(relay.db))?.block).to.equal((await provider.getBlockNumber()) - 2);
    await mine();
    await run(relay, watcherStep);
    expect((await readCursor(relay.db))?.block).to.equal((await provider.getBlockNumber()) - 2);
  });

  it("stops for good when the history that it has read is another one", async () => {
    const relay = await testRelay({ db: await open() });
    const snapshot = await networkHelpers.takeSnapshot();
    await mine();
    await run(relay, watcherStep);
    const before = await readCursor(relay.db);
    await snapshot.restore();
    expect(await watcherStep(relay)).to.equal(false);
    // A node that is behind is no fork; one with another block at the same height is.
    await networkHelpers.time.increase(1_000);
    await mine();
    const failure = await failureOf(watcherStep(relay));
    expect(failure).to.be.instanceOf(ForkDetected);
    expect(isFatal(failure)).to.equal(true);
    expect(await readCursor(relay.db)).to.deep.equal(before);
    expect((await relay.metrics.forkDetected.get()).values[0]?.value).to.equal(1);
  });

  it("reads nothing from a node that does not have the blocks, and loses nothing of what it has later", async () => {
    const sandbox = await fundedLedger();
    let isBehind = false;
    const flaky = withMethods(provider, {
      getBlock: (tag, full) =>
        isBehind && typeof tag === "number" ? Promise.resolve(null) : provider.getBlock(tag, full),
      getLogs: (filter) => (isBehind ? Promise.resolve([]) : provider.getLogs(filter)),
    });
    const settings = { ledger: { ...SETTINGS.ledger, maxBlockRange: 7 } };
    const relay = await testRelay({
      db: await open(),
      sandbox,
      ledger: { ...sandbox.ledger, provider: flaky },
      settings,
    });
    const opened = await makeBatch(sandbox);
    await (await sandbox.submitterOf({ kind: "courier" })).submit(opened.open);
    isBehind = true;
    expect((await failureOf(watcherStep(relay))).message).to.contain("does not have block");
    expect(await readCursor(relay.db)).to.equal(undefined);
    isBehind = false;
    await run(relay, watcherStep);
    expect(await batches(relay)).to.have.lengthOf(1);
  });

  it("follows money that moves without batches", async () => {
    const relay = await testRelay({ db: await open() });
    await run(relay, watcherStep);
    await relay.submitter.submit(withdrawOne(relay.sandbox));
    await run(relay, watcherStep);
    const hkd = (await readBalances(relay.db)).find(({ currency }) => currency === HKD);
    expect([hkd?.available, hkd?.held]).to.deep.equal([FUNDS - 1n, 0n]);
  });

  it("credits the hub with its fees", async () => {
    const sandbox = await fundedLedger();
    const hub = await testRelay({ db: await open(), sandbox, partner: HUB });
    await run(hub, watcherStep);
    const batch = await makeBatch(sandbox);
    const courier = await sandbox.submitterOf({ kind: "courier" });
    await courier.submit(batch.open);
    await courier.submit(await makeSettlement(sandbox, batch));
    await run(hub, watcherStep);
    const hkd = (await readBalances(hub.db)).find(({ currency }) => currency === HKD);
    expect(hkd?.available).to.equal(batch.header.fee);
  });

  describe("a signature of its partner's that it does not know", () => {
    const alarms = async ({ db }: { readonly db: Database }) =>
      (await eventsAfter(db, 0n, 100))
        .filter(({ type }) => type === "signature.unknown")
        .map(({ batch, data: { call, why, count, batches } }) => ({ batch, call, why, count, batches }));
    const shown = async ({ metrics }: { readonly metrics: Metrics }, call: string) =>
      (await metrics.unknownSignatures.get()).values.find(({ labels }) => labels.call === call)?.value;

    it("under a batch that was opened is an alarm, an event and a metric; for a day, whoever asks", async () => {
      const sandbox = await fundedLedger();
      const relay = await testRelay({ db: await open(), sandbox });
      await run(relay, watcherStep);
      expect([await alarms(relay), await shown(relay, "open")]).to.deep.equal([[], 0]);
      const stolen = [await makeBatch(sandbox, { seed: "one" }), await makeBatch(sandbox, { seed: "two" })];
      const courier = await sandbox.submitterOf({ kind: "courier" });
      for (const batch of stolen) await courier.submit(batch.open);
      // Another partner's is none of this relay's business.
      await courier.submit((await makeBatch(sandbox, { corridor: CNY_TO_PHP, seed: "other" })).open);
      await run(relay, watcherStep);
      const ids = stolen.map(({ id }) => id);
      expect(await alarms(relay)).to.deep.equal([
        { batch: ids[0], call: "open", why: "not signed here", count: 2, batches: ids },
      ]);
      expect([await shown(relay, "open"), await shown(relay, "settle")]).to.deep.equal([2, 0]);
      expect(relay.woken).to.include("notifier");

      const restarted = await testRelay({ db: relay.db, sandbox });
      await run(restarted, watcherStep);
      expect(await shown(restarted, "open")).to.equal(2);
      const [alarm] = await unknownSignatureAlarms(restarted);
      expect(alarm?.detail).to.match(/2 of open$/);
      const tomorrow = { db: relay.db, clock: { ...relay.clock, nowMs: () => relay.clock.nowMs() + 86_400_001 } };
      expect(await unknownSignatureAlarms(tomorrow)).to.deep.equal([]);
    });

    it("is not seen under its own batches; but under one that it has given up", async () => {
      const relay = await testRelay({ db: await open() });
      const courier = await relay.sandbox.submitterOf({ kind: "courier" });
      const openOf = async (own: TestRelay) => {
        const { id, header, send, quote } = await ownBatch(own, { count: 1 });
        return { id, call: openCall(own.ledger, header, send, quote) };
      };
      const { id, call } = await openOf(relay);
      await relay.db.query("UPDATE batches SET voided_at = 1 WHERE id = $1", [fromHex(id)]);
      await courier.submit(call);
      await run(relay, watcherStep);
      expect((await alarms(relay)).map(({ batch, why }) => [batch, why])).to.deep.equal([[id, "given up here"]]);
      const other = await testRelay({ db: await open() });
      await (await other.sandbox.submitterOf({ kind: "courier" })).submit((await openOf(other)).call);
      await run(other, watcherStep);
      expect(await alarms(other)).to.deep.equal([]);
    });

    it("under a settlement is one, where it has decided nothing, and where it has decided otherwise", async () => {
      const sandbox = await fundedLedger();
      const relay = await testRelay({ db: await open(), sandbox, partner: GCASH });
      const courier = await sandbox.submitterOf({ kind: "courier" });
      const decided = async (seed: string, reasons: readonly string[] | undefined): Promise<OpenableBatch> => {
        const batch = await makeBatch(sandbox, { seed });
        await courier.submit(batch.open);
        if (reasons === undefined) return batch;
        await relay.db.query("INSERT INTO payloads (batch, source, received_at) VALUES ($1, 7, 1)", [
          fromHex(batch.id),
        ]);
        const rejections = reasons.map((reason, index) => ({ uetr: batch.transfers[index]?.uetr, reason }));
        await relay.db.query(
          "INSERT INTO decisions (batch, rejections, signature, decided_at) VALUES ($1, $2::jsonb, '{}', 1)",
          [fromHex(batch.id), JSON.stringify(rejections)],
        );
        return batch;
      };
      const as = await decided("as decided", ["AC03", "AC04"]);
      const unasked = await decided("nothing decided", undefined);
      const more = await decided("fewer rejected", []);
      const other = await decided("another reason", ["AC03"]);
      await courier.submit(await makeSettlement(sandbox, as, { 0: "AC03", 1: "AC04" }));
      await courier.submit(await makeSettlement(sandbox, unasked));
      await courier.submit(await makeSettlement(sandbox, more, { 1: "AC03" }));
      await courier.submit(await makeSettlement(sandbox, other, { 0: "AC04" }));
      await run(relay, watcherStep);
      expect(await alarms(relay)).to.deep.equal([
        {
          ...{ batch: unasked.id, call: "settle", why: "not decided here", count: 3 },
          batches: [unasked.id, more.id, other.id],
        },
      ]);
      expect([await shown(relay, "open"), await shown(relay, "settle")]).to.deep.equal([0, 3]);
    });
  });

  it("takes a quote that its provider has withdrawn for one that has ended", async () => {
    const relay = await testRelay({ db: await open() });
    const { id, quote } = await standingQuote(relay);
    const provider = await relay.sandbox.submitterOf({ kind: "operator", partner: PROVIDER });
    const { blockNumber } = await provider.submit(cancelQuoteCall(relay.ledger, quote));
    await run(relay, watcherStep);
    const block = await relay.ledger.provider.getBlock(blockNumber);
    expect((await readSignedQuote(relay.db, id))?.validUntil).to.equal((block?.timestamp ?? 0) - 1);
  });

  interface BatchRow {
    readonly id: string;
    readonly status: string;
    readonly rejected: unknown;
  }

  async function batches({ db }: { db: Awaited<ReturnType<typeof open>> }): Promise<readonly BatchRow[]> {
    return db.query<BatchRow>(
      "SELECT '0x' || encode(id, 'hex') AS id, status, rejected FROM ledger_batches ORDER BY opened_block, opened_log",
    );
  }

  async function everything({ db }: { db: Awaited<ReturnType<typeof open>> }): Promise<unknown> {
    return Promise.all([
      db.query("SELECT * FROM ledger_cursor"),
      db.query("SELECT * FROM ledger_batches ORDER BY id"),
      db.query("SELECT * FROM balances ORDER BY currency"),
    ]);
  }
});
