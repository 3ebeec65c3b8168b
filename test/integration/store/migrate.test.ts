import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import type { Database } from "../../../src/store/database.ts";
import { migrate } from "../../../src/store/migrate.ts";
import { describeOnBothDatabases } from "../support/databases.ts";

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
  const run = (on = db): Promise<readonly string[]> => migrate(on, pathToFileURL(`${folder}/`));
  const failure = async (): Promise<string> => run().then(() => "none", String);
  const tables = async (): Promise<readonly string[]> => {
    const rows = await db.query<{ name: string }>(
      "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1",
    );
    return rows.map(({ name }) => name);
  };

  it("make the relay's tables, once", async () => {
    const files = await readdir(new URL("../../../src/store/migrations/", import.meta.url));
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
