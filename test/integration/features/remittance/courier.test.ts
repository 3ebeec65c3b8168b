import { expect } from "chai";
import type { AddressInfo } from "node:net";
import { createServer } from "node:http";
import { once } from "node:events";
import { fromHex } from "../../../../src/domain/bytes/hex.ts";
import { opensDetails } from "../../../../src/domain/payload.ts";
import type { ClockSkew } from "../../../../src/kernel/clock/clock-skew.ts";
import { dueTimesStep } from "../../../../src/features/operators/due-times.ts";
import { openPayload } from "../../../../src/features/remittance/sealed-payload.ts";
import { courierStep } from "../../../../src/features/remittance/steps/courier.ts";
import { openerStep } from "../../../../src/features/remittance/steps/opener.ts";
import { sweeperStep } from "../../../../src/features/remittance/steps/sweeper.ts";
import { batcherStep } from "../../../../src/features/remittance/steps/batcher.ts";
import { sealedPayloadOf } from "../../../../src/features/remittance/store/payloads.ts";
import type { Hex } from "../../../../src/domain/bytes/hex.ts";
import { until } from "../../../support/until.ts";
import { HKD_TO_HKD } from "../../support/chain.ts";
import { describeOn } from "../../support/databases.ts";
import { readLedger, registerPeer, signedBatch, startPair, startPeer, type Pair } from "../../support/peers.ts";
import {
  acceptTransfers,
  Killed,
  passTime,
  run,
  testClock,
  testRelay,
  type TestRelay,
} from "../../support/relay-context.ts";
import { HUB } from "../../support/chain.ts";

