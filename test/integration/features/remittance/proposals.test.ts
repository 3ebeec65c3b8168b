import { expect } from "chai";
import { fromHex } from "../../../../src/domain/bytes/hex.ts";
import { peerClient } from "../../../../src/features/peers/client.ts";
import { doNotPropose } from "../../../../src/features/remittance/one-step.ts";
import { batcherStep } from "../../../../src/features/remittance/steps/batcher.ts";
import { confirmerStep } from "../../../../src/features/remittance/steps/confirmer.ts";
import { courierStep } from "../../../../src/features/remittance/steps/courier.ts";
import { crediterStep } from "../../../../src/features/remittance/steps/crediter.ts";
import { openerStep } from "../../../../src/features/remittance/steps/opener.ts";
import { proposerStep } from "../../../../src/features/remittance/steps/proposer.ts";
import { responderStep } from "../../../../src/features/remittance/steps/responder.ts";
import { settlerStep } from "../../../../src/features/remittance/steps/settler.ts";
import { eventsAfter } from "../../../../src/kernel/store/events.ts";
import { networkHelpers } from "../../support/chain.ts";
import { describeOn, describeOnBothDatabases } from "../../support/databases.ts";
import { until } from "../../../support/until.ts";
import { readLedger, startPair, type Pair } from "../../support/peers.ts";
import { DEFAULTS, passTime, run, testClock } from "../../support/relay-context.ts";
import {
  VALID_SECONDS,
  startOneStep,
  statuses,
  count,
  signedOnes,
  accept,
  proposal,
  runAll,
  statusesOf,
  oneStep,
  ask,
  forget,
} from "../../support/proposals.ts";

