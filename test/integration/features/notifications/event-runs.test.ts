import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { toHex, type Hex } from "../../../../src/domain/bytes/hex.ts";
import { uetrFromRandom, type Uetr } from "../../../../src/domain/uetr.ts";
import {
  deliveriesDue,
  insertWebhook,
  planDeliveries,
  redeliver,
} from "../../../../src/features/notifications/store.ts";
import { strayEvents } from "../../../../src/features/remittance/store/reconciled-rows.ts";
import { createRandom, type Random } from "../../../../src/kernel/random.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import {
  appendEvents,
  eventsAbout,
  eventsAfter,
  lastEventSeq,
  type NewEvent,
  type NewEvents,
  type StoredEvent,
} from "../../../../src/kernel/store/events.ts";
import { migrate } from "../../../../src/kernel/store/migrate.ts";
import { bytesList, numberOf } from "../../../../src/kernel/store/values.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";

const MIGRATIONS = new URL("../../../../src/kernel/store/migrations/", import.meta.url);
const RUNS = "0021-event-runs.sql";
const ROUNDS = 12;
/** Some runs are longer than a row. */
const LENGTHS = [0, 1, 1, 2, 3, 17, 63, 64, 65, 150];
const HOOK = "5d4e3f10-0000-4000-8000-000000000001";
const ALL = 100_000;

type Written = NewEvent | NewEvents;

const uetr = (random: Random): Uetr => uetrFromRandom(random.bytes(16));
const batches: readonly Hex[] = [1, 2, 3].map((number) => toHex(new Uint8Array(32).fill(number)));

function oneEvent(random: Random): NewEvent {
  return {
    type: random.pick(["transfer.failed", "transfer.requeued", "liquidity.low", "webhook.dead"]),
    uetr: random.below(2) === 0 ? uetr(random) : undefined,
    batch: random.below(2) === 0 ? random.pick(batches) : undefined,
    at: random.below(1_000),
    data: { reason: random.pick(["AB03", "FF01"]) },
  };
}

function manyEvents(random: Random): NewEvents {
  const uetrs = Array.from({ length: random.pick(LENGTHS) }, () => uetr(random));
  const owns: readonly (() => NewEvents["own"])[] = [
    () => undefined,
    () => uetrs.map(() => ({ creditedAt: "the same" })),
    () =>
      uetrs.map((_, index) => ({
        reference: `R${index}`,
        creditedAt: "the same",
        amount: { minor: String(index % 3) },
      })),
    // Not all have the same members.
    () => uetrs.map((_, index) => (index % 2 === 0 ? {} : { transaction: "its own", code: index % 5 })),
  ];
  return {
    type: random.pick(["transfer.held", "transfer.settled", "transfer.credited", "credit.posted"]),
    batch: random.pick(batches),
    at: random.below(1_000),
    ledger: random.below(2) === 0 ? { block: random.below(9), logIndex: random.below(9) } : undefined,
    uetrs,
    data: random.pick([{}, { transaction: "0x01", time: "now" }]),
    own: random.pick(owns)(),
  };
}

/** The same as rows of one. */
function oneByOne(event: Written): readonly NewEvent[] {
  if (!("uetrs" in event)) return [event];
  const { uetrs, own, ...common } = event;
  return uetrs.map((each, index) => ({ ...common, uetr: each, data: { ...common.data, ...own?.[index] } }));
}