describeOn("PGlite", "courier", (open) => {
  let pair: Pair;
  beforeEach(async () => (pair = await startPair(open)));
  afterEach(() => pair.close());

  const delivery = async ({ db }: TestRelay, batch: Hex) => {
    const [row] = await db.query<{ payload_delivered_at: bigint | null; payload_attempts: number }>(
      "SELECT payload_delivered_at, payload_attempts FROM batches WHERE id = $1",
      [fromHex(batch)],
    );
    return { isDelivered: typeof row?.payload_delivered_at === "bigint", attempts: row?.payload_attempts };
  };
  const received = async ({ db, sealer }: TestRelay, batch: Hex) => {
    const sealed = await sealedPayloadOf(db, batch);
    return sealed instanceof Uint8Array ? openPayload(sealer, batch, sealed) : undefined;
  };

  it("has the target relay store what the batch commits to, sealed", async () => {
    const { source, target } = pair;
    const { id, transfers } = await signedBatch(source);
    await run(source, courierStep);

    expect(await delivery(source, id)).to.deep.equal({ isDelivered: true, attempts: 0 });
    const payload = await received(target, id);
    expect(payload?.transfers.map(({ uetr }) => uetr)).to.have.members(transfers.map(({ uetr }) => uetr));
    expect(payload?.transfers.every(opensDetails)).to.equal(true);
    expect(payload?.header.target).to.equal(target.partner);
    expect(target.woken).to.include("responder");
    const sealed = Buffer.from((await sealedPayloadOf(target.db, id)) ?? []);
    expect(sealed.includes("Maria")).to.equal(false);
  });

  it("hears from the target what time it is, whether it takes the payload or not", async () => {
    const { source, target } = pair;
    const heard: { peer: number; offMs: number }[] = [];
    const clockSkew: ClockSkew = {
      ...source.clockSkew,
      heard: (peer, theirSeconds) => void heard.push({ peer, offMs: source.clock.nowMs() - theirSeconds * 1_000 }),
    };
    await signedBatch(source);
    // What it signs is of a time to come, and the target refuses it.
    source.clock.advance(600_000);
    await run({ ...source, clockSkew }, courierStep);
    // It is sent again where the pause is over before the pass is.
    expect(heard).not.to.deep.equal([]);
    for (const { peer, offMs } of heard) {
      expect(peer).to.equal(target.partner);
      expect(offMs).to.be.within(600_000, 660_000);
    }
  });

  it("delivers what it has postponed by a clock that was hours ahead, once the clock is right", async () => {
    const { source } = pair;
    const { id } = await signedBatch(source);
    source.clock.advance(3 * 3_600_000);
    await run({ ...source, peers: { find: () => Promise.resolve(undefined) } }, courierStep);
    source.clock.advance(-3 * 3_600_000);
    await run(source, courierStep);
    expect(await delivery(source, id)).to.deep.equal({ isDelivered: false, attempts: 1 });
    await run(source, dueTimesStep);
    await run(source, courierStep);
    expect(await delivery(source, id)).to.deep.equal({ isDelivered: true, attempts: 1 });
  });

  it("leaves alone what it has postponed by a clock that is right", async () => {
    const { source } = pair;
    const { id } = await signedBatch(source);
    await run({ ...source, peers: { find: () => Promise.resolve(undefined) } }, courierStep);
    await run(source, dueTimesStep);
    await run({ ...source, clock: testClock(source.clock.nowMs() - 1_000) }, courierStep);
    expect(await delivery(source, id)).to.deep.equal({ isDelivered: false, attempts: 1 });
  });

  it("delivers once, however often it dies on the way", async () => {
    const { source, target } = pair;
    const { id } = await signedBatch(source);
    for (const point of ["courier.sent", "courier.sent", "courier.recorded"]) {
      source.killAt(point);
      const failure: unknown = await courierStep(source).catch((error: unknown) => error);
      expect(failure, point).to.be.instanceOf(Killed);
      expect(await received(target, id)).not.to.equal(undefined);
    }
    await run(source, courierStep);
    expect((await delivery(source, id)).isDelivered).to.equal(true);
    expect(await target.db.query("SELECT batch FROM payloads")).to.have.length(1);
  });

  it("delivers although the target dies after it has stored, and before it answers", async () => {
    const { source, target } = pair;
    const { id } = await signedBatch(source);
    target.killAt("payload.stored");
    await run(source, courierStep);
    expect(await delivery(source, id)).to.deep.equal({ isDelivered: false, attempts: 1 });
    source.clock.advance(5_000);
    await run(source, courierStep);
    expect((await delivery(source, id)).isDelivered).to.equal(true);
  });

  it("tries again with growing pauses while the target is away, and not before they are over", async () => {
    const { target, targetPeer } = pair;
    // However long the machine takes, no pause ends on the way.
    const source = { ...pair.source, clock: testClock(Date.now()) };
    await targetPeer.app.close();
    const { id } = await signedBatch(source);
    await run(source, courierStep);
    await run(source, courierStep);
    expect(await delivery(source, id)).to.deep.equal({ isDelivered: false, attempts: 1 });
    expect(source.woken).to.include("courier");
    source.clock.advance(100);
    await run(source, courierStep);
    expect((await delivery(source, id)).attempts).to.equal(2);
    source.clock.advance(99);
    await run(source, courierStep);
    expect((await delivery(source, id)).attempts).to.equal(2);

    const back = await startPeer(target);
    source.clock.advance(5_000);
    await run(source, courierStep);
    expect((await delivery(source, id)).isDelivered).to.equal(true);
    await back.app.close();
  });

  it("is not held up by a target that hangs", async () => {
    const { source, target } = pair;
    const hanging = createServer();
    hanging.listen(0, "127.0.0.1");
    await once(hanging, "listening");
    // Listening on TCP, so the address is not a path.
    await registerPeer(target, `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`);
    const hub = await testRelay({ db: await open(), partner: HUB, sandbox: source.sandbox });
    const hubPeer = await startPeer({ ...hub, peers: source.peers });

    const first = await signedBatch(source);
    const pass = run(source, courierStep);
    await once(hanging, "request");
    await acceptTransfers(source, 1, { corridor: HKD_TO_HKD });
    await run(source, batcherStep);
    source.wake("courier");
    await until(async () => (await hub.db.query("SELECT batch FROM payloads")).length === 1);
    expect((await delivery(source, first.id)).isDelivered).to.equal(false);
    hanging.closeAllConnections();
    hanging.close();
    await pass;
    await hubPeer.app.close();
  });

  it("goes on trying where it is refused, until the batch has ended", async () => {
    const { source, target } = pair;
    const { id } = await signedBatch(source);
    // Another payload for the batch came first: that of a source whose store was restored, say.
    await target.db.query("INSERT INTO payloads (batch, source, sealed, received_at) VALUES ($1, $2, $3, 0)", [
      fromHex(id),
      source.partner,
      target.sealer.seal(Buffer.from("{}"), `payload:${id}`),
    ]);
    await run(source, courierStep);
    source.clock.advance(5_000);
    await run(source, courierStep);
    expect(await delivery(source, id)).to.deep.equal({ isDelivered: false, attempts: 2 });

    await run(source, openerStep);
    await readLedger(source);
    for (let rounds = 0; rounds < 30; rounds++) {
      await passTime(source, 25);
      await run(source, sweeperStep);
    }
    await readLedger(source);
    expect(await source.db.query("SELECT id FROM ledger_batches WHERE status = 'expired'")).to.have.length(1);
    await run(source, courierStep);
    expect((await delivery(source, id)).attempts).to.equal(2);
  });
});