describeOnBothDatabases("a batch that is accepted before it is signed", (open) => {
  let pair: Pair;
  beforeEach(async () => (pair = await startOneStep(open)));
  afterEach(() => pair.close());

  it("opens and settles in one transaction, and every customer is credited once", async () => {
    const { source, target, wallet } = pair;
    const { id, transfers } = await proposal(source);
    expect(await signedOnes(source), "nobody has signed").to.deep.equal([]);
    await run(source, proposerStep);
    expect([await count(target, "credits"), await count(target, "payloads")]).to.deep.equal([3, 1]);
    expect(wallet.posted.size, "nothing is credited for a promise").to.equal(0);

    await run(source, openerStep);
    await readLedger(source, target);
    const [batch] = await target.db.query<{ same: boolean; status: string }>(
      "SELECT opened_transaction = final_transaction AS same, status FROM ledger_batches WHERE id = $1",
      [fromHex(id)],
    );
    expect(batch).to.deep.equal({ same: true, status: "settled" });
    for (const step of [responderStep, settlerStep, crediterStep, confirmerStep]) await run(target, step);
    await run(source, courierStep);
    expect([...wallet.posted.keys()]).to.have.members(transfers.map(({ uetr }) => uetr));
    expect(wallet.asked).to.have.length(3);
    expect(await statusesOf(source, transfers)).to.deep.equal(["credited", "credited", "credited"]);
    const told = (await eventsAfter(source.db, 0n, 100)).map(({ type }) => type);
    expect(told.filter((type) => type === "transfer.held")).to.have.length(3);
    expect(told.filter((type) => type === "transfer.settled")).to.have.length(3);
    expect(told).not.to.include("signature.unknown");
    expect((await eventsAfter(target.db, 0n, 100)).map(({ type }) => type)).not.to.include("signature.unknown");
  });

  it("goes in one step after halts of the ledger that were longer than its hold", async () => {
    const { source, target } = pair;
    // Of a halt ledger time counts the grace only: from then on it is behind block time.
    await networkHelpers.time.increase(2 * source.settings.batch.holdSeconds);
    const { transfers } = await proposal(source);
    for (const step of [proposerStep, openerStep]) await run(source, step);
    await readLedger(source, target);
    expect(await statuses(target)).to.deep.equal(["settled"]);
    expect(await statusesOf(source, transfers)).to.deep.equal(["settled", "settled", "settled"]);
  });

  it("leaves out what is refused: that fails with the reason, and the rest is in another batch at once", async () => {
    const { source, target, wallet } = pair;
    const { id, transfers } = await proposal(source);
    const [first] = transfers;
    wallet.checkReason = ({ uetr }) => (uetr === first?.uetr ? "AC03" : undefined);
    await run(source, proposerStep);
    expect(await statusesOf(source, [...transfers])).to.have.members(["failed AC03", "received", "received"]);
    expect(await count(target, "credits"), "nothing is promised").to.equal(0);
    expect(source.woken).to.include("batcher");

    await runAll(pair);
    expect(await statusesOf(source, [...transfers])).to.have.members(["failed AC03", "credited", "credited"]);
    expect(wallet.posted.has(first?.uetr as never)).to.equal(false);
    expect(await statuses(source), "the first was never signed").to.deep.equal(["settled"]);
    const reserved = await source.db.query<{ left: bigint; due: bigint }>(
      `SELECT reserved AS left, (SELECT sum(target_amount) FROM transfers WHERE ended IS NULL) AS due
       FROM provider_quotes WHERE reserved > 0`,
    );
    expect(reserved.map(({ left }) => left)).to.deep.equal(reserved.map(({ due }) => due));
    const failed = (await eventsAfter(source.db, 0n, 100)).filter(({ type }) => type === "transfer.failed");
    expect(failed.map(({ uetr, data }) => [uetr, data])).to.deep.equal([[first?.uetr, { reason: "AC03" }]]);
    expect(await source.db.query("SELECT id FROM batches WHERE id = $1", [fromHex(id)])).to.deep.equal([]);
  });

  it("has the same answer however often it is asked, whatever the wallet says by then", async () => {
    const { source, target, wallet } = pair;
    const { id, payload } = await proposal(source);
    const accepted = await ask(pair, id, payload);
    wallet.checkReason = () => "AC03";
    await passTime(source, 2);
    expect(await ask(pair, id, payload)).to.deep.equal(accepted);
    expect(await count(target, "credits")).to.equal(3);

    await forget(source);
    const second = await proposal(source, 1);
    await target.db.query("DELETE FROM credits");
    const refused = await ask(pair, second.id, second.payload);
    expect(refused).to.have.property("rejections").with.length(second.payload.transfers.length);
    wallet.checkReason = () => undefined;
    expect(await ask(pair, second.id, second.payload)).to.deep.equal(refused);
    expect(await count(target, "credits")).to.equal(0);
  });

  it("that never comes to the ledger leaves nothing behind, and its UETRs are free", async () => {
    const { source, target } = pair;
    const { id, payload, transfers } = await proposal(source);
    await ask(pair, id, payload);
    await passTime(source, VALID_SECONDS - 5);
    await readLedger(target);
    await run(target, responderStep);
    expect(await count(target, "credits"), "it may come yet").to.equal(3);

    await passTime(source, 10);
    await run(target, responderStep);
    expect(await count(target, "credits"), "what the clock says frees nothing").to.equal(3);
    await readLedger(target);
    target.killAt("responder.released");
    await run(target, responderStep).catch(() => undefined);
    await run(target, responderStep);
    for (const table of ["credits", "decisions", "payloads"] as const) expect(await count(target, table)).to.equal(0);
    const again = await ask(pair, id, payload);
    expect(again, "it is promised once, whoever repeats the request").to.have.nested.property("acceptance.validUntil");
    expect(await count(target, "credits")).to.equal(0);

    await runAll(pair);
    expect(await statusesOf(source, transfers)).to.deep.equal(["credited", "credited", "credited"]);
    expect(await statuses(source)).to.deep.equal(["settled"]);
  });

  it("whose acceptance did not get through in time is opened in two steps, under the same signature", async () => {
    const { source, target } = pair;
    const { id, transfers } = await proposal(source);
    await run(source, proposerStep);
    const [before] = await source.db.query("SELECT send_signature FROM batches");
    await passTime(source, 2 * VALID_SECONDS);
    await run(source, openerStep);
    await readLedger(source, target);
    expect(await statuses(target)).to.deep.equal(["open"]);
    await runAll(pair);
    expect(await statuses(target)).to.deep.equal(["settled"]);
    expect(await source.db.query("SELECT send_signature FROM batches")).to.deep.equal([before]);
    expect(await target.db.query("SELECT batch FROM decisions")).to.deep.equal([{ batch: fromHex(id) }]);
    expect(await statusesOf(source, transfers)).to.deep.equal(["credited", "credited", "credited"]);
  });

  it("several that are ready share a transaction, in which one that fails stops no other", async () => {
    const { source } = pair;
    for (let batches = 0; batches < 3; batches++) {
      // So that the next one does not wait for these.
      await passTime(source, 1);
      await proposal(source, 1);
      await run(source, proposerStep);
    }
    await source.db.query(
      `UPDATE batches SET acceptance = jsonb_set(acceptance, '{validUntil}', to_jsonb((acceptance->>'validUntil')::bigint + 1))
       WHERE id = (SELECT min(id::text)::bytea FROM batches)`,
    );
    await run(source, openerStep);
    await readLedger(source);
    expect((await statuses(source)).sort()).to.deep.equal(["open", "settled", "settled"]);
    const [shared] = await source.db.query<{ transactions: number }>(
      "SELECT count(DISTINCT opened_transaction)::integer AS transactions FROM ledger_batches WHERE status = 'settled'",
    );
    expect(shared?.transactions).to.equal(1);
    await runAll(pair);
    expect(await statuses(source)).to.deep.equal(["settled", "settled", "settled"]);
  });

  it("counts what is checked and not paid for", async () => {
    await pair.close();
    pair = await startOneStep(open, { unpaidPerMinute: 5 });
    const { source, target, wallet } = pair;
    const first = await proposal(source);
    await ask(pair, first.id, first.payload);
    let asked = 0;
    wallet.checkReason = () => {
      asked++;
      return undefined;
    };
    await forget(source);
    const second = await proposal(source, 1);
    const refused = await ask(pair, second.id, second.payload).catch((error: unknown) => error);
    expect(refused).to.include({ status: 429, problem: "rate-limited", retryAfterSeconds: 5 });
    expect(asked).to.equal(0);

    // The first is signed and settles after all: it was paid for.
    await target.db.query(
      "INSERT INTO ledger_batches (id, source, target, header, expires_at_s, status, opened_block, opened_log, opened_time_s, opened_transaction, final_block) VALUES ($1, 1, 2, '{}', 1, 'settled', 1, 1, 1, '', 1)",
      [fromHex(first.id)],
    );
    const answer = await ask(pair, second.id, second.payload);
    expect(answer).to.have.property("rejections");
  });
});

