import { expect } from "chai";
import { NO_QUOTE } from "../../../../src/domain/quote.ts";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import { toJson } from "../../../../src/domain/wire.ts";
import { batchesToOpen } from "../../../../src/features/remittance/store/batches.ts";
import { batchesToCredit } from "../../../../src/features/remittance/store/credits.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { batchesToConfirm, batchesToSettle } from "../../../../src/features/remittance/store/decisions.ts";
import { overdueBatches } from "../../../../src/features/remittance/store/ledger-projection.ts";
import { batchesToDecide, payloadsToSend } from "../../../../src/features/remittance/store/payloads.ts";
import { bringBackDueTimes } from "../../../../src/kernel/store/due-times.ts";
import { hexOf, NEVER } from "../../../../src/kernel/store/values.ts";
import { deliveriesDue, endpointsDue } from "../../../../src/features/notifications/store.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";

const [SOURCE, TARGET] = [parsePartnerId(7), parsePartnerId(4)];
const NOW_MS = 1_000_000;
const LIMIT = 4;
/** Far more than are looked at together. */
const FAILING = 50;

const SIGNATURE = JSON.stringify({ key: `0x${"22".repeat(20)}`, signature: "0x00" });
const HEADER = JSON.stringify(
  toJson({
    source: SOURCE,
    target: TARGET,
    sourceCurrency: 344,
    targetCurrency: 344,
    count: 1,
    sourceTotal: 1n,
    targetTotal: 1n,
    fee: 0n,
    expiresAt: 100,
    root: `0x${"00".repeat(32)}`,
    quote: NO_QUOTE,
  }),
);

/** Ids that sort by age. */
const idOf = (place: number) => new Uint8Array(32).fill(place);

/** An old batch that has failed often and is due again, or a new one, in every table that a step finds its work in. */
interface Made {
  readonly place: number;
  readonly attempts: number;
  /** When it is due again; by its place unless given. */
  readonly dueMs?: number;
}

