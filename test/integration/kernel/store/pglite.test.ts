import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { StoreUnavailable } from "../../../../src/kernel/store/faults.ts";
import { openDatabase } from "../../../../src/kernel/store/open.ts";
import { openPglite, openPgliteSchemas } from "../../../../src/kernel/store/pglite.ts";
import { emptyDatabase } from "../../../../sandbox/databases.ts";

const PGLITE = new URL("../../../../src/kernel/store/pglite.ts", import.meta.url).href;

/** Inserts numbers forever, and says each when it is committed. */
const WRITER = `
  import { openPglite } from ${JSON.stringify(PGLITE)};
  const db = await openPglite(process.argv[1]);
  for (let number = 0; ; number++) {
    await db.transaction((tx) => tx.query("INSERT INTO numbers VALUES ($1)", [number]));
    process.stdout.write(number + "\\n");
  }`;

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail("it was not rejected"),
    (failure: unknown) => failure,
  );
}

describe("PGlite in a folder", function () {
  let parent: string;
  let folder: string;

  before(async () => {
    parent = await mkdtemp(join(tmpdir(), "feiqian-pglite-"));
    folder = join(parent, "made", "here");
  });
  after(() => rm(parent, { recursive: true }));

  it("begins anew where one was half made, and keeps what was committed", async () => {
    await mkdir(join(folder, "data.new"), { recursive: true });
    await writeFile(join(folder, "data.new", "PG_VERSION"), "18\n");
    const db = await openDatabase({ folder });
    await db.query("CREATE TABLE numbers (number integer PRIMARY KEY)");
    await db.query("INSERT INTO numbers VALUES ($1)", [-1]);
    await db.close();
    const again = await openDatabase({ folder });
    expect(await again.query("SELECT number FROM numbers")).to.deep.equal([{ number: -1 }]);
    await again.close();
  });

  it("is open once only, in one process and in several, and free again after a kill that loses nothing", async () => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", WRITER, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    while (said.split("\n").length < 20) await once(child.stdout, "data");

    const refused = await rejection(openPglite(folder));
    expect(refused).to.be.instanceOf(StoreUnavailable);
    expect(String(refused)).to.include(folder);

    child.kill("SIGKILL");
    await once(child, "close");
    const committed = said.split("\n").slice(0, -1).length;
    const db = await openPglite(folder);
    expect(await rejection(openPglite(folder))).to.be.instanceOf(StoreUnavailable);
    const stored = await db.query<{ number: number }>("SELECT number FROM numbers WHERE number >= 0 ORDER BY number");
    expect(stored.map(({ number }) => number)).to.deep.equal(Array.from(stored, (_, index) => index));
    // The last may have been committed without a word.
    expect(stored.length).to.be.within(committed, committed + 1);
    await db.close();
  });

  it("holds several databases, each with its own tables and leases", async () => {
    const schemas = await openPgliteSchemas(folder);
    const [one, two] = [await schemas.database("relay_1"), await schemas.database("relay_2")];
    await Promise.all(
      [one, two].map(async (db, index) => {
        await db.query("CREATE TABLE numbers (number integer)");
        await db.query("INSERT INTO numbers VALUES ($1)", [index]);
      }),
    );
    expect(await one.query("SELECT number FROM numbers")).to.deep.equal([{ number: 0 }]);
    expect(await two.query("SELECT number FROM numbers")).to.deep.equal([{ number: 1 }]);
    expect(await one.tryLease("leader")).not.to.equal(undefined);
    expect(await two.tryLease("leader")).not.to.equal(undefined);
    expect(await (await schemas.database("relay_1")).tryLease("leader")).to.equal(undefined);
    await schemas.close();
    await schemas.close();
  });

  it("takes statements of one schema together where many wait, and keeps nobody waiting for long", async () => {
    const store = await openPgliteSchemas(undefined, await emptyDatabase());
    const databases = await Promise.all(["one", "two", "three"].map((name) => store.database(name)));
    const order: string[] = [];
    const ask = async (which: number) => {
      const [row] = (await databases[which]?.query<{ schema: string }>("SELECT current_schema() AS schema")) ?? [];
      order.push(row?.schema ?? "none");
    };
    const changes = () => order.filter((schema, index) => schema !== order[index - 1]).length;
    await Promise.all(Array.from({ length: 30 }, (_, index) => ask(index % 3)));
    expect(order).to.have.lengthOf(30);
    expect(changes()).to.be.within(3, 4);

    // However many of one schema wait, the other's comes after so many of them.
    order.length = 0;
    await Promise.all([ask(0), ask(1), ...Array.from({ length: 100 }, () => ask(0))]);
    expect(order.indexOf("two")).to.be.within(1, 17);
    await store.close();
  });

  it("prepares a statement once for each schema, and anew where its tables have changed", async () => {
    const store = await openPgliteSchemas(undefined, await emptyDatabase());
    const [one, two] = [await store.database("one"), await store.database("two")];
    const all = "SELECT * FROM numbers WHERE number > $1";
    for (const db of [one, two]) {
      await db.query("CREATE TABLE numbers (number integer PRIMARY KEY)");
      // The first of them fails, so that it is not known whether it is prepared.
      const insert = (number: number | null) => db.query("INSERT INTO numbers VALUES ($1)", [number]);
      expect(await rejection(insert(null))).to.be.instanceOf(Error);
      await insert(1);
      expect(await rejection(insert(1))).to.be.instanceOf(Error);
      await insert(2);
      for (const above of [0, 1, 2]) expect(await db.query(all, [above])).to.have.lengthOf(2 - above);
    }
    const [{ count } = { count: 0n }] = await one.query<{ count: bigint }>(
      "SELECT count(*) FROM pg_prepared_statements WHERE statement = $1",
      [all],
    );
    expect(count).to.equal(2n);
    await one.query("ALTER TABLE numbers ADD COLUMN name text");
    expect(await one.query(all, [1])).to.deep.equal([{ number: 2, name: null }]);
    expect(await two.query(all, [1])).to.deep.equal([{ number: 2 }]);
    await store.close();
  });

  it("begins a transaction with its first statement, and leaves none behind that had none", async () => {
    const store = await openPgliteSchemas(undefined, await emptyDatabase());
    const [one, two] = [await store.database("one"), await store.database("two")];
    await one.query("CREATE TABLE numbers (number integer PRIMARY KEY)");
    const insert = (number: number) => one.query("INSERT INTO numbers VALUES ($1)", [number]);
    await two.transaction(() => Promise.resolve());
    expect(await rejection(one.transaction(() => Promise.reject(new RangeError("before any"))))).to.be.instanceOf(
      RangeError,
    );
    await insert(1);
    await two.query("SELECT 1 AS one");
    // The statement that would begin it fails: of what comes after it in there nothing is kept.
    const failing = one.transaction(async (tx) => {
      await tx.query("INSERT INTO numbers VALUES ($1)", [1]).catch(() => undefined);
      await tx.query("INSERT INTO numbers VALUES ($1)", [2]).catch(() => undefined);
    });
    expect(await rejection(failing)).to.be.instanceOf(Error);
    await one.transaction(async (tx) => {
      await tx.query("INSERT INTO numbers VALUES ($1)", [3]);
      await tx.query("INSERT INTO numbers VALUES ($1)", [4]);
    });
    expect(await one.query("SELECT number FROM numbers ORDER BY number")).to.deep.equal(
      [1, 3, 4].map((number) => ({ number })),
    );
    await store.close();
  });

  it("keeps no more statements prepared than so many, whatever is asked", async () => {
    const store = await openPgliteSchemas(undefined, await emptyDatabase());
    const db = await store.database("one");
    const ask = (index: number) => db.query<{ here: number }>(`SELECT $1::integer AS here, ${index} AS i`, [index]);
    for (let index = 0; index < 2_100; index++) await ask(index);
    expect(await ask(0)).to.deep.equal([{ here: 0, i: 0 }]);
    const [row] = await db.query<{ count: bigint }>("SELECT count(*) FROM pg_prepared_statements");
    expect(row?.count).to.be.within(2_000n, 2_048n);
    await store.close();
  });

  it("needs a place", async () => {
    expect(await rejection(openDatabase({}))).to.be.instanceOf(InvalidInput);
  });
});
