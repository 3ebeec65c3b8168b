import { expect } from "chai";
import { toHex, type Hex } from "../../../../src/domain/bytes/hex.ts";
import type { ReasonCode } from "../../../../src/domain/reason.ts";
import type { Uetr } from "../../../../src/domain/uetr.ts";
import { ABI } from "../../../../src/ledger/abi.ts";
import { expireCall, openCall } from "../../../../src/ledger/calls.ts";
import { connectLedger } from "../../../../src/ledger/contracts.ts";
import { reconcile, type ReconciliationReport } from "../../../../src/features/reconciliation/reconciler.ts";
import { payloadBytes, sealPayload } from "../../../../src/features/remittance/sealed-payload.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import type { Database, SqlValue } from "../../../../src/kernel/store/database.ts";
import { insertDecision } from "../../../../src/features/remittance/store/decisions.ts";
import { recordPostings } from "../../../../src/features/remittance/store/credits.ts";
import { appendEvents } from "../../../../src/kernel/store/events.ts";
import { insertPayload } from "../../../../src/features/remittance/store/payloads.ts";
import { insertWebhook } from "../../../../src/features/notifications/store.ts";
import { makeBatch, makeSettlement, type OpenableBatch } from "../../../support/batches.ts";
import { runPastExpiry } from "../../support/chain.ts";
import { ALIPAY_HK, FUNDS, GCASH, HKD_TO_HKD, HUB, networkHelpers, PROVIDER, provider } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { secondModule } from "../../support/governance.ts";
import { withMethods } from "../../support/provider.ts";
import { ownBatch } from "../../support/relay-batches.ts";
import { acceptTransfers, run, testRelay, type TestRelay } from "../../support/relay-context.ts";
import { mine, withdrawOne } from "../../support/submitting.ts";
import { holdOf, releaseOf } from "../../../support/movements.ts";