describeOnBothDatabases("What is due, where much of it fails again and again", (open) => {
  let db: Database;
  beforeEach(async () => (db = await open()));

  const ledgerBatch = ({ place }: Made, status: "open" | "settled") =>
    db.query(
      `INSERT INTO ledger_batches (id, source, target, header, expires_at_s, status, opened_block, opened_log,
         opened_time_s, opened_transaction, final_block, final_log, final_time_s, final_transaction)
       VALUES ($1, 7, 4, $2::jsonb, $3, $4, $3, 0, 1, '', ${status === "open" ? "NULL, NULL, NULL, NULL" : "$3, 0, 1, ''"})`,
      [idOf(place), HEADER, place, status],
    );
  const dueOf = ({ place, attempts, dueMs = place }: Made) => (attempts === 0 ? 0 : dueMs);
  const ownBatch = (one: Made) =>
    db.query(
      `INSERT INTO batches (id, target, header, send_signature, quote_signature, signed_at, payload_attempts,
         payload_due_at, open_attempts, open_due_at)
       VALUES ($1, 4, $2::jsonb, $3::jsonb, $3::jsonb, $4, $5, $6, $5, $6)`,
      [idOf(one.place), HEADER, SIGNATURE, one.place, one.attempts, dueOf(one)],
    );
  const payload = (one: Made) =>
    db.query("INSERT INTO payloads (batch, source, received_at, attempts, due_at) VALUES ($1, 7, 1, $2, $3)", [
      idOf(one.place),
      one.attempts,
      dueOf(one),
    ]);
  const decision = (one: Made) =>
    db.query(
      `INSERT INTO decisions (batch, rejections, signature, decided_at, settle_attempts, settle_due_at,
         confirm_attempts, confirm_due_at)
       VALUES ($1, '[]', $2::jsonb, $3, $4, $5, $4, $5)`,
      [idOf(one.place), SIGNATURE, one.place, one.attempts, dueOf(one)],
    );
  const credit = (one: Made) =>
    db.query(
      `INSERT INTO credits (uetr, source, batch, amount, currency, attempts, next_attempt_at)
       VALUES (gen_random_uuid(), 7, $1, 1, 'HKD', $2, $3)`,
      [idOf(one.place), one.attempts, dueOf(one)],
    );

  /** What is found first, and what once that has been tried: the place of each batch. */
  const found = (rows: readonly { readonly id: `0x${string}` }[]) =>
    rows.map(({ id }) => Number.parseInt(id.slice(2, 4), 16));
  const newest = FAILING + 1;

  const cases: Readonly<
    Record<
      string,
      {
        readonly make: (one: Made) => Promise<unknown>;
        readonly find: () => Promise<readonly { readonly id: `0x${string}` }[]>;
      }
    >
  > = {
    "batches to open": { make: ownBatch, find: () => batchesToOpen(db, NOW_MS, LIMIT) },
    "payloads to send": { make: ownBatch, find: () => payloadsToSend(db, NOW_MS, LIMIT) },
    "batches to decide on": {
      make: async (one) => [await ledgerBatch(one, "open"), await payload(one)],
      find: () => batchesToDecide(db, TARGET, NOW_MS, LIMIT),
    },
    "batches to settle": {
      make: async (one) => [await ledgerBatch(one, "open"), await payload(one), await decision(one)],
      find: () => batchesToSettle(db, NOW_MS, LIMIT),
    },
    "batches to credit": {
      make: async (one) => [
        await ledgerBatch(one, "settled"),
        await payload(one),
        await decision(one),
        await credit(one),
      ],
      find: () => batchesToCredit(db, NOW_MS, LIMIT),
    },
    "batches to confirm": {
      make: async (one) => [await ledgerBatch(one, "settled"), await payload(one), await decision(one)],
      find: () => batchesToConfirm(db, NOW_MS, LIMIT),
    },
    "batches to expire": {
      make: async (one) => [
        await ledgerBatch(one, "open"),
        one.attempts > 0 &&
          (await db.query(
            "INSERT INTO step_faults (step, item, attempts, due_at, last_error) VALUES ('sweeper', $1, 1, $2, '')",
            [hexOf(idOf(one.place)), dueOf(one)],
          )),
      ],
      find: () =>
        overdueBatches(
          db,
          SOURCE,
          { times: [{ registry: `0x${"55".repeat(20)}`, timeSeconds: NOW_MS }], othersAfterSeconds: 0 },
          NOW_MS,
          LIMIT,
        ),
    },
  };

  for (const [what, { make, find }] of Object.entries(cases)) {
    it(`has a new one among the ${what}, and the one that has waited longest of those that have failed`, async () => {
      for (let place = 1; place <= FAILING; place++) await make({ place, attempts: 3 });
      expect(found(await find()), "nothing new").to.have.members([1, 2, 3, 4]);
      await make({ place: newest, attempts: 0 });
      expect(found(await find())).to.have.members([newest, 1, 2, 3]);
    });

    it(`has those that have failed among the ${what}, however many new ones there are`, async () => {
      await make({ place: newest, attempts: 3 });
      for (let place = 1; place <= FAILING; place++) await make({ place, attempts: 0 });
      expect(found(await find())).to.have.members([newest, 1, 2, 3]);
    });

    it(`has what was postponed among the ${what} by a clock that was ahead, once the clock is right`, async () => {
      await make({ place: 1, attempts: 3, dueMs: NOW_MS + 2 });
      await make({ place: 2, attempts: 3, dueMs: NOW_MS + 1 });
      expect(await bringBackDueTimes(db, NOW_MS, NOW_MS + 1)).not.to.deep.equal([]);
      expect(found(await find())).to.deep.equal([1]);
      expect(await bringBackDueTimes(db, NOW_MS, NOW_MS + 1), "nothing is left to bring back").to.deep.equal([]);
    });
  }

  const webhook = (place: number, notBefore: number) =>
    db.query<{ id: string }>(
      `INSERT INTO webhooks (id, url, sealed_secret, created_at, after_seq, planned_seq, not_before)
       VALUES (gen_random_uuid(), $1, '', $2, 0, 0, $3) RETURNING id`,
      [`https://wallet.example/${place}`, place, notBefore],
    );
  const delivery = (id: string, attempts: number, dueAt: number) =>
    db.query(
      `WITH event AS (INSERT INTO events (type, at, data) VALUES ('transfer.held', 1, '{}') RETURNING seq)
       INSERT INTO deliveries (webhook, event, attempts, next_attempt_at) SELECT $1::uuid, seq, $2, $3 FROM event`,
      [id, attempts, dueAt],
    );

  it("has new deliveries among those to an endpoint, in turns with those that have failed, in the events' order", async () => {
    const [hook] = await webhook(1, 0);
    if (hook === undefined) throw new Error("no webhook");
    for (let place = 1; place <= FAILING; place++) await delivery(hook.id, 3, place);
    for (let place = 1; place <= FAILING; place++) await delivery(hook.id, 0, place);
    const due = await deliveriesDue(db, hook.id, NOW_MS, LIMIT);
    const [first] = due;
    if (first === undefined) throw new Error("nothing is due");
    const seqs = due.map(({ event }) => Number.parseInt(String(event.seq - first.event.seq), 10));
    expect(seqs).to.deep.equal([0, 1, FAILING, FAILING + 1]);
  });

  it("has new deliveries due while those that have failed are left alone, and the endpoint for them", async () => {
    const [hook] = await webhook(1, 0);
    if (hook === undefined) throw new Error("no webhook");
    await db.query("UPDATE webhooks SET not_before = 1, retry_not_before = $1", [NOW_MS + 1]);
    await delivery(hook.id, 3, 1);
    expect(await endpointsDue(db, NOW_MS, LIMIT)).to.deep.equal([]);
    await delivery(hook.id, 0, 1);
    expect((await endpointsDue(db, NOW_MS, LIMIT)).map(({ id }) => id)).to.deep.equal([hook.id]);
    expect((await deliveriesDue(db, hook.id, NOW_MS, LIMIT)).map(({ attempts }) => attempts)).to.deep.equal([0]);
  });

  it("has an endpoint that answers among those that are down", async () => {
    for (let place = 1; place <= FAILING; place++) {
      const [hook] = await webhook(place, place);
      await delivery(hook?.id ?? "", 3, place);
    }
    const [fine] = await webhook(newest, 0);
    await delivery(fine?.id ?? "", 0, NOW_MS);
    expect((await endpointsDue(db, NOW_MS, LIMIT)).map(({ id }) => id)).to.include(fine?.id);
  });

  it("has deliveries and endpoints that were postponed by a clock that was ahead, once the clock is right", async () => {
    const [hook] = await webhook(1, NOW_MS + 2);
    if (hook === undefined) throw new Error("no webhook");
    await db.query("UPDATE webhooks SET retry_not_before = $1", [NOW_MS + 2]);
    await delivery(hook.id, 3, NOW_MS + 2);
    await delivery(hook.id, 4, NOW_MS + 1);
    expect(await bringBackDueTimes(db, NOW_MS, NOW_MS + 1)).not.to.deep.equal([]);
    expect((await endpointsDue(db, NOW_MS, LIMIT)).map(({ id }) => id)).to.deep.equal([hook.id]);
    expect((await deliveriesDue(db, hook.id, NOW_MS, LIMIT)).map(({ attempts }) => attempts)).to.deep.equal([3]);
  });

  it("has new deliveries that were made out by a clock that was ahead", async () => {
    const [hook] = await webhook(1, 0);
    if (hook === undefined) throw new Error("no webhook");
    await delivery(hook.id, 0, NOW_MS + 1);
    expect((await endpointsDue(db, NOW_MS, LIMIT)).map(({ id }) => id)).to.deep.equal([hook.id]);
    expect((await deliveriesDue(db, hook.id, NOW_MS, LIMIT)).map(({ attempts }) => attempts)).to.deep.equal([0]);
  });

  it("leaves alone what is never due", async () => {
    await db.query("INSERT INTO payloads (batch, source, received_at) VALUES ($1, 7, 1)", [idOf(1)]);
    await ownBatch({ place: 1, attempts: 3, dueMs: 0 });
    await decision({ place: 1, attempts: 3, dueMs: 0 });
    await credit({ place: 1, attempts: 3, dueMs: 0 });
    await db.query(`UPDATE credits SET next_attempt_at = ${NEVER}`);
    await db.query(`UPDATE batches SET payload_due_at = ${NEVER}`);
    expect(await bringBackDueTimes(db, NOW_MS, NOW_MS + 1)).to.deep.equal([]);
  });

  it("has every column in mind that says when something is tried again", async () => {
    const names = await db.query<{ table: string; column: string }>(
      `SELECT table_name AS table, column_name AS column FROM information_schema.columns
       WHERE table_schema = current_schema() AND column_name ~ '(due_at|attempt_at|not_before)$'`,
    );
    const [one, another] = [
      { place: 1, attempts: 3 },
      { place: 2, attempts: 3 },
    ];
    await ownBatch(one);
    for (const batch of [one, another]) await payload(batch);
    for (const batch of [one, another]) await decision(batch);
    await ledgerBatch(one, "open");
    await credit(another);
    const [hook] = await webhook(1, 0);
    await delivery(hook?.id ?? "", 3, 1);
    await db.query(
      "INSERT INTO step_faults (step, item, attempts, due_at, last_error) VALUES ('sweeper', '1', 1, 1, '')",
    );
    for (const { table, column } of names) await db.query(`UPDATE ${table} SET ${column} = $1`, [NOW_MS + 2]);
    const columns = names.map(({ table, column }) => `${table}.${column}`);
    expect(await bringBackDueTimes(db, NOW_MS, NOW_MS + 1)).to.have.members(columns);
  });
});
