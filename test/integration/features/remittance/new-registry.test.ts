import { expect } from "chai";
import type { Hex } from "../../../../src/domain/bytes/hex.ts";
import { receiptToJson } from "../../../../src/domain/receipt.ts";
import type { Uetr } from "../../../../src/domain/uetr.ts";
import { connectLedger, UnknownRegistry } from "../../../../src/ledger/contracts.ts";
import { openRegistry } from "../../../../src/ledger/registry.ts";
import { hexOf } from "../../../../src/kernel/store/values.ts";
import { claimStore } from "../../../../src/kernel/store/identity.ts";
import { storeOwner } from "../../../../src/app/store-owner.ts";
import { reconcile } from "../../../../src/features/reconciliation/reconciler.ts";
import { buildReceipt } from "../../../../src/features/remittance/receipts.ts";
import { batcherStep } from "../../../../src/features/remittance/steps/batcher.ts";
import { confirmerStep } from "../../../../src/features/remittance/steps/confirmer.ts";
import { sealedPayloadOf } from "../../../../src/features/remittance/store/payloads.ts";
import { courierStep } from "../../../../src/features/remittance/steps/courier.ts";
import { crediterStep } from "../../../../src/features/remittance/steps/crediter.ts";
import { openerStep } from "../../../../src/features/remittance/steps/opener.ts";
import { responderStep } from "../../../../src/features/remittance/steps/responder.ts";
import { settlerStep } from "../../../../src/features/remittance/steps/settler.ts";
import { sweeperStep } from "../../../../src/features/remittance/steps/sweeper.ts";
import { nothingWatched } from "../../../../src/features/remittance/watched.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { verifyReceipt } from "../../../../sdk/receipts.ts";
import type { Sandbox } from "../../../../sandbox/sandbox.ts";
import { GCASH, networkHelpers, provider } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { openedBatch, readLedger, signedBatch, startPair, startPeer, type Pair } from "../../support/peers.ts";
import { failureOf } from "../../support/relay-batches.ts";
import { passTime, run, testClock, testRelay, type TestRelay } from "../../support/relay-context.ts";
import { secondRegistry } from "../../support/second-registry.ts";

const FUTURE_ROUNDS = 40;

