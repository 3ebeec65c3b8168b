import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import pg from "pg";
import type { Database, Lease } from "../../../../src/kernel/store/database.ts";
import { codeOf, StoreUnavailable } from "../../../../src/kernel/store/faults.ts";
import { LeaseLost } from "../../../../src/kernel/store/leases.ts";
import { migrate } from "../../../../src/kernel/store/migrate.ts";
import { openDatabase } from "../../../../src/kernel/store/open.ts";
import { openPostgres } from "../../../../src/kernel/store/postgres.ts";
import { until } from "../../../support/until.ts";
import { startPostgres, type PostgresServer } from "../../support/postgres.ts";

const POLL_MS = 5;

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail("it was not rejected"),
    (failure: unknown) => failure,
  );
}

/** A server of its own, for it is stopped and killed. */
describe("PostgreSQL", function () {
  let server: PostgresServer;
  let db: Database;

  before(async function () {
    const started = await startPostgres();
    if (started === undefined) {
      console.warn("SKIPPED, for there is no PostgreSQL to start: what happens when it fails");
      return this.skip();
    }
    server = started;
  });
  after(() => server.stop());

  beforeEach(async () => {
    db = await openPostgres(server.url, { schema: "relay", applicationName: "relay of Feiqian" });
    await db.query("CREATE TABLE IF NOT EXISTS numbers (number integer PRIMARY KEY, value integer); TRUNCATE numbers");
  });
  afterEach(() => db.close());

  const count = async (): Promise<bigint | undefined> =>
    (await db.query<{ count: bigint }>("SELECT count(*) FROM numbers"))[0]?.count;

  /** Ends connections from the server's side. */
  async function terminate(where: string): Promise<void> {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND ${where}`);
    await client.end();
  }

  it("knows its sessions by their name and their limits", async () => {
    const [settings] = await db.query(
      `SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS statement,
         current_setting('idle_in_transaction_session_timeout') AS idle, current_schema() AS schema`,
    );
    expect(settings).to.deep.equal({ name: "relay of Feiqian", statement: "30s", idle: "10s", schema: "relay" });
  });

  it("gives up a statement that takes too long, and goes on with the connection", async () => {
    const hurried = await openPostgres(server.url, { statementTimeoutMs: 50, maxConnections: 1 });
    const pid = (): Promise<unknown> => hurried.query("SELECT pg_backend_pid() AS pid");
    const before = await pid();
    const failure = await rejection(hurried.query("SELECT pg_sleep(5)"));
    expect(failure).to.be.instanceOf(StoreUnavailable).and.to.include({ unable: "a statement takes too long" });
    expect(await pid()).to.deep.equal(before);
    await hurried.close();
  });

  it("keeps statements prepared, one by one and in transactions", async () => {
    const one = await openPostgres(server.url, { schema: "relay", maxConnections: 1 });
    const [alone, inside] = [
      "SELECT value FROM numbers WHERE number = $1",
      "SELECT number FROM numbers WHERE value = $1",
    ];
    for (let times = 0; times < 2; times++) {
      await one.query(alone, [1]);
      await one.transaction((tx) => tx.query(inside, [1]));
    }
    const prepared = await one.query<{ statement: string }>("SELECT statement FROM pg_prepared_statements");
    expect(prepared.map(({ statement }) => statement)).to.include.members([alone, inside]);
    await one.close();
  });

  it("goes on with another connection where what one has prepared is of no more use", async () => {
    await db.query("INSERT INTO numbers VALUES (1, 2)");
    const one = await openPostgres(server.url, { schema: "relay", maxConnections: 1 });
    const read = (): Promise<unknown> => one.query("SELECT * FROM numbers WHERE number = $1", [1]);
    expect(await read()).to.deep.equal([{ number: 1, value: 2 }]);
    await db.query("ALTER TABLE numbers ADD COLUMN more integer");
    expect(await rejection(read())).to.be.instanceOf(StoreUnavailable);
    expect(await read()).to.deep.equal([{ number: 1, value: 2, more: null }]);
    await one.query("DEALLOCATE ALL");
    expect(await rejection(read())).to.be.instanceOf(StoreUnavailable);
    expect(await read()).to.deep.equal([{ number: 1, value: 2, more: null }]);
    await one.close();
    await db.query("DROP TABLE numbers");
  });

  it("has two transactions that wait for each other both take effect", async () => {
    await db.query("INSERT INTO numbers VALUES (1, 0), (2, 0)");
    let met = 0;
    const both = Promise.withResolvers<undefined>();
    const update = (first: number, second: number): Promise<void> =>
      db.transaction(async (tx) => {
        await tx.query("UPDATE numbers SET value = value + 1 WHERE number = $1", [first]);
        met += 1;
        if (met === 2) both.resolve(undefined);
        await both.promise;
        await tx.query("UPDATE numbers SET value = value + 1 WHERE number = $1", [second]);
      });
    await Promise.all([update(1, 2), update(2, 1)]);
    expect(met, "transactions begun").to.equal(3);
    expect(await db.query("SELECT value FROM numbers")).to.deep.equal([{ value: 2 }, { value: 2 }]);
  });

  it("goes on when idle connections are ended", async () => {
    await Promise.all(Array.from({ length: 5 }, () => db.query("SELECT pg_sleep(0.05)")));
    await terminate("true");
    await expectWorkingAgain();
  });

  /** Who meets a broken connection is told to come again, and gets through. */
  async function expectWorkingAgain(): Promise<void> {
    for (let attempts = 0; attempts < 100; attempts++) {
      try {
        await db.query("INSERT INTO numbers VALUES ($1, 0)", [99]);
        expect(await count()).to.equal(1n);
        return;
      } catch (failure) {
        expect(failure).to.be.instanceOf(StoreUnavailable);
      }
    }
    expect.fail("it did not come back");
  }

  it("tells of a transaction whose connection is lost, which has not taken effect", async () => {
    let attempts = 0;
    const failure = await rejection(
      db.transaction(async (tx) => {
        attempts += 1;
        await tx.query("INSERT INTO numbers VALUES (1, 0)");
        await terminate("state = 'idle in transaction'");
        await tx.query("INSERT INTO numbers VALUES (2, 0)");
      }),
    );
    expect(failure).to.be.instanceOf(StoreUnavailable);
    expect(attempts).to.equal(1);
    expect(await count()).to.equal(0n);
  });

  it("tells of a transaction whose connection is lost while its work fails", async () => {
    const wrong = new Error("wrong");
    const failure = await rejection(
      db.transaction(async (tx) => {
        await tx.query("INSERT INTO numbers VALUES (1, 0)");
        await terminate("state = 'idle in transaction'");
        throw wrong;
      }),
    );
    expect(failure).to.be.instanceOf(StoreUnavailable);
    expect((failure as StoreUnavailable).cause).to.equal(wrong);
    expect(await count()).to.equal(0n);
  });

  for (const [name, stop] of [
    ["restarted", () => Promise.resolve()],
    ["killed and started again", () => server.kill()],
  ] as const) {
    it(`goes on when it is ${name} under load, and keeps what it has committed`, async () => {
      const stopping = new AbortController();
      const committed: number[] = [];
      const failures: unknown[] = [];
      let next = 0;
      const writer = async (): Promise<void> => {
        while (!stopping.signal.aborted) {
          const number = next++;
          try {
            await db.transaction((tx) => tx.query("INSERT INTO numbers VALUES ($1, 0)", [number]));
            committed.push(number);
          } catch (failure) {
            failures.push(failure);
            await delay(POLL_MS);
          }
        }
      };
      const writers = Array.from({ length: 8 }, writer);
      await until(() => committed.length > 100);
      await stop();
      await server.restart();
      const before = committed.length;
      await until(() => committed.length > before + 100);
      stopping.abort();
      await Promise.all(writers);

      expect(failures.length).to.be.greaterThan(0);
      for (const failure of failures) expect(failure).to.be.instanceOf(StoreUnavailable);
      const stored = await db.query<{ number: number }>("SELECT number FROM numbers");
      expect(stored.map(({ number }) => number)).to.include.members(committed);
    });
  }

  describe("its leases", () => {
    beforeEach(async () => {
      await migrate(db);
      await db.query("TRUNCATE leases");
    });

    it("outlive the connections of their holder, which no process needs to have", async () => {
      const lease = await db.tryLease("leader");
      await terminate("true");
      await until(async () => (await lease?.renew().catch(() => undefined)) === true);
      await server.restart();
      await until(async () => (await lease?.renew().catch(() => undefined)) === true);
      expect(await db.tryLease("leader")).to.equal(undefined);
      await lease?.release();
    });

    it("are lost by a holder that does not renew them, for good, and had by another then", async () => {
      const lease = await db.tryLease("leader");
      const startedMs = performance.now();
      let next: Lease | undefined;
      await until(async () => (next = await db.tryLease("leader")) !== undefined);
      expect(performance.now() - startedMs).to.be.within(4_000, 60_000);
      expect([lease?.isHeld(), await lease?.renew()]).to.deep.equal([false, false]);
      expect(next?.epoch).to.equal((lease?.epoch ?? 0n) + 1n);
      expect(await rejection(db.transaction((tx) => lease?.fence(tx) ?? Promise.resolve()))).to.be.instanceOf(
        LeaseLost,
      );
      await lease?.release();
      expect([next?.isHeld(), await next?.renew()]).to.deep.equal([true, true]);
      await next?.release();
    });

    it("are not taken over in the middle of a transaction that is tied to one", async () => {
      const lease = await db.tryLease("leader");
      const { promise: mayEnd, resolve: end } = Promise.withResolvers<undefined>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
      const working = db.transaction(async (tx) => {
        await lease?.fence(tx);
        begin(undefined);
        await mayEnd;
        await tx.query("INSERT INTO numbers (number) VALUES (1)");
      });
      await begun;
      await until(() => lease?.isHeld() === false);
      expect(await db.tryLease("leader")).to.equal(undefined);
      end(undefined);
      await working;
      expect(await count()).to.equal(1n);
      // The database counts from a moment later than its holder.
      let next: Lease | undefined;
      await until(async () => (next = await db.tryLease("leader")) !== undefined);
      await next?.release();
    });
  });

  it("is unavailable while it is down, to those who come and those who are there", async () => {
    await server.kill();
    expect(await rejection(db.query("SELECT 1"))).to.be.instanceOf(StoreUnavailable);
    expect(await rejection(db.transaction(() => Promise.resolve()))).to.be.instanceOf(StoreUnavailable);
    expect(await rejection(db.tryLease("leader"))).to.be.instanceOf(StoreUnavailable);
    expect(await rejection(openPostgres(server.url))).to.be.instanceOf(StoreUnavailable);
    await server.restart();
    await expectWorkingAgain();
  });

  it("refuses what will not get better as it is, not as unavailable", async () => {
    const nowhere = new URL(server.url);
    nowhere.pathname = "/no_such_database";
    const failure = await rejection(openDatabase({ url: nowhere.href }));
    expect(codeOf(failure)).to.equal("3D000");
    expect(failure).not.to.be.instanceOf(StoreUnavailable);
  });

  it("does not show the URL, which has a password", async () => {
    for (const url of ["postgres://relay:hunter2@[", "mysql://relay:hunter2@localhost/relay"]) {
      const failure = await rejection(openDatabase({ url }));
      expect(String(failure)).to.equal("InvalidInput: database.url: a postgres:// URL");
      expect(JSON.stringify({ ...(failure as object) })).not.to.include("hunter2");
    }
    const unreachable = await rejection(openDatabase({ url: "postgres://relay:hunter2@127.0.0.1:1/relay" }));
    expect(unreachable).to.be.instanceOf(StoreUnavailable);
    expect(String(unreachable)).not.to.include("hunter2");
  });

  it("takes no schema that would have to be quoted", async () => {
    for (const schema of ["Relay", "a b", "a;b", "", "1a"]) {
      expect(String(await rejection(openPostgres(server.url, { schema })))).to.include("schema");
    }
  });
});