describeOnBothDatabases("Events in runs", (open) => {
  let runs: Database;
  let rows: Database;
  let written: readonly Written[];

  beforeEach(async () => {
    [runs, rows] = [await open(), await open()];
    const random = createRandom("runs of events");
    const all: Written[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const some = Array.from({ length: 1 + random.below(4) }, () =>
        random.below(3) === 0 ? oneEvent(random) : manyEvents(random),
      );
      await runs.transaction((tx) => appendEvents(tx, some));
      await rows.transaction((tx) => appendEvents(tx, some.flatMap(oneByOne)));
      all.push(...some);
    }
    written = all;
  });

  /** Without the epoch, which each database has its own of. */
  const plain = (events: readonly StoredEvent[]) =>
    events.map(({ id, ...event }) => ({ ...event, id: id.split("_")[2] }));
  const both = async <Result>(ask: (db: Database) => Promise<Result>): Promise<Result> => {
    const [ofRuns, ofRows] = [await ask(runs), await ask(rows)];
    expect(ofRuns).to.deep.equal(ofRows);
    return ofRuns;
  };
  const rowsIn = async (db: Database) => (await db.query("SELECT FROM events")).length;

  it("are as many, and far fewer rows", async () => {
    const events = written.flatMap(oneByOne).length;
    expect(await both(lastEventSeq)).to.equal(BigInt(events));
    expect(await rowsIn(rows)).to.equal(events);
    expect(await rowsIn(runs)).to.be.lessThan(events / 10);
  });

  it("are read as if each was a row, from any place, in pages of any size, by type", async () => {
    const all = await both(async (db) => plain(await eventsAfter(db, 0n, ALL)));
    const random = createRandom("pages");
    for (let page = 0; page < 60; page++) {
      const [after, limit] = [BigInt(random.below(all.length + 2)), 1 + random.below(200)];
      const types = random.pick([undefined, ["transfer.held"], ["credit.posted", "liquidity.low"], []]);
      const found = await both(async (db) => plain(await eventsAfter(db, after, limit, types)));
      const expected = all.filter(({ seq, type }) => seq > after && types?.includes(type) !== false).slice(0, limit);
      expect(found).to.deep.equal(expected);
    }
  });

  it("are delivered as if each was a row, whatever is planned at a time", async () => {
    const random = createRandom("deliveries");
    const limits = Array.from({ length: 2_000 }, () => 1 + random.below(90));
    const delivered = await both(async (db) => {
      const hook = { id: HOOK, url: "https://wallet.example/", createdAt: 1, sealedSecret: new Uint8Array(1) };
      await insertWebhook(db, { ...hook, types: ["transfer.held", "credit.posted", "transfer.failed"] });
      await db.query("UPDATE webhooks SET planned_seq = 0");
      for (const limit of limits) if (!(await planDeliveries(db, 1, limit))) break;
      const due = await deliveriesDue(db, HOOK, 1, ALL);
      return plain(due.map(({ event: { amounts: _, ...event } }) => event));
    });
    const wanted = ["transfer.held", "credit.posted", "transfer.failed"];
    expect(delivered).to.have.length(written.flatMap(oneByOne).filter(({ type }) => wanted.includes(type)).length);
    const head = await lastEventSeq(runs);
    for (const seq of [1n, head / 2n, head]) {
      expect(await both((db) => db.transaction((tx) => redeliver(tx, HOOK, seq, 1)))).to.equal(true);
    }
    expect(await both((db) => db.transaction((tx) => redeliver(tx, HOOK, head + 1n, 1)))).to.equal(false);
  });

  it("are found by whom they are about, and gone through by their numbers", async () => {
    const told = written.flatMap(oneByOne).filter((event) => event.uetr !== undefined);
    const random = createRandom("whom they are about");
    for (let time = 0; time < 20; time++) {
      const about = random.pick(told);
      const uetrs = [about.uetr ?? ""];
      const types = await both(async (db) => {
        const found = await db.query<{ type: string }>(
          `SELECT a.type FROM ${eventsAbout("$1::uuid[]", "$2::bytea[]")} AS a WHERE a.uetr = $3::uuid ORDER BY a.type`,
          [uetrs, bytesList(about.batch === undefined ? [] : [about.batch]), about.uetr ?? ""],
        );
        return found.map(({ type }) => type);
      });
      expect(types).to.deep.equal([about.type]);
    }
    for (let after = 0n; ;) {
      const page = await both((db) => strayEvents(db, after, 1 + numberOf(after % 100n)));
      if (page.last === undefined) break;
      after = page.last;
    }
  });
});

describeOnBothDatabases("A database from before events were written in runs", (open) => {
  it("has each row as an event, and goes on with the numbers after them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "feiqian-runs-"));
    const earlier = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql") && name < RUNS);
    for (const name of earlier) await copyFile(new URL(name, MIGRATIONS), join(folder, name));
    const db = await open({ migrated: false });
    await migrate(db, [], { folder: pathToFileURL(`${folder}/`) });
    await rm(folder, { recursive: true });
    const about = uetr(createRandom("of before"));
    const insert =
      "INSERT INTO events (type, uetr, batch, at, data) VALUES ('transfer.held', $1::uuid, 'b', 1, $2::jsonb)";
    await db.query(insert, [about, '{"number": 1}']);
    // A number that nothing has.
    await db.query("SELECT nextval(pg_get_serial_sequence('events', 'seq'))");
    await db.query(insert, [about, '{"number": 3}']);
    expect(await migrate(db)).to.include(RUNS);
    const [batch] = batches;
    const more = { type: "transfer.settled" as const, batch: batch ?? "0x", at: 2, data: {} };
    await db.transaction((tx) =>
      appendEvents(tx, [{ ...more, uetrs: [about, about], own: [{ number: 4 }, { number: 5 }] }]),
    );
    const events = await eventsAfter(db, 0n, 10);
    expect(events.map(({ seq, data }) => [seq, data["number"]])).to.deep.equal([1, 3, 4, 5].map((n) => [BigInt(n), n]));
    expect(new Set(events.map((event) => event.uetr))).to.deep.equal(new Set([about]));
    const hook = { id: HOOK, url: "https://wallet.example/", createdAt: 1, sealedSecret: new Uint8Array(1), types: [] };
    await insertWebhook(db, hook);
    const again = (seq: bigint) => db.transaction((tx) => redeliver(tx, HOOK, seq, 1));
    expect([await again(1n), await again(2n), await again(4n), await again(6n)]).to.deep.equal([
      true,
      false,
      true,
      false,
    ]);
  });
});