describeOnBothDatabases("a registry that takes another's place, with money in flight", (open) => {
  let pair: Pair;
  let moved: Sandbox;
  let drainFirst: () => Promise<unknown>;
  let [oldRegistry, newRegistry]: Hex[] = [];

  beforeEach(async () => {
    pair = await startPair(open, {}, testClock());
    ({ moved, drainFirst } = await secondRegistry(pair.source.sandbox));
    oldRegistry = pair.source.ledger.addresses.transferRegistry;
    newRegistry = moved.ledger.addresses.transferRegistry;
    await passTime(pair.source, 1);
    await readLedger(pair.source, pair.target);
  });
  afterEach(() => pair.close());

  /** A relay as it is after its configuration has been changed, and it has been started again. */
  const switched = (relay: TestRelay, ledger = moved.ledger): TestRelay => {
    const options = { clock: relay.clock, fromBlock: 0, maxBlockRange: 500, timeToLiveMs: 0 };
    const registry = openRegistry(ledger, { ...options, onError: (error) => expect.fail(String(error)) });
    return { ...relay, sandbox: moved, ledger, registry, watched: nothingWatched() };
  };

  const batchesOf = async ({ db }: TestRelay) => {
    const rows = await db.query<{ id: Uint8Array; registry: Uint8Array | null; status: string }>(
      "SELECT id, registry, status FROM ledger_batches ORDER BY id",
    );
    const registryOf = (bytes: Uint8Array | null) => (bytes === null ? oldRegistry : hexOf(bytes));
    return new Map(rows.map(({ id, registry, status }) => [hexOf(id), { registry: registryOf(registry), status }]));
  };

  const batchOf = async ({ db }: TestRelay, uetr: Uetr): Promise<Hex | undefined> => {
    const [row] = await db.query<{ batch: Uint8Array | null }>("SELECT batch FROM transfers WHERE uetr = $1::uuid", [
      uetr,
    ]);
    return row === undefined || row.batch === null ? undefined : hexOf(row.batch);
  };

  /** Until what is open or unopened in the old registry has ended there by its time; beaten for by this relay. */
  const untilNothingWaits = async (relay: TestRelay): Promise<void> => {
    for (let round = 0; round < FUTURE_ROUNDS; round++) {
      await passTime(relay, 25);
      await run(relay, sweeperStep);
      await readLedger(relay);
      await run(relay, openerStep);
      const [row] = await relay.db.query<{ waiting: number }>(
        `SELECT (SELECT count(*) FROM ledger_batches WHERE status = 'open')::integer
           + (SELECT count(*) FROM batches WHERE NOT on_ledger AND voided_at IS NULL)::integer AS waiting`,
      );
      if (row?.waiting === 0) return;
    }
    throw new Error("something waits for ever in the old registry");
  };

  const isSound = async (relay: TestRelay): Promise<void> => {
    const { differences, balances } = await reconcile(relay, { slackMs: 0 });
    expect(differences).to.deep.equal([]);
    for (const { expected, found } of balances) expect(expected).to.deep.equal(found);
  };

  const verdictOn = async (relay: TestRelay, uetr: Uetr, trustedRegistry: Hex | undefined) => {
    const outcome = await buildReceipt(relay, uetr, { disclose: ["creditor"] });
    if (outcome.kind === "refused" || trustedRegistry === undefined) return "refused";
    return (await verifyReceipt(provider, receiptToJson(outcome.receipt), { trustedRegistry })).kind;
  };

  it("settles, expires and refunds what was opened before, and opens what could not be", async () => {
    const settling = await openedBatch(pair);
    await run(pair.target, responderStep);
    const expiring = await openedBatch(pair);
    const unopened = await signedBatch(pair.source);
    await drainFirst();
    await run(pair.source, openerStep);
    await readLedger(pair.source);
    expect((await batchesOf(pair.source)).get(unopened.id), "a draining registry opens nothing").to.equal(undefined);

    // The source's configuration is changed first.
    const source = switched(pair.source);
    await run(pair.target, settlerStep);
    await readLedger(source, pair.target);
    await run(pair.target, crediterStep);
    await run(pair.target, confirmerStep);
    await untilNothingWaits(source);
    expect((await batchesOf(source)).get(settling.id)).to.deep.equal({ registry: oldRegistry, status: "settled" });
    expect((await batchesOf(source)).get(expiring.id)).to.deep.equal({ registry: oldRegistry, status: "expired" });
    for (const { uetr } of unopened.transfers) expect(await batchOf(source, uetr)).to.equal(undefined);

    // What the old one could not open any more goes into the new one: the same transfers, once.
    await run(source, batcherStep);
    const again = await batchOf(source, unopened.transfers[0]?.uetr as Uetr);
    expect(again).not.to.be.oneOf([undefined, unopened.id]);
    await run(source, courierStep);
    await run(source, openerStep);
    await readLedger(source, pair.target);
    expect((await batchesOf(source)).get(again as Hex)).to.deep.equal({ registry: newRegistry, status: "open" });
    expect(await sealedPayloadOf(pair.target.db, again as Hex), "it was told to come again").to.equal(undefined);

    // The target's configuration is changed last: it reads what it has not seen, and answers in time.
    const target = switched(pair.target);
    await pair.targetPeer.app.close();
    const peer = await startPeer(target);
    try {
      for (const point of ["watcher.registryRead", "watcher.registryWritten"]) {
        target.killAt(point);
        await failureOf(watcherStep(target));
      }
      await readLedger(target);
      expect((await batchesOf(target)).get(again as Hex)).to.deep.equal({ registry: newRegistry, status: "open" });
      await passTime(source, 6);
      await run(source, courierStep);
      for (const step of [responderStep, settlerStep, watcherStep, crediterStep]) await run(target, step);
      await readLedger(source);
      await run(target, confirmerStep);
    } finally {
      await peer.app.close();
    }
    const credited = new Set(pair.wallet.posted.keys());
    expect(credited).to.deep.equal(new Set([...settling.transfers, ...unopened.transfers].map(({ uetr }) => uetr)));

    for (const relay of [source, target]) await isSound(relay);
    for (const [batch, registry] of [
      [settling, oldRegistry],
      [unopened, newRegistry],
    ] as const) {
      const uetr = batch.transfers[0]?.uetr as Uetr;
      for (const relay of [source, target]) expect(await verdictOn(relay, uetr, registry)).to.equal("verified");
    }

    // A relay that has nothing but the chain comes to the same.
    const anew = switched(await testRelay({ db: await open(), partner: GCASH, sandbox: moved, clock: source.clock }));
    await readLedger(anew);
    expect(await batchesOf(anew)).to.deep.equal(await batchesOf(target));
  });

  it("is answered for by a target that knows of it, while it opens its own batches in the old one", async () => {
    const { addresses } = pair.target.ledger;
    const announced = [{ transferRegistry: newRegistry as Hex }];
    const target = switched(pair.target, await connectLedger(provider, { ...addresses, announced }));
    await pair.targetPeer.app.close();
    const peer = await startPeer(target);
    const source = switched(pair.source);
    try {
      const { id, transfers } = await openedBatch({ ...pair, source, target });
      for (const step of [responderStep, settlerStep]) await run(target, step);
      await readLedger(source, target);
      await run(target, crediterStep);
      await run(target, confirmerStep);
      for (const relay of [source, target]) {
        expect((await batchesOf(relay)).get(id)).to.deep.equal({ registry: newRegistry, status: "settled" });
        await isSound(relay);
      }
      expect(pair.wallet.posted.size).to.equal(transfers.length);
      expect(target.ledger.chain.transferRegistry).to.equal(oldRegistry);
    } finally {
      await peer.app.close();
    }
  });

  it("is not read by halves: a process that does not know it does not go on, nor start", async () => {
    const { source } = pair;
    const owner = (relay: TestRelay) => storeOwner(relay.partner, relay.ledger);
    const claim = async (relay: TestRelay) => claimStore(relay.db, await owner(relay), relay.sealer, 1);
    expect(await claim(source)).to.deep.equal([]);
    const later = switched(source);
    expect(await claim(later)).to.deep.equal([]);
    expect(await claim(source), "before it has been read").to.deep.equal([]);
    await readLedger(later);
    await networkHelpers.mine();
    expect(await failureOf(watcherStep(source))).to.be.instanceOf(UnknownRegistry);
    expect((await claim(source)).map(({ key }) => key)).to.deep.equal(["ledger.addresses"]);
    expect(await claim(later)).to.deep.equal([]);
    // Without the first one, there is another ledger.
    const { addresses } = moved.ledger;
    const forgetful = { ...later, ledger: { ...later.ledger, addresses: { ...addresses, draining: [] } } };
    expect((await claim(forgetful)).map(({ key }) => key)).to.deep.equal(["ledger.addresses"]);
  });
});
