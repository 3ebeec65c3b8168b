import { expect } from "chai";
import { compose } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";
import { dayOf, formatDay, startOf } from "../../../../src/domain/day.ts";
import { parseUetr, uetrFromRandom, type Uetr } from "../../../../src/domain/uetr.ts";
import { recordConfirmation } from "../../../../src/features/remittance/confirmations.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { judgeRetries } from "../../../../src/features/remittance/intake/retries.ts";
import { voidBatch } from "../../../../src/features/remittance/store/batches.ts";
import { insertRefusals } from "../../../../src/features/remittance/store/refusals.ts";
import { cancelTransfer } from "../../../../src/features/remittance/store/transfers.ts";
import { failWaiting } from "../../../../src/features/remittance/store/waiting-transfers.ts";
import { issueApiKey } from "../../../../src/kernel/access/api-keys.ts";
import { createServer } from "../../../../src/kernel/http/server.ts";
import { expireCall, openCall } from "../../../../src/ledger/calls.ts";
import type { OrdersJson } from "../../../../src/schema/statistics.ts";
import { makeBatch, makeSettlement } from "../../../support/batches.ts";
import { CNY_TO_PHP, GCASH, HKD_TO_HKD, HUB, runPastExpiry } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { NO_ORDERS } from "../../../support/orders.ts";
import { ownBatch } from "../../support/relay-batches.ts";
import { acceptTransfers, passTime, run, testRelay, type TestRelay } from "../../support/relay-context.ts";

const NOON = 12 * 3_600;
/** Beside them, what is unpaid is compared by itself. */
const { unpaid: _, ...NONE } = NO_ORDERS;

