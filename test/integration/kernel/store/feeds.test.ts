import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import pg from "pg";
import { auditAfter, insertAudit } from "../../../../src/kernel/access/audit-store.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { appendEvents, eventsAfter } from "../../../../src/kernel/store/events.ts";
import { findPlace } from "../../../../src/kernel/store/feeds.ts";
import { migrate } from "../../../../src/kernel/store/migrate.ts";
import { openPostgres } from "../../../../src/kernel/store/postgres.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { startPostgres, type PostgresServer } from "../../support/postgres.ts";

const run = promisify(execFile);
const WRITERS = 12;
const ROUNDS = 10;

const append = (db: Database, ...whats: string[]) =>
  db.transaction((tx) =>
    appendEvents(
      tx,
      whats.map((what) => ({ type: "transfer.settled", at: 1, data: { what } })),
    ),
  );
const audit = (db: Database, actor: string) =>
  insertAudit(db, { at: 1, actor, action: "keys.create", subject: undefined, outcome: "begun", data: {} });

describeOnBothDatabases("the audit log", (open) => {
  it("is seen in full by a reader who asks for what comes after the last", async () => {
    const db = await open();
    const reader = await open({ again: db });
    // Slow to commit, by more or less, as a loaded database is.
    const slow: Database = {
      ...db,
      transaction: (work) =>
        db.transaction(async (tx) => {
          const result = await work(tx);
          await tx.query("SELECT pg_sleep(random() / 200)");
          return result;
        }),
    };
    let isWriting = true;
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let round = 0; round < ROUNDS; round++) await audit(slow, `key ${writer}`);
    });
    const written = Promise.all(writers).finally(() => (isWriting = false));
    const seen: bigint[] = [];
    for (let again = true; again;) {
      again = isWriting;
      const page = await auditAfter(reader, seen.at(-1) ?? 0n, 7);
      seen.push(...page.map(({ seq }) => seq));
      again ||= page.length > 0;
    }
    await written;
    expect(seen).to.deep.equal((await auditAfter(db, 0n, 1_000)).map(({ seq }) => seq));
    expect(seen).to.have.length(WRITERS * ROUNDS);
  });

  it("does not number an entry while another one is not committed", async () => {
    const db = await open();
    const first = Promise.withResolvers<undefined>();
    const begun = Promise.withResolvers<undefined>();
    const held: Database = {
      ...db,
      transaction: (work) =>
        db.transaction(async (tx) => {
          const result = await work(tx);
          begun.resolve(undefined);
          await first.promise;
          return result;
        }),
    };
    const late = audit(held, "the first");
    await begun.promise;
    let isOther = false;
    const other = audit(db, "the second").then(() => (isOther = true));
    await new Promise(setImmediate);
    expect(isOther).to.equal(false);
    first.resolve(undefined);
    await Promise.all([late, other]);
    expect((await auditAfter(db, 0n, 10)).map(({ actor }) => actor)).to.deep.equal(["the first", "the second"]);
    expect((await auditAfter(db, 0n, 10))[0]?.id).to.match(/^aud_[0-9a-f]{12}_1$/);
  });
});

describe("a database that is restored (PostgreSQL)", function () {
  let server: PostgresServer | undefined;
  const opened: Database[] = [];

  before(async function () {
    const started = await startPostgres();
    if (started === undefined) return this.skip();
    server = started;
  });
  afterEach(async () => {
    for (const db of opened.splice(0)) await db.close();
  });
  after(() => server?.stop());

  const running = (): PostgresServer => {
    if (server === undefined) throw new Error("test set-up: no server");
    return server;
  };
  const urlOf = (name: string): string => running().url.replace(/[^/]*$/, name);
  const onServer = async (sql: string) => {
    const client = new pg.Client({ connectionString: running().url });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  const openAt = async (name: string): Promise<Database> => {
    const db = await openPostgres(urlOf(name));
    opened.push(db);
    await migrate(db);
    return db;
  };
  const told = async (db: Database) =>
    new Map((await eventsAfter(db, 0n, 100)).map(({ id, data }) => [id, data["what"]]));

  it("from a dump gives no id again that was given before, and tells how far both histories are one", async () => {
    await onServer("CREATE DATABASE before");
    const before = await openAt("before");
    await append(before, "1", "2", "3");
    const dump = join("/tmp", `feiqian-dump-${process.pid}`);
    await run(join(running().programs, "pg_dump"), ["-Fc", "-f", dump, urlOf("before")]);
    await append(before, "4", "5");
    await onServer("CREATE DATABASE restored");
    await run(join(running().programs, "pg_restore"), ["-d", urlOf("restored"), dump]);
    await run("rm", [dump]);
    const restored = await openAt("restored");
    await append(restored, "another 4", "another 5", "6");

    const [old, fresh] = [await told(before), await told(restored)];
    const shared = [...old].filter(([id]) => fresh.has(id));
    expect(shared.map(([, what]) => what)).to.deep.equal(["1", "2", "3"]);
    for (const [id, what] of shared) expect(fresh.get(id)).to.equal(what);
    const [third, last] = [[...old.keys()][2], [...old.keys()].at(-1)];
    expect(await findPlace(restored, "events", last ?? "")).to.deep.equal({ kind: "lost", goOn: third });
    expect(await findPlace(restored, "events", third ?? "")).to.deep.equal({ kind: "here", seq: 3n, cursor: third });
    // And whoever has read of the restored one is a stranger to the other.
    expect(await findPlace(before, "events", [...fresh.keys()].at(-1) ?? "")).to.deep.equal({
      kind: "lost",
      goOn: "0",
    });
  });

  it("to the state of a moment begins an epoch, as it does with any start of the server", async () => {
    await onServer("CREATE DATABASE moment");
    const db = await openAt("moment");
    await append(db, "1");
    await append(db, "2");
    await running().restart();
    await append(db, "3");
    await append(db, "4");
    const epochs = [...(await told(db)).keys()].map((id) => id.split("_")[1]);
    expect(epochs[1]).to.equal(epochs[0]);
    expect(epochs[2]).not.to.equal(epochs[1]);
    expect(epochs[3]).to.equal(epochs[2]);
    // Nobody who reads notices: nothing was lost.
    for (const [index, id] of [...(await told(db)).keys()].entries()) {
      expect(await findPlace(db, "events", id)).to.deep.equal({ kind: "here", seq: BigInt(index + 1), cursor: id });
    }
  });
});
