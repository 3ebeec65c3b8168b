import { formatInstant } from "../../../../src/domain/instant.ts";
import { expect } from "chai";
import { fromHex, toHex, type Hex } from "../../../../src/domain/bytes/hex.ts";
import { transferLeaf } from "../../../../src/domain/transfer.ts";
import type { Uetr } from "../../../../src/domain/uetr.ts";
import type { Step } from "../../../../src/features/context.ts";
import { confirmerStep } from "../../../../src/features/remittance/steps/confirmer.ts";
import { crediterStep } from "../../../../src/features/remittance/steps/crediter.ts";
import { responderStep } from "../../../../src/features/remittance/steps/responder.ts";
import { settlerStep } from "../../../../src/features/remittance/steps/settler.ts";
import { WalletError } from "../../../../src/features/wallet/connector.ts";
import { countStuckCredits } from "../../../../src/features/remittance/store/credits.ts";
import { eventsAfter } from "../../../../src/kernel/store/events.ts";
import type { NewTransfer } from "../../../../src/features/remittance/store/transfers.ts";
import { numberOf } from "../../../../src/kernel/store/values.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { openedBatch, readLedger, startPair, startPeer, type Pair } from "../../support/peers.ts";
import { Killed, run, SETTINGS, type TestRelay } from "../../support/relay-context.ts";

/** Longer than a pass takes, however slow the machine is: what has failed is due again once a test says so. */
const RETRY = { firstDelayMs: 120_000, maxDelayMs: 120_000 };