describeOnBothDatabases("orders", (open) => {
  it("are counted with what never came onto the ledger, each once, and credited as the target tells", async () => {
    const relay = await testRelay({ db: await open() });
    const { sandbox, db, clock } = relay;
    // Of one day, whenever the test runs.
    const nowSeconds = Math.floor(clock.nowMs() / 1_000);
    await passTime(relay, startOf(dayOf(nowSeconds) + 1) + NOON - nowSeconds);
    const courier = await sandbox.submitterOf({ kind: "courier" });
    // Somebody else's are none of this relay's orders.
    const others = await makeBatch(sandbox, { corridor: CNY_TO_PHP });
    await courier.submit(others.open);

    const settled = await ownBatch(relay, { count: 4 });
    const held = await ownBatch(relay, { count: 2 });
    for (const { header, send, quote } of [settled, held]) {
      await courier.submit(openCall(sandbox.ledger, header, send, quote));
    }
    await courier.submit(await makeSettlement(sandbox, settled, { 1: "AC03" }));
    await run(relay, watcherStep);

    const [first, second, third, ...kept] = await acceptTransfers(relay, 5, { corridor: HKD_TO_HKD });
    if (first === undefined || second === undefined || third === undefined) throw new Error("there are five");
    expect(await db.transaction((tx) => cancelTransfer(tx, first.uetr, clock.nowMs()))).to.equal(true);
    expect(await db.transaction((tx) => cancelTransfer(tx, first.uetr, clock.nowMs()))).to.equal(false);
    const failing = [second.uetr, third.uetr, first.uetr];
    expect(await db.transaction((tx) => failWaiting(tx, failing, "AM04", clock.nowMs()))).to.have.length(2);
    // Erasing changes the row, and not what became of it.
    await db.query("UPDATE transfers SET sealed = NULL WHERE ended IS NOT NULL");
    await refuse(relay, ["no-quote", "invalid-request", "quote-not-found"]);
    const again = await refuse(relay, ["amount-too-large"]);
    await refuse(relay, ["amount-too-large"], again);
    expect(kept).to.have.length(2);

    const paid = settled.transfers.filter((_, index) => index !== 1).map(({ uetr }) => uetr);
    const confirm = (uetrs: readonly Uetr[]) =>
      recordConfirmation(relay, GCASH, settled.id, {
        credits: uetrs.map((uetr) => ({ uetr, creditedAt: clock.nowMs() })),
      });
    // Told twice at once, as by a relay whose first telling seemed lost.
    const twice = await Promise.all([confirm(paid.slice(0, 2)), confirm(paid.slice(0, 2))]);
    expect(twice).to.deep.equal(["recorded", "recorded"]);
    // The second is told again, with nothing new.
    expect(await confirm(paid.slice(1, 2))).to.equal("recorded");

    const day = formatDay(dayOf(clock.nowMs() / 1_000));
    const { days, total } = await ask(relay, "");
    expect(days.filter((row) => row.day !== day)).to.deep.equal([]);
    expect(days.map(({ target }) => target)).to.deep.equal([HUB, GCASH, undefined]);
    const [toHub, toGcash, refused] = days;
    expect(toHub).to.deep.include({ ...NONE, orders: 3, failed: 2, cancelled: 1 });
    expect(toHub?.unpaid).to.deep.equal([
      { reason: "AM04", class: "liquidity", transfers: 2 },
      { reason: "cancelled", class: "payer", transfers: 1 },
    ]);
    expect(toGcash).to.deep.include({ ...NONE, orders: 4, credited: 2, uncredited: 1, rejected: 1, open: 2 });
    expect(refused).to.deep.include({ ...NONE, orders: 4, refused: 4 });
    expect(new Set(refused?.unpaid)).to.deep.equal(
      new Set([
        { reason: "AM02", class: "payer", transfers: 1 },
        { reason: "FF01", class: "technical", transfers: 1 },
        { reason: "no-quote", class: "liquidity", transfers: 1 },
        { reason: "quote-not-found", class: "technical", transfers: 1 },
      ]),
    );
    const sums = { orders: 11, credited: 2, uncredited: 1, rejected: 1, failed: 2, cancelled: 1, refused: 4, open: 2 };
    expect(total).to.deep.include({ ...NONE, ...sums });

    // When the day is fixed, it stays so, though the last customer is told of now.
    await passTime(relay, 3 * 86_400);
    await run(relay, watcherStep);
    expect(await confirm(paid)).to.equal("recorded");
    const later = await ask(relay, `?from=${day}&to=${day}`);
    expect(later.days.map(({ isProvisional, ...row }) => [isProvisional, row])).to.deep.equal(
      days.map(({ isProvisional: _, ...row }) => [false, row]),
    );
  });

  it("count each once that is tried again, where its latest attempt is, and tell which were paid at the first", async () => {
    const relay = await testRelay({ db: await open() });
    const { sandbox, db, clock } = relay;
    const nowSeconds = Math.floor(clock.nowMs() / 1_000);
    await passTime(relay, startOf(dayOf(nowSeconds) + 1) + NOON - nowSeconds);
    const courier = await sandbox.submitterOf({ kind: "courier" });
    const toLedger = async ({ header, send, quote }: Awaited<ReturnType<typeof ownBatch>>) => {
      await courier.submit(openCall(sandbox.ledger, header, send, quote));
    };
    const uetrsOf = (batch: { readonly transfers: readonly { readonly uetr: Uetr }[] }) =>
      batch.transfers.map(({ uetr }) => uetr);
    const whyNot = async (retryOf: Uetr) => {
      const uetr = uetrFromRandom(relay.drawBytes(16));
      return (await judgeRetries(relay, [{ uetr, retryOf }])).get(uetr)?.detail;
    };

    const [first, expiring, unopened] = [
      await ownBatch(relay, { count: 3 }),
      await ownBatch(relay, { count: 1 }),
      await ownBatch(relay, { count: 2 }),
    ];
    await toLedger(first);
    await toLedger(expiring);
    await run(relay, watcherStep);
    const [paid, rejected, alsoRejected] = uetrsOf(first);
    const [expired] = uetrsOf(expiring);
    const [voided] = uetrsOf(unopened);
    if (paid === undefined || rejected === undefined || alsoRejected === undefined) throw new Error("there are three");
    if (expired === undefined || voided === undefined) throw new Error("there are two batches");
    expect(await whyNot(rejected)).to.equal("it is held: it may be paid yet");
    expect(await whyNot(voided)).to.equal("it is batched: it may be paid yet");
    await courier.submit(await makeSettlement(sandbox, first, { 1: "AC03", 2: "RR04" }));
    await runPastExpiry(sandbox, expiring);
    await courier.submit(expireCall(sandbox.ledger, expiring.header));
    await run(relay, watcherStep);
    await db.transaction((tx) => voidBatch(tx, unopened.id, false, clock.nowMs()));
    expect(await whyNot(paid)).to.equal("it was paid");
    const [failed] = await acceptTransfers(relay, 1, { corridor: HKD_TO_HKD });
    await db.transaction((tx) => failWaiting(tx, [failed?.uetr ?? paid], "AM04", clock.nowMs()));
    const day = formatDay(dayOf(clock.nowMs() / 1_000));
    const before = { orders: 7, uncredited: 1, rejected: 2, expired: 1, failed: 3 };
    expect((await ask(relay, "")).total).to.deep.include({ ...NONE, ...before });

    // What was rejected has a second attempt that is refused, and a third one that is paid, as has what had expired.
    const refusal = { kind: "refused", code: "no-quote", detail: "as it was" };
    const second = uetrFromRandom(relay.drawBytes(16));
    const retry = { uetr: second, refusal, refusedAt: clock.nowMs(), retryOf: rejected };
    expect(await insertRefusals(db, [retry])).to.equal("written");
    expect(await insertRefusals(db, [{ ...retry, uetr: uetrFromRandom(relay.drawBytes(16)) }])).to.equal("tried again");
    const retried = await ownBatch(relay, { count: 4, retriesOf: [second, expired, voided, failed?.uetr ?? paid] });
    // All of them are counted in what is open, or waits: none has ended.
    const meanwhile = { orders: 3, uncredited: 1, rejected: 2, expired: 1, failed: 3, refused: 1, retried: 5 };
    expect((await ask(relay, "")).total).to.deep.include({ ...NONE, ...meanwhile });
    await toLedger(retried);
    await run(relay, watcherStep);
    await courier.submit(await makeSettlement(sandbox, retried, { 3: "AC03" }));
    await run(relay, watcherStep);
    const credited = [
      [first, [paid]],
      [retried, uetrsOf(retried).slice(0, 3)],
    ] as const;
    for (const [{ id }, uetrs] of credited) {
      const credits = uetrs.map((uetr) => ({ uetr, creditedAt: clock.nowMs() }));
      expect(await recordConfirmation(relay, GCASH, id, { credits })).to.equal("recorded");
    }
    const { days, total } = await ask(relay, "");
    const after = { orders: 7, credited: 4, recovered: 3, rejected: 3, expired: 1, failed: 3, refused: 1, retried: 5 };
    expect(total).to.deep.include({ ...NONE, ...after });
    expect(days.map(({ target, orders }) => [target, orders])).to.deep.equal([
      [HUB, 0],
      [GCASH, 7],
      [undefined, 0],
    ]);

    // Once a day's figures are fixed, what is tried again then is an order of the day on which it is.
    await passTime(relay, 3 * 86_400);
    await run(relay, watcherStep);
    await acceptTransfers(relay, 1, { corridor: HKD_TO_HKD, retriesOf: [alsoRejected] });
    const later = await ask(relay, `?from=${day}&to=${day}`);
    expect(later.total).to.deep.equal(total);
  });

  it("are not counted for a change that is not kept", async () => {
    const relay = await testRelay({ db: await open() });
    await run(relay, watcherStep);
    const [transfer] = await acceptTransfers(relay, 1, { corridor: HKD_TO_HKD });
    const failure = await relay.db
      .transaction(async (tx) => {
        await cancelTransfer(tx, parseUetr(transfer?.uetr ?? ""), relay.clock.nowMs());
        throw new Error("killed");
      })
      .catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error);
    expect((await ask(relay, "")).total.orders).to.equal(0);
  });
});

/** @returns the UETR of the last */
async function refuse({ db, clock, drawBytes }: TestRelay, codes: readonly string[], uetr?: Uetr): Promise<Uetr> {
  const refusals = codes.map((code) => ({
    uetr: uetr ?? uetrFromRandom(drawBytes(16)),
    refusal: { kind: "refused", code, detail: "as it was" },
    refusedAt: clock.nowMs(),
  }));
  await insertRefusals(db, refusals);
  const last = refusals.at(-1);
  if (last === undefined) throw new Error("nothing is refused");
  return last.uetr;
}

async function ask(relay: TestRelay, query: string): Promise<OrdersJson> {
  const readiness = () => Promise.resolve({ ready: true, reasons: [] });
  const app = await createServer(relay, { ...(await compose(FEATURES)).served(relay), readiness });
  const { text } = await issueApiKey(relay, { label: "test", scopes: ["read"], rateLimit: 1_000 });
  const headers = { authorization: `Bearer ${text}` };
  const answer = await app.inject({ method: "GET", url: `/v1/stats/orders${query}`, headers });
  expect(answer.statusCode, answer.body).to.equal(200);
  return answer.json();
}
