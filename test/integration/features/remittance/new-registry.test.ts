import { expect } from "chai";
import type { Hex } from "../../../../src/domain/bytes/hex.ts";
import { receiptToJson } from "../../../../src/domain/receipt.ts";
import type { Uetr } from "../../../../src/domain/uetr.ts";
import { connectLedger, UnknownRegistry } from "../../../../src/ledger/contracts.ts";
import { claimStore } from "../../../../src/kernel/store/identity.ts";
import { storeOwner } from "../../../../src/app/store-owner.ts";
import { buildReceipt } from "../../../../src/features/remittance/receipts.ts";
import { batcherStep } from "../../../../src/features/remittance/steps/batcher.ts";
import { confirmerStep } from "../../../../src/features/remittance/steps/confirmer.ts";
import { sealedPayloadOf } from "../../../../src/features/remittance/store/payloads.ts";
import { courierStep } from "../../../../src/features/remittance/steps/courier.ts";
import { crediterStep } from "../../../../src/features/remittance/steps/crediter.ts";
import { openerStep } from "../../../../src/features/remittance/steps/opener.ts";
import { responderStep } from "../../../../src/features/remittance/steps/responder.ts";
import { settlerStep } from "../../../../src/features/remittance/steps/settler.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { verifyReceipt } from "../../../../sdk/receipts.ts";
import type { Sandbox } from "../../../../sandbox/sandbox.ts";
import { GCASH, networkHelpers, provider } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { batchOf, batchesOf, expectSound, switched, untilNothingWaits } from "../../support/moving.ts";
import { openedBatch, readLedger, signedBatch, startPair, startPeer, type Pair } from "../../support/peers.ts";
import { failureOf } from "../../support/relay-batches.ts";
import { passTime, run, testClock, testRelay, type TestRelay } from "../../support/relay-context.ts";
import { secondRegistry } from "../../support/second-registry.ts";

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
    expect((await batchesOf(pair.source, oldRegistry)).get(unopened.id), "a draining registry opens nothing").to.equal(
      undefined,
    );

    // The source's configuration is changed first.
    const source = switched(pair.source, moved);
    await run(pair.target, settlerStep);
    await readLedger(source, pair.target);
    await run(pair.target, crediterStep);
    await run(pair.target, confirmerStep);
    await untilNothingWaits(source);
    expect((await batchesOf(source, oldRegistry)).get(settling.id)).to.deep.equal({
      registry: oldRegistry,
      status: "settled",
    });
    expect((await batchesOf(source, oldRegistry)).get(expiring.id)).to.deep.equal({
      registry: oldRegistry,
      status: "expired",
    });
    for (const { uetr } of unopened.transfers) expect(await batchOf(source, uetr)).to.equal(undefined);

    // What the old one could not open any more goes into the new one: the same transfers, once.
    await run(source, batcherStep);
    const again = await batchOf(source, unopened.transfers[0]?.uetr as Uetr);
    expect(again).not.to.be.oneOf([undefined, unopened.id]);
    await run(source, courierStep);
    await run(source, openerStep);
    await readLedger(source, pair.target);
    expect((await batchesOf(source, oldRegistry)).get(again as Hex)).to.deep.equal({
      registry: newRegistry,
      status: "open",
    });
    expect(await sealedPayloadOf(pair.target.db, again as Hex), "it was told to come again").to.equal(undefined);

    // The target's configuration is changed last: it reads what it has not seen, and answers in time.
    const target = switched(pair.target, moved);
    await pair.targetPeer.app.close();
    const peer = await startPeer(target);
    try {
      for (const point of ["watcher.registryRead", "watcher.registryWritten"]) {
        target.killAt(point);
        await failureOf(watcherStep(target));
      }
      await readLedger(target);
      expect((await batchesOf(target, oldRegistry)).get(again as Hex)).to.deep.equal({
        registry: newRegistry,
        status: "open",
      });
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

    for (const relay of [source, target]) await expectSound(relay);
    for (const [batch, registry] of [
      [settling, oldRegistry],
      [unopened, newRegistry],
    ] as const) {
      const uetr = batch.transfers[0]?.uetr as Uetr;
      for (const relay of [source, target]) expect(await verdictOn(relay, uetr, registry)).to.equal("verified");
    }

    // A relay that has nothing but the chain comes to the same.
    const anew = switched(
      await testRelay({ db: await open(), partner: GCASH, sandbox: moved, clock: source.clock }),
      moved,
    );
    await readLedger(anew);
    expect(await batchesOf(anew, oldRegistry)).to.deep.equal(await batchesOf(target, oldRegistry));
  });

  it("is answered for by a target that knows of it, while it opens its own batches in the old one", async () => {
    const { addresses } = pair.target.ledger;
    const announced = [{ transferRegistry: newRegistry as Hex }];
    const target = switched(pair.target, moved, await connectLedger(provider, { ...addresses, announced }));
    await pair.targetPeer.app.close();
    const peer = await startPeer(target);
    const source = switched(pair.source, moved);
    try {
      const { id, transfers } = await openedBatch({ ...pair, source, target });
      for (const step of [responderStep, settlerStep]) await run(target, step);
      await readLedger(source, target);
      await run(target, crediterStep);
      await run(target, confirmerStep);
      for (const relay of [source, target]) {
        expect((await batchesOf(relay, oldRegistry)).get(id)).to.deep.equal({
          registry: newRegistry,
          status: "settled",
        });
        await expectSound(relay);
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
    const later = switched(source, moved);
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