describeOnBothDatabases("reconciler", (open) => {
  const sentencesOf = ({ differences }: ReconciliationReport) =>
    differences.map(({ kind, subject, sentence }) => `${kind} ${subject}: ${sentence}`);
  const check = async (relay: TestRelay) => sentencesOf(await reconcile(relay, { slackMs: 0 }));
  const change = ({ db }: { readonly db: Database }, sql: string, values: readonly SqlValue[] = []) =>
    db.query(sql, values);

  /** A relay whose own batch has settled but for one transfer, another has expired, and a third is open. */
  async function busySource(): Promise<{ readonly relay: TestRelay; readonly ids: readonly [Hex, Hex, Hex] }> {
    const relay = await testRelay({ db: await open() });
    const [settled, expired] = [await ownBatch(relay, { count: 3 }), await ownBatch(relay, { count: 1 })];
    const { submitter, sandbox, ledger } = relay;
    for (const { header, send, quote } of [settled, expired]) {
      await submitter.submit(openCall(ledger, header, send, quote));
    }
    await submitter.submit(await makeSettlement(sandbox, settled, { 1: "AC03" }));
    await runPastExpiry(sandbox, expired);
    await submitter.submit(expireCall(ledger, expired.header));
    const held = await ownBatch(relay, { count: 2 });
    await submitter.submit(openCall(ledger, held.header, held.send, held.quote));
    await submitter.submit(withdrawOne(sandbox));
    await run(relay, watcherStep);
    return { relay, ids: [settled.id, expired.id, held.id] };
  }

  /** What a target relay writes when it accepts all of a batch but some. */
  async function decide(
    { db, clock, ledger, sealer }: TestRelay,
    { id, transfers, header }: OpenableBatch,
    refused: Readonly<Record<number, ReasonCode>> = {},
  ): Promise<void> {
    const sealed = sealPayload(sealer, id, payloadBytes({ header, transfers }));
    await insertPayload(
      db,
      {
        batch: id,
        registry: ledger.chain.transferRegistry,
        source: header.source,
        sealed,
        expiresAtSeconds: header.expiresAt,
        delivered: true,
      },
      clock.nowMs(),
    );
    const rejections = new Map(
      transfers.flatMap(({ uetr }, index) => (refused[index] ? [[uetr, refused[index]]] : [])),
    );
    const credits = transfers.filter((_, index) => refused[index] === undefined);
    await insertDecision(
      db,
      {
        batch: id,
        source: header.source,
        rejections,
        accept: { key: `0x${"1".repeat(40)}`, signature: "0x12" },
        currency: "PHP" as never, // the test's corridor's
        credits: credits.map(({ uetr, targetAmount }) => ({ uetr, amount: targetAmount })),
      },
      clock.nowMs(),
    );
  }

  async function settledTarget(): Promise<{ readonly relay: TestRelay; readonly batch: OpenableBatch }> {
    const relay = await testRelay({ db: await open(), partner: GCASH });
    const batch = await makeBatch(relay.sandbox);
    await relay.submitter.submit(batch.open);
    await decide(relay, batch, { 0: "AC04" });
    await relay.submitter.submit(await makeSettlement(relay.sandbox, batch, { 0: "AC04" }));
    await run(relay, watcherStep);
    await post(relay);
    await change(relay, "UPDATE decisions SET confirmed_at = 1");
    return { relay, batch };
  }

  /** The wallet posts what is to be credited. */
  async function post(relay: TestRelay): Promise<void> {
    const due = await relay.db.query<{ uetr: Uetr }>("SELECT uetr FROM credits WHERE credited_at IS NULL");
    const postings = due.map(({ uetr }) => ({ uetr, reference: "R", creditedAt: 1 }));
    await relay.db.transaction(async (tx) => {
      await recordPostings(tx, postings);
      await appendEvents(
        tx,
        postings.map(({ uetr }) => ({ type: "credit.posted", uetr, at: 1, data: {} })),
      );
    });
  }

  it("finds a ledger that has not been read", async () => {
    const relay = await testRelay({ db: await open() });
    const report = await reconcile(relay);
    expect(report.block).to.equal(undefined);
    expect(report.differences.map(({ kind }) => kind)).to.deep.equal(["ledger"]);
  });

  it("finds all sound for every kind of partner, whatever has become of their batches", async () => {
    const { relay } = await busySource();
    const report = await reconcile(relay, { slackMs: 0 });
    expect(sentencesOf(report)).to.deep.equal([]);
    expect(report.checked).to.deep.include({ batches: 3, transfers: 6 });
    const hkd = report.balances.find(({ currency }) => currency === "HKD");
    expect(hkd?.found).to.deep.equal(hkd?.expected);
    expect(hkd?.found.held).not.to.equal(0n);
    expect((await relay.metrics.reconciliationDifferences.get()).values[0]?.value).to.equal(0);
    for (const partner of [HUB, PROVIDER]) {
      const other = await testRelay({ db: await open(), sandbox: relay.sandbox, partner });
      await run(other, watcherStep);
      expect(await check(other)).to.deep.equal([]);
    }
  });

  it("goes through a settlement without exchange, and one of which all is rejected", async () => {
    const relay = await testRelay({ db: await open() });
    const same = await makeBatch(relay.sandbox, { corridor: HKD_TO_HKD, seed: "same" });
    const refused = await makeBatch(relay.sandbox, { seed: "refused", count: 2 });
    for (const batch of [same, refused]) await relay.submitter.submit(batch.open);
    await relay.submitter.submit(await makeSettlement(relay.sandbox, same));
    await relay.submitter.submit(await makeSettlement(relay.sandbox, refused, { 0: "AC03", 1: "AC03" }));
    await run(relay, watcherStep);
    const report = await reconcile(relay, { slackMs: 0 });
    const unknown = "It is on the ledger as this partner's, and this relay has not signed it.";
    expect(sentencesOf(report)).to.have.members([`batch ${same.id}: ${unknown}`, `batch ${refused.id}: ${unknown}`]);
    const { sourceTotal, fee } = same.header;
    const hkd = report.balances.find(({ currency }) => currency === "HKD");
    expect(hkd?.expected).to.deep.equal({ available: FUNDS - sourceTotal - fee, held: 0n });
  });

  it("finds balances that are not what was read", async () => {
    const { relay } = await busySource();
    await change(relay, "UPDATE balances SET available = available + 1 WHERE currency = 'HKD'");
    const [difference, ...others] = (await reconcile(relay)).differences;
    expect([difference?.kind, difference?.subject, others]).to.deep.equal(["balance", "HKD", []]);
    expect(difference?.sentence).to.match(/^The store has \d+ available and \d+ held; the treasury has \d+ and \d+/);
    expect((await relay.metrics.reconciliationDifferences.get()).values[0]?.value).to.equal(1);
  });

  it("finds all sound when another module moves the same money, and tells whose hold is whose", async () => {
    const { relay } = await busySource();
    const module = await secondModule(relay.sandbox);
    await run(relay, watcherStep);
    await module("hold", [holdOf(ALIPAY_HK, 344, 5_000n)]);
    await module("release", [releaseOf(ALIPAY_HK, GCASH, 344, 2_000n)]);
    await module("release", [releaseOf(ALIPAY_HK, ALIPAY_HK, 344, 1_000n)]);
    const before = (await reconcile(relay, { slackMs: 10_000_000 })).balances.find(
      ({ currency }) => currency === "HKD",
    );
    await run(relay, watcherStep);
    const report = await reconcile(relay, { slackMs: 10_000_000 });
    expect(sentencesOf(report)).to.deep.equal([]);
    const after = report.balances.find(({ currency }) => currency === "HKD");
    expect(after?.expected.available).to.equal((before?.found.available ?? 0n) - 4_000n);
    expect(after?.expected.held).to.equal((before?.found.held ?? 0n) + 2_000n);
  });

  it("finds money that the ledger's events do not tell of", async () => {
    const { relay, ids } = await busySource();
    const [topic] = ABI.treasury.encodeFilterTopics("Held", []);
    // The last hold of the source's money: that of the batch that is open.
    const forgetful = withMethods(provider, {
      getLogs: async (filter) => {
        const logs = await provider.getLogs(filter);
        const last = logs.findLastIndex(
          (log) => log.topics[0] === topic && BigInt(log.data.slice(0, 66)) % 65_536n === 344n,
        );
        return logs.filter((_, index) => index !== last);
      },
    });
    const ledger = await connectLedger(forgetful, relay.ledger.addresses);
    const { differences } = await reconcile({ ...relay, ledger });
    const held = (
      await relay.db.query<{ header: { sourceTotal: string; fee: string } }>(
        "SELECT header FROM ledger_batches WHERE encode(id, 'hex') = $1",
        [ids[2].slice(2)],
      )
    )[0]?.header;
    const due = BigInt(held?.sourceTotal ?? 0) + BigInt(held?.fee ?? 0);
    expect(differences.map(({ kind, subject }) => `${kind} ${subject}`)).to.deep.equal(["balance HKD", "balance HKD"]);
    expect(differences[1]?.sentence).to.equal(
      `The registry ${relay.ledger.chain.transferRegistry} holds 0 minor units in the treasury ${relay.ledger.addresses.treasury}; its open batches hold ${due} there.`,
    );
  });

  it("finds batches that stand elsewhere, are missing, or contradict what was signed", async () => {
    const { relay, ids } = await busySource();
    const [settled, expired, held] = ids;
    await change(relay, "DELETE FROM events");
    await change(relay, "UPDATE ledger_batches SET status = 'rejected' WHERE encode(id, 'hex') = $1", [
      settled.slice(2),
    ]);
    await change(relay, "DELETE FROM ledger_batches WHERE encode(id, 'hex') = $1", [expired.slice(2)]);
    await change(relay, "UPDATE batches SET voided_at = 1 WHERE encode(id, 'hex') = $1", [held.slice(2)]);
    const found = await check(relay);
    expect(found).to.include(`batch ${settled}: The store has it as rejected; on the ledger it is settled.`);
    expect(found).to.include(`batch ${settled}: The store has it as rejected; by the ledger's events it is settled.`);
    expect(found).to.include(`batch ${expired}: It is expired on the ledger, and not in the store.`);
    expect(found).to.include(`batch ${held}: It was given up as void, but it is on the ledger.`);
    // Those that were settled but for one are told as rejected now, and those of the open batch as held.
    expect(found.filter((sentence) => sentence.endsWith("It is rejected, which was told 0 times."))).to.have.length(3);
    expect(found.filter((sentence) => sentence.endsWith("It is held, which was told 0 times."))).to.have.length(5);
  });

  it("finds transfers and batches whose time is over", async () => {
    const { relay, ids } = await busySource();
    const [waiting] = await acceptTransfers(relay, 1, { corridor: HKD_TO_HKD, validityMs: 1_000 });
    const unopened = await ownBatch(relay, { count: 1, quoteValiditySeconds: 30 });
    relay.clock.advance(2_000);
    await networkHelpers.time.increase(31);
    await runPastExpiry(relay.sandbox, { header: { expiresAt: (await until(relay)) + 300 } } as never);
    await run(relay, watcherStep);
    const found = await check(relay);
    expect(found).to.include(`transfer ${waiting?.uetr}: Its time is over, and it has not ended.`);
    expect(found).to.include(
      `batch ${unopened.id}: It was signed, can no longer be opened, and has not been given up.`,
    );
    expect(found).to.include(`batch ${ids[2]}: It has expired and is still open: its money is held.`);
    expect(found).to.have.lengthOf(3);
    expect(sentencesOf(await reconcile(relay, { slackMs: 10_000_000 }))).to.deep.equal([]);
  });

  it("finds nothing wrong with a target that has credited what it was paid", async () => {
    const { relay } = await settledTarget();
    expect(await check(relay)).to.deep.equal([]);
  });

  it("finds credits that are owed, too few, or given without a settlement", async () => {
    const { relay, batch } = await settledTarget();
    const uetr = batch.transfers[1]?.uetr;
    await change(relay, "UPDATE credits SET credited_at = NULL WHERE uetr = $1::uuid", [uetr ?? ""]);
    await change(relay, "DELETE FROM events WHERE uetr = $1::uuid", [uetr ?? ""]);
    await change(relay, "UPDATE decisions SET confirmed_at = NULL");
    expect(await check(relay)).to.deep.equal([
      `credit ${uetr}: Its batch has settled, and the customer is not credited.`,
      `confirmation ${batch.id}: Its source has not been told of the credits.`,
    ]);
    expect(sentencesOf(await reconcile(relay))).to.deep.equal([]);
    await post(relay);
    await change(relay, "UPDATE decisions SET confirmed_at = 1");
    await change(relay, "UPDATE credits SET amount = amount + 1 WHERE uetr = $1::uuid", [uetr ?? ""]);
    expect((await check(relay))[0]).to.match(/^credit 0x\w{64}: It paid (\d+) minor units to this partner/);

    const late = await makeBatch(relay.sandbox, { seed: "late", count: 1 });
    await relay.submitter.submit(late.open);
    await decide(relay, late);
    await run(relay, watcherStep);
    await post(relay);
    expect(await check(relay)).to.include(
      `credit ${late.transfers[0]?.uetr}: The customer is credited, and its batch has not settled.`,
    );
  });

  it("finds a settled batch that this relay has decided nothing about", async () => {
    const relay = await testRelay({ db: await open(), partner: GCASH });
    const batch = await makeBatch(relay.sandbox);
    await relay.submitter.submit(batch.open);
    await relay.submitter.submit(await makeSettlement(relay.sandbox, batch));
    await run(relay, watcherStep);
    expect(await check(relay)).to.deep.equal([
      `credit ${batch.id}: It paid ${batch.header.targetTotal} minor units to this partner, whose customers are to be credited with 0.`,
    ]);
  });

  it("finds events that are owed to webhooks, or were given up", async () => {
    const { relay } = await busySource();
    const id = "6f2d6a5e-0000-4000-8000-000000000001";
    const hook = { id, url: "https://wallet.example", types: [], createdAt: 1, sealedSecret: new Uint8Array(1) };
    await insertWebhook(relay.db, hook);
    expect(await check(relay)).to.deep.equal([]);
    await change(relay, "UPDATE webhooks SET planned_seq = planned_seq - 3");
    await change(
      relay,
      `INSERT INTO deliveries (webhook, event, next_attempt_at, dead_at)
       SELECT id, planned_seq, 1, 1 FROM webhooks UNION ALL SELECT id, planned_seq - 1, 1, NULL FROM webhooks`,
    );
    relay.clock.advance(1_000);
    expect(await check(relay)).to.deep.equal([`delivery ${id}: 4 events are owed to it, 1 were given up.`]);
  });

  it("holds nothing against a ledger that has forked", async () => {
    const relay = await testRelay({ db: await open(), partner: ALIPAY_HK });
    await run(relay, watcherStep);
    await change(relay, "UPDATE ledger_cursor SET block_hash = $1", [new Uint8Array(32)]);
    await mine();
    const report = await reconcile(relay);
    expect(report.differences.map(({ kind }) => kind)).to.deep.equal(["ledger"]);
    expect(report.differences[0]?.sentence).to.contain(toHex(new Uint8Array(32)));
  });

  async function until({ ledger }: TestRelay): Promise<number> {
    return Number.parseInt(String(await ledger.transferRegistry.time({ blockTag: "latest" })), 10);
  }
});
