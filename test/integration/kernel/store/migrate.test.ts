import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { migrate } from "../../../../src/kernel/store/migrate.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";

/** What each database has made of the same files. */
const columns = new Map<string, unknown>();

describeOnBothDatabases("migrations", (open, kind) => {
  let folder: string;
  let db: Database;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-migrations-"));
    db = await open({ migrated: false });
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (name: string, sql: string): Promise<void> => writeFile(join(folder, name), sql);
  const run = (on = db): Promise<readonly string[]> => migrate(on, [], { folder: pathToFileURL(`${folder}/`) });
  const failure = async (): Promise<string> => run().then(() => "none", String);
  const tables = async (): Promise<readonly string[]> => {
    const rows = await db.query<{ name: string }>(
      "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1",
    );
    return rows.map(({ name }) => name);
  };

  it("make the relay's tables, once", async () => {
    const files = await readdir(new URL("../../../../src/kernel/store/migrations/", import.meta.url));
    expect(await migrate(db)).to.deep.equal(files.sort());
    expect(await migrate(db)).to.deep.equal([]);
    expect(await tables()).to.include.members(["transfers", "events", "migrations"]);
    columns.set(
      kind,
      await db.query(
        `SELECT table_name::text, column_name::text, data_type::text, is_nullable::text, column_default::text
         FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2`,
      ),
    );
    expect(new Set([...columns.values()].map((each) => JSON.stringify(each)))).to.have.property("size", 1);
  });

  it("put right times of credits that were taken as they were told", async () => {
    const shipped = new URL("../../../../src/kernel/store/migrations/", import.meta.url);
    for (const name of ["0001-relay.sql", "0002-refusals.sql"]) {
      await write(name, await readFile(new URL(name, shipped), "utf8"));
    }
    await run();
    const [atMs, good] = [Date.UTC(2026, 10, 29, 12, 0, 0, 7), Date.UTC(2026, 10, 29, 11)];
    const told = [8.64e15, 0, Date.UTC(2026, 11, 29), good];
    const uetrs = told.map((_, index) => `eb6305c9-1f7f-49de-aed0-16487c27b42${index}`);
    await db.query("INSERT INTO payloads (batch, source, received_at) VALUES ('b', 7, 1)");
    await db.query("INSERT INTO decisions (batch, rejections, signature, decided_at) VALUES ('b', '[]', '{}', 1)");
    for (const [index, uetr] of uetrs.entries()) {
      const creditedAt = told[index] ?? 0;
      await db.query(
        `INSERT INTO transfers (uetr, content_mac, target, source_currency, target_currency, source_amount,
           target_amount, fee, details_hash, if_unfunded, accepted_at, expires_at)
         VALUES ($1, '', 4, 'HKD', 'HKD', 1, 1, 0, '', 'fail', 1, 1)`,
        [uetr],
      );
      await db.query("INSERT INTO confirmations VALUES ($1, $2)", [uetr, creditedAt]);
      await db.query(
        "INSERT INTO credits (uetr, source, batch, amount, currency, credited_at) VALUES ($1, 7, 'b', 1, 'HKD', $2)",
        [uetr, creditedAt],
      );
      for (const type of ["transfer.credited", "credit.posted"]) {
        await db.query("INSERT INTO events (type, uetr, at, data) VALUES ($1, $2, $3, $4::jsonb)", [
          type,
          uetr,
          atMs,
          JSON.stringify({ creditedAt: new Date(creditedAt).toISOString(), more: 1 }),
        ]);
      }
    }
    await migrate(db);
    const expected = [atMs, atMs, atMs, good];
    for (const told of [
      "SELECT credited_at FROM credits ORDER BY uetr",
      `SELECT c.credited_at FROM confirmations c JOIN transfers t ON t.seq BETWEEN c.first_seq AND c.last_seq ORDER BY uetr`,
    ]) {
      const rows = await db.query<{ credited_at: bigint }>(told);
      expect(rows.map(({ credited_at }) => credited_at)).to.deep.equal(expected.map(BigInt));
    }
    const events = await db.query<{ data: unknown }>("SELECT data FROM events ORDER BY type, uetr");
    const texts = expected.map((ms) => ({ creditedAt: new Date(ms).toISOString(), more: 1 }));
    expect(events.map(({ data }) => data)).to.deep.equal([...texts, ...texts]);
  });

  it("are applied in their order, those that are new only", async () => {
    await write("0002-second.sql", "ALTER TABLE a ADD COLUMN two integer; CREATE TABLE b ()");
    await write("0001-first.sql", "CREATE TABLE a ()");
    await write("README.md", "no migration");
    expect(await run()).to.deep.equal(["0001-first.sql", "0002-second.sql"]);
    await write("0003-third.sql", "DROP TABLE b");
    expect(await run()).to.deep.equal(["0003-third.sql"]);
    expect(await tables()).to.deep.equal(["a", "migrations"]);
  });

  it("are applied all or not at all", async () => {
    await write("0001-first.sql", "CREATE TABLE a ()");
    await write("0002-second.sql", "CREATE TABLE b (); SELECT nonsense");
    expect(await failure()).to.include("nonsense");
    expect(await tables()).to.deep.equal([]);
  });

  it("are refused when one has changed since it was applied", async () => {
    await write("0001-first.sql", "CREATE TABLE a ()");
    await run();
    await write("0001-first.sql", "CREATE TABLE a (b integer)");
    await write("0002-second.sql", "CREATE TABLE b ()");
    expect(await failure()).to.include("0001-first.sql has changed");
    expect(await tables()).to.deep.equal(["a", "migrations"]);
  });

  it("are refused on a database of a later version", async () => {
    await write("0001-first.sql", "CREATE TABLE a ()");
    await write("0002-second.sql", "CREATE TABLE b ()");
    await run();
    await rm(join(folder, "0002-second.sql"));
    expect(await failure()).to.match(/later version.*0002-second\.sql/);
  });

  it("of processes that start together are applied by one", async () => {
    await write("0001-first.sql", "CREATE TABLE a ()");
    const others = [db, await open({ again: db }), await open({ again: db }), await open({ again: db })];
    const applied = await Promise.all(others.map((other) => run(other)));
    expect(applied.flat()).to.deep.equal(["0001-first.sql"]);
  });
});