describeOnBothDatabases("crediter and confirmer", (open) => {
  let pair: Pair;
  beforeEach(async () => (pair = await startPair(open, { retry: RETRY })));
  afterEach(() => pair.close());

  /** On both clocks: the relays refuse each other's messages where these are too far apart. */
  const pauseIsOver = () => {
    for (const { clock } of [pair.source, pair.target]) clock.advance(RETRY.maxDelayMs);
  };

  interface Row {
    readonly uetr: Uetr;
    readonly credited_at: bigint | null;
    readonly reference: string | null;
    readonly last_error: string | null;
    readonly attempts: number;
  }
  const rows = ({ db }: TestRelay) =>
    db.query<Row>("SELECT uetr, credited_at, reference, last_error, attempts FROM credits ORDER BY uetr");
  const events = async ({ db }: TestRelay, type: string) =>
    (await eventsAfter(db, 0n, 1_000, [type])).map(({ uetr, data }) => ({ uetr, data }));
  const confirmed = async ({ db }: TestRelay) =>
    (
      await db.query<{ uetr: string }>(
        "SELECT t.uetr FROM confirmations c JOIN transfers t ON t.seq BETWEEN c.first_seq AND c.last_seq ORDER BY t.uetr",
      )
    ).map(({ uetr }) => uetr);
  const uetrsOf = (transfers: readonly { readonly uetr: Uetr }[]) => transfers.map(({ uetr }) => uetr).sort();
  const dies = async (relay: TestRelay, point: string, step: Step) => {
    relay.killAt(point);
    expect(await step(relay).catch((error: unknown) => error), point).to.be.instanceOf(Killed);
  };

  /** A batch that the ledger has settled, as the target has read. */
  async function settled(count = 3): Promise<{ readonly id: Hex; readonly transfers: readonly NewTransfer[] }> {
    const batch = await openedBatch(pair, count);
    await run(pair.target, responderStep);
    await run(pair.target, settlerStep);
    await readLedger(pair.target);
    return batch;
  }

  it("credits each customer whom the ledger has paid for, and tells the source, whose customer hears of it", async () => {
    const { source, target, wallet } = pair;
    const { id, transfers } = await settled();
    // By the relay's clock, which may be ahead of the machine's: a time far from it would not be believed.
    wallet.creditedAt = formatInstant(target.clock.nowMs());
    await run(target, crediterStep);

    expect([...wallet.posted.keys()].sort()).to.deep.equal(uetrsOf(transfers));
    for (const { uetr, targetAmount } of transfers) {
      const minor = String(targetAmount);
      expect(wallet.posted.get(uetr)).to.deep.include({ batchId: id, amount: { currency: "PHP", minor } });
    }
    const credits = await rows(target);
    expect(credits.every(({ credited_at }) => credited_at === BigInt(Date.parse(wallet.creditedAt)))).to.equal(true);
    expect((await events(target, "credit.posted")).map(({ uetr }) => uetr)).to.have.members(uetrsOf(transfers));
    expect(target.woken).to.include("confirmer");

    await run(target, confirmerStep);
    expect(await confirmed(source), "before it has read of the settlement").to.deep.equal([]);
    await readLedger(source);
    pauseIsOver();
    await run(target, confirmerStep);
    expect(await confirmed(source)).to.deep.equal(uetrsOf(transfers));
    const told = await events(source, "transfer.credited");
    expect(told.map(({ uetr }) => uetr)).to.have.members(uetrsOf(transfers));
    expect(told[0]?.data).to.deep.equal({ creditedAt: wallet.creditedAt });
    expect(source.woken).to.include("notifier");
  });

  it("credits nobody before the batch has settled", async () => {
    const { target, wallet } = pair;
    await openedBatch(pair);
    await run(target, responderStep);
    expect(await rows(target)).to.have.length(3);
    await run(target, crediterStep);
    await run(target, settlerStep);
    await run(target, crediterStep);
    expect(wallet.asked).to.deep.equal([]);
  });

  it("credits once and confirms once, wherever it dies and however often", async () => {
    const { source, target, wallet } = pair;
    const { transfers } = await settled();
    await readLedger(source);
    for (const point of ["crediter.credited", "crediter.credited", "crediter.recorded"]) {
      await dies(target, point, crediterStep);
    }
    await run(target, crediterStep);
    for (const point of ["confirmer.sent", "confirmer.sent", "confirmer.recorded"]) {
      await dies(target, point, confirmerStep);
    }
    await run(target, confirmerStep);

    expect(wallet.asked.length).to.equal(9);
    expect([...wallet.posted.keys()].sort()).to.deep.equal(uetrsOf(transfers));
    expect((await rows(target)).map(({ attempts }) => attempts)).to.deep.equal([0, 0, 0]);
    expect(await events(target, "credit.posted")).to.have.length(3);
    expect(await events(source, "transfer.credited")).to.have.length(3);
    expect(await confirmed(source)).to.deep.equal(uetrsOf(transfers));
  });

  it("asks again when the wallet has credited and its answer is lost, and nobody gets it twice", async () => {
    const { target, wallet } = pair;
    const { transfers } = await settled();
    wallet.fateOf = (path) => (path === "credits" ? "answer lost" : "answered");
    await run(target, crediterStep);
    expect(wallet.posted.size).to.equal(3);
    expect((await rows(target)).map(({ last_error }) => last_error)).to.deep.equal(
      Array(3).fill("the wallet does not answer"),
    );
    expect(await events(target, "credit.stuck")).to.deep.equal([]);

    wallet.fateOf = () => "answered";
    await run(target, crediterStep);
    expect(wallet.asked, "the pause is not over").to.have.length(3);
    pauseIsOver();
    await run(target, crediterStep);
    expect(wallet.asked).to.have.length(6);
    expect(
      (await rows(target)).every(({ credited_at, last_error }) => credited_at !== null && last_error === null),
    ).to.equal(true);
    expect([...wallet.posted.keys()].sort()).to.deep.equal(uetrsOf(transfers));
  });

  it("asks again for those that are left out of an answer, and only for them", async () => {
    const { target, wallet } = pair;
    const { transfers } = await settled();
    const [left] = uetrsOf(transfers);
    wallet.leaveOut = (uetr) => uetr === left;
    await run(target, crediterStep);
    expect(
      (await rows(target)).filter(({ credited_at }) => credited_at === null).map(({ uetr }) => uetr),
    ).to.deep.equal([left]);
    wallet.leaveOut = () => false;
    pauseIsOver();
    await run(target, crediterStep);
    expect(wallet.asked.slice(3)).to.deep.equal([left]);
  });

  it("raises the alarm once where the wallet refuses what has settled, and goes on asking until it does not", async () => {
    const { source, target, wallet } = pair;
    const { transfers } = await settled();
    const [stuck] = uetrsOf(transfers);
    wallet.creditReason = ({ uetr }) => (uetr === stuck ? "AC06" : undefined);
    for (let rounds = 0; rounds < 3; rounds++) {
      await run(target, crediterStep);
      pauseIsOver();
    }
    expect(await events(target, "credit.stuck")).to.deep.equal([{ uetr: stuck, data: { reason: "AC06" } }]);
    expect((await rows(target))[0]).to.deep.include({ uetr: stuck, last_error: "AC06", attempts: 3 });
    expect((await target.metrics.stuckCredits.get()).values[0]?.value).to.equal(1);
    await run(target, confirmerStep);
    expect(await confirmed(source), "not before all are credited").to.deep.equal([]);

    wallet.creditReason = () => undefined;
    await run(target, crediterStep);
    expect((await target.metrics.stuckCredits.get()).values[0]?.value).to.equal(0);
    await readLedger(source);
    await run(target, confirmerStep);
    expect(await confirmed(source)).to.deep.equal(uetrsOf(transfers));
  });

  it("never asks for what the ledger has refunded, whatever its own rows promise", async () => {
    const { target, wallet } = pair;
    const { id, transfers } = await settled();
    const [refunded] = transfers;
    if (refunded === undefined) throw new Error("test set-up: a transfer");
    const rejected = [{ leaf: toHex(transferLeaf(refunded)), code: "0x41433033" }];
    await target.db.query("UPDATE ledger_batches SET rejected = $2::jsonb WHERE id = $1", [
      fromHex(id),
      JSON.stringify(rejected),
    ]);
    await run(target, crediterStep);
    target.clock.advance(10 ** 9);
    await run(target, crediterStep);
    expect(wallet.asked).to.have.length(2).and.not.to.include(refunded.uetr);
    expect(await events(target, "credit.stuck")).to.deep.equal([
      { uetr: refunded.uetr, data: { reason: "the ledger has refunded it" } },
    ]);
  });

  it("takes a credit for posted whatever text and time come with it, and tells the source a time that it takes", async () => {
    const { source, target, wallet } = pair;
    const { transfers } = await settled();
    await readLedger(source);
    const says = ["0001-01-01T00:00:00Z", "+275760-09-13T00:00:00.000Z", "9999-12-31T23:59:59Z"];
    const poisoned: TestRelay["wallet"] = {
      ...target.wallet,
      credit: async (credits) =>
        (await target.wallet.credit(credits)).map((result, index) => {
          return { ...result, reference: "a\0b\ud800c", creditedAtMs: Date.parse(says[index] ?? "") };
        }),
    };
    const before = Date.now();
    await run({ ...target, wallet: poisoned }, crediterStep);
    expect(wallet.posted.size).to.equal(3);
    for (const { credited_at, reference, attempts } of await rows(target)) {
      expect(reference).to.equal("a\uFFFDb\uFFFDc");
      expect(attempts).to.equal(0);
      expect(Number.parseInt(String(credited_at), 10)).to.be.at.least(before);
    }
    await run(target, confirmerStep);
    expect(await confirmed(source)).to.deep.equal(uetrsOf(transfers));
    for (const { data } of await events(source, "transfer.credited")) {
      expect(data["creditedAt"]).to.match(/^20\d\d-/);
    }
  });

  it("credits all the others where one fails by a fault, which is recorded, counted and told of", async () => {
    const { target, wallet } = pair;
    const { transfers } = await settled();
    const [bad = "", ...good] = uetrsOf(transfers);
    await target.db.query(
      `CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.credited_at IS NOT NULL AND NEW.uetr = '${bad}' THEN RAISE EXCEPTION 'a value of its own'; END IF;
         RETURN NEW;
       END $$`,
    );
    await target.db.query(
      "CREATE TRIGGER refuse_one BEFORE UPDATE ON credits FOR EACH ROW EXECUTE FUNCTION refuse_one()",
    );
    await run(target, crediterStep);
    const posted = (await rows(target)).filter(({ credited_at }) => credited_at !== null);
    expect(posted.map(({ uetr }) => uetr)).to.deep.equal(good);
    const failed = (await rows(target)).find(({ uetr }) => uetr === bad);
    expect(failed?.attempts).to.equal(1);
    expect(failed?.last_error).to.contain("a value of its own");
    expect(await events(target, "credit.stuck")).to.deep.equal([
      { uetr: bad, data: { reason: "a fault of this relay" } },
    ]);
    expect((await target.metrics.stuckCredits.get()).values[0]?.value).to.equal(1);

    await target.db.query("DROP TRIGGER refuse_one ON credits");
    pauseIsOver();
    await run(target, crediterStep);
    expect((await target.metrics.stuckCredits.get()).values[0]?.value).to.equal(0);
    expect([...wallet.posted.keys()].sort()).to.deep.equal(uetrsOf(transfers));
  });

  it("records a batch whose payload cannot be opened, and credits those of others", async () => {
    const { target, wallet } = pair;
    const broken = await settled();
    const whole = await settled();
    await target.db.query("UPDATE payloads SET sealed = 'nonsense' WHERE batch = $1", [fromHex(broken.id)]);
    await run(target, crediterStep);
    expect([...wallet.posted.keys()].sort()).to.deep.equal(uetrsOf(whole.transfers));
    const failed = (await rows(target)).filter(({ credited_at }) => credited_at === null);
    expect(failed.map(({ uetr }) => uetr)).to.deep.equal(uetrsOf(broken.transfers));
    expect(failed.every(({ attempts, last_error }) => attempts === 1 && last_error !== null)).to.equal(true);
    expect(await events(target, "credit.stuck")).to.have.length(3);
  });

  it("asks for those alone that fail with others, so that one that the wallet fails on keeps nobody waiting", async () => {
    const { target, wallet } = pair;
    const { transfers } = await settled(5);
    const [bad] = uetrsOf(transfers);
    const failing: TestRelay["wallet"] = {
      ...target.wallet,
      credit: (credits) =>
        credits.some(({ uetr }) => uetr === bad)
          ? Promise.reject(new WalletError("/credits: answered 500"))
          : target.wallet.credit(credits),
    };
    for (let rounds = 0; rounds < 4; rounds++) {
      await run({ ...target, wallet: failing }, crediterStep);
      pauseIsOver();
    }
    expect([...wallet.posted.keys()].sort()).to.deep.equal(uetrsOf(transfers).slice(1));
  });

  it("counts as stuck what nothing has come of for a while", async () => {
    const { target } = pair;
    const { id } = await settled();
    const [batch] = await target.db.query<{ final_time_s: bigint }>(
      "SELECT final_time_s FROM ledger_batches WHERE id = $1",
      [fromHex(id)],
    );
    const settledAtMs = numberOf(batch?.final_time_s ?? 0n) * 1_000;
    expect(await countStuckCredits(target.db, settledAtMs + 60_000)).to.equal(0);
    expect(await countStuckCredits(target.db, settledAtMs + 61_000)).to.equal(3);
  });

  it("takes many in calls of a hundred", async () => {
    await pair.close();
    pair = await startPair(open, { retry: RETRY, batch: { ...SETTINGS.batch, maxTransfers: 250 } });
    const { target, wallet } = pair;
    const { transfers } = await settled(250);
    const sizes: number[] = [];
    const counting: TestRelay["wallet"] = {
      ...target.wallet,
      credit(credits) {
        sizes.push(credits.length);
        return target.wallet.credit(credits);
      },
    };
    await run({ ...target, wallet: counting }, crediterStep);
    expect(sizes.toSorted((left, right) => left - right)).to.deep.equal([50, 100, 100]);
    await settled(250);
    await run({ ...target, wallet: { ...counting, mostCredits: 1_000 } }, crediterStep);
    expect(sizes.slice(3), "as many as the wallet takes").to.deep.equal([250]);
    expect([...wallet.posted.keys()]).to.include.members(uetrsOf(transfers));
  });

  it("writes together what several calls have brought, as one at a time can write events", async () => {
    const { target } = pair;
    const { transfers } = await settled(8);
    // After two attempts each is asked for alone.
    await target.db.query("UPDATE credits SET attempts = 2");
    const asked: Uetr[] = [];
    let transactions = 0;
    const counting: TestRelay = {
      ...target,
      wallet: {
        ...target.wallet,
        credit(credits) {
          asked.push(...credits.map(({ uetr }) => uetr));
          return Promise.resolve(
            credits.map(({ uetr }) => ({ uetr, status: "credited", reference: "R", creditedAtMs: 1 }) as const),
          );
        },
      },
      db: {
        ...target.db,
        transaction(work) {
          transactions += 1;
          return target.db.transaction(work);
        },
      },
    };
    await run(counting, crediterStep);
    expect(asked.toSorted()).to.deep.equal(uetrsOf(transfers));
    expect(await events(target, "credit.posted")).to.have.length(8);
    // Four are under way at a time: the first writes, and then those that have come meanwhile.
    expect(transactions).to.be.at.most(4);
  });

  it("confirms once the source is back", async () => {
    const { source, sourcePeer, target } = pair;
    const { transfers } = await settled();
    await sourcePeer.app.close();
    await run(target, crediterStep);
    await run(target, confirmerStep);
    await readLedger(source);
    const back = await startPeer(source);
    pauseIsOver();
    await run(target, confirmerStep);
    expect(await confirmed(source)).to.deep.equal(uetrsOf(transfers));
    await back.app.close();
  });
});