describeOn("PGlite", "a batch that is proposed", (open) => {
  let pair: Pair;
  afterEach(() => pair.close());

  async function expectTwoSteps(): Promise<void> {
    const { source, target, wallet } = pair;
    const { transfers } = await proposal(source);
    await run(source, proposerStep);
    expect(await signedOnes(source)).to.deep.equal([{ acceptance: null }]);
    wallet.fateOf = () => "answered";
    await runAll(pair);
    expect(await statusesOf(source, transfers)).to.deep.equal(["credited", "credited", "credited"]);
    expect(await statuses(target)).to.deep.equal(["settled"]);
    expect(wallet.asked).to.have.length(3);
  }

  it("to a relay that does not offer it goes in two steps, and so do the next without asking", async () => {
    const clock = testClock();
    pair = await startPair(open, { oneStep: { ...DEFAULTS.oneStep, enabled: false } }, clock);
    pair = { ...pair, source: { ...pair.source, settings: { ...pair.source.settings, ...oneStep() } } };
    await expectTwoSteps();
    await accept(pair.source);
    await run(pair.source, batcherStep);
    expect(await signedOnes(pair.source)).to.have.length(2);
    await passTime(pair.source, 60);
    await proposal(pair.source);
  });

  it("goes in two steps while the ledger's node has not got to its registry, and is proposed once it has", async () => {
    pair = await startOneStep(open);
    const { source } = pair;
    const { provider } = source.ledger;
    const getCode = provider.getCode.bind(provider);
    provider.getCode = () => Promise.resolve("0x");
    try {
      await accept(source, 1);
      await run(source, batcherStep);
      expect(await signedOnes(source)).to.have.length(1);
    } finally {
      provider.getCode = getCode;
    }
    await passTime(source, 10);
    await proposal(source, 1);
  });

  it("is so again at once where the clock, by which its target was to be left alone, is set back", async () => {
    pair = await startOneStep(open);
    const { source, target } = pair;
    doNotPropose(source, target.partner, 60_000);
    await accept(source, 1);
    await run(source, batcherStep);
    expect(await signedOnes(source)).to.have.length(1);
    source.clock.advance(-60_000);
    await proposal(source, 1);
  });

  it("to a relay that is slow goes in two steps, with what that promised all the same", async () => {
    // Long enough for the question to get there, on a machine that has much else to do.
    pair = await startOneStep(open, { answerTimeoutMs: 3_000 });
    const { target } = pair;
    const asked = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    const check = target.wallet.check.bind(target.wallet);
    target.wallet.check = async (credits) => {
      asked.resolve(undefined);
      await goOn.promise;
      return check(credits);
    };
    const { source } = pair;
    const { id, transfers } = await proposal(source);
    await run(source, proposerStep);
    await asked.promise;
    expect(await signedOnes(source)).to.deep.equal([{ acceptance: null }]);
    goOn.resolve(undefined);
    await run(source, openerStep);
    await until(async () => (await count(target, "decisions")) === 1);
    await runAll(pair);
    expect(await target.db.query("SELECT batch, signature IS NULL AS unsigned FROM decisions")).to.deep.equal([
      { batch: fromHex(id), unsigned: false },
    ]);
    expect(await statusesOf(source, transfers)).to.deep.equal(["credited", "credited", "credited"]);
  });

  it("to a relay whose wallet is silent, or that is away, goes in two steps", async () => {
    pair = await startOneStep(open);
    pair.wallet.fateOf = (path) => (path === "credits/check" ? "refused" : "answered");
    await expectTwoSteps();
  });

  it("and is not what its header commits to is refused, and nobody is asked about", async () => {
    pair = await startOneStep(open);
    const { source, target, wallet } = pair;
    const { id, payload } = await proposal(source);
    wallet.checkReason = () => {
      throw new Error("asked");
    };
    const [first, ...others] = payload.transfers;
    if (first === undefined) throw new Error("it has transfers");
    const creditor = { alias: { type: "MSISDN", value: "+639170000000" } };
    for (const transfers of [
      others,
      [{ ...first, targetAmount: first.targetAmount - 1n }, ...others],
      [{ ...first, details: { ...first.details, creditor } }, ...others],
    ]) {
      const refused = await ask(pair, id, { ...payload, transfers }).catch((error: unknown) => error);
      expect(refused).to.include({ status: 400, problem: "malformed-message" });
    }
    const other = { ...payload, header: { ...payload.header, count: 2 } };
    const stranger = await ask(pair, id, other).catch((error: unknown) => error);
    expect(stranger).to.include({ status: 403, problem: "wrong-sender" });
    expect(await count(target, "credits")).to.equal(0);
  });

  it("is never promised on another payload than the one that is kept, by which customers are credited", async () => {
    pair = await startOneStep(open);
    const { source, target } = pair;
    const { id, payload } = await proposal(source);
    const more = payload.transfers.map((transfer) => ({ ...transfer, targetAmount: transfer.targetAmount * 2n }));
    await peerClient(source).sendPayload(target.partner, id, { ...payload, transfers: more });
    const refused = await ask(pair, id, payload).catch((error: unknown) => error);
    expect(refused).to.include({ status: 409, problem: "payload-conflict" });
    expect([await count(target, "credits"), await count(target, "decisions")]).to.deep.equal([0, 0]);
  });

  it("and could not be opened is refused, and nobody is asked about", async () => {
    pair = await startOneStep(open);
    const { source } = pair;
    const { id, payload } = await proposal(source);
    await passTime(source, payload.header.quote.validUntil + 1 - (await networkHelpers.time.latest()));
    const refused = await ask(pair, id, payload).catch((error: unknown) => error);
    expect(refused).to.include({ status: 409, problem: "not-openable" });
    // The source knows as well: its transfers are in no batch, and in another one next.
    await run(source, proposerStep);
    expect(await source.db.query("SELECT id FROM batches")).to.deep.equal([]);
  });

  it("waits for a promise of one of its UETRs that may lapse, and is not refused for it", async () => {
    pair = await startOneStep(open);
    const { source } = pair;
    const first = await proposal(source);
    await ask(pair, first.id, first.payload);
    await forget(source);
    const second = await proposal(source, 1);
    expect(second.transfers).to.have.length(1);
    const refused = await ask(pair, second.id, second.payload).catch((error: unknown) => error);
    expect(refused).to.include({ status: 503, problem: "unavailable" });
    await passTime(source, 2 * VALID_SECONDS);
    await runAll(pair);
    expect(await statusesOf(source, first.transfers)).to.deep.equal(["credited", "credited", "credited"]);
  });

  for (const [side, points] of [
    ["source", ["batcher.stored", "proposer.answered", "batch.signed", "proposer.signed", "opener.submitted"]],
    ["target", ["proposal.checked", "proposal.promised", "proposal.signed", "watcher.written"]],
  ] as const) {
    for (const point of points) {
      it(`loses and doubles nothing where the ${side} dies at ${point}`, async () => {
        pair = await startOneStep(open);
        const { source, target, wallet } = pair;
        const [first, ...others] = await accept(source, 4);
        wallet.checkReason = ({ uetr }) => (uetr === first?.uetr ? "AC03" : undefined);
        pair[side].killAt(point, side === "source" ? 1 : 2);
        await runAll(pair);
        await passTime(source, 2 * VALID_SECONDS);
        await runAll(pair);
        const refused = await statusesOf(source, first === undefined ? [] : [first]);
        expect(["failed AC03", "rejected AC03"]).to.include(refused[0]);
        expect(await statusesOf(source, others)).to.deep.equal(["credited", "credited", "credited"]);
        expect(new Set(wallet.asked).size).to.equal(3);
        expect(wallet.posted.size).to.equal(3);
        expect(await count(target, "credits")).to.equal(3);
        expect(await statuses(source)).to.deep.equal(await statuses(target));
      });
    }
  }

  it("loses nothing where the source dies after what was refused has been left out", async () => {
    pair = await startOneStep(open);
    const { source, wallet } = pair;
    const [first, ...others] = await accept(source, 4);
    wallet.checkReason = ({ uetr }) => (uetr === first?.uetr ? "AC03" : undefined);
    source.killAt("proposer.withdrawn");
    await runAll(pair);
    expect(await statusesOf(source, first === undefined ? [] : [first])).to.deep.equal(["failed AC03"]);
    expect(await statusesOf(source, others)).to.deep.equal(["credited", "credited", "credited"]);
  });
});
