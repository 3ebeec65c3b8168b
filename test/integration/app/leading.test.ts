import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import pg from "pg";
import { InvalidInput } from "../../../src/domain/errors.ts";
import type { Database } from "../../../src/kernel/store/database.ts";
import { migrate } from "../../../src/kernel/store/migrate.ts";
import { openPostgres } from "../../../src/kernel/store/postgres.ts";
import { until } from "../../support/until.ts";
import { findPgbouncer, startPgbouncer, type Pgbouncer } from "../support/pgbouncer.ts";
import { startPostgres, type PostgresServer } from "../support/postgres.ts";

/** What the manual has PgBouncer ignore. */
const IGNORED = "statement_timeout, idle_in_transaction_session_timeout";
/** As long as a lease lasts, and a transaction whose process is stopped; and what a busy machine adds to that. */
const LONGEST_HANDOVER_MS = 60_000;

interface Tick {
  readonly pid: number;
  readonly epoch: bigint;
}

/** Processes of their own, for only those can be stopped. */
describe("two processes on one PostgreSQL", function () {
  let server: PostgresServer;
  let direct: Database;
  const processes: ChildProcess[] = [];
  const poolers: Pgbouncer[] = [];

  before(async function () {
    const started = await startPostgres();
    if (started === undefined) {
      console.warn("SKIPPED, for there is no PostgreSQL to start: which of two processes leads");
      return this.skip();
    }
    server = started;
    direct = await openPostgres(server.url);
    await migrate(direct);
    await direct.query(
      "CREATE TABLE ticks (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, pid integer, epoch bigint)",
    );
  });

  after(async () => {
    await direct.close();
    await server.stop();
  });

  afterEach(async () => {
    for (const child of processes.splice(0)) {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
    for (const pooler of poolers.splice(0)) await pooler.stop();
    await direct.query("TRUNCATE ticks, leases RESTART IDENTITY");
  });

  function startTwo(url: string): readonly ChildProcess[] {
    const program = new URL("../support/leading-process.ts", import.meta.url).pathname;
    const started = [1, 2].map(() => fork(program, [url], { stdio: ["ignore", "inherit", "inherit", "ipc"] }));
    processes.push(...started);
    return started;
  }

  const lastTick = async (): Promise<Tick | undefined> =>
    (await direct.query<Tick>("SELECT pid, epoch FROM ticks ORDER BY id DESC LIMIT 1"))[0];

  /** Whoever leads is stopped, several times, and woken when the other has taken over. */
  async function expectHandovers(url: string): Promise<void> {
    const both = startTwo(url);
    await until(async () => (await lastTick()) !== undefined);
    for (let round = 0; round < 2; round++) {
      const before = await lastTick();
      const leader = both.find(({ pid }) => pid === before?.pid);
      const stoppedMs = performance.now();
      leader?.kill("SIGSTOP");
      await until(async () => (await lastTick())?.pid !== before?.pid);
      expect(performance.now() - stoppedMs).to.be.below(LONGEST_HANDOVER_MS);
      const after = await lastTick();
      leader?.kill("SIGCONT");
      // The other one goes on leading while the woken one could break in.
      await until(async () => {
        const [row] = await direct.query<{ ticks: number }>(
          "SELECT count(*)::integer AS ticks FROM ticks WHERE epoch = $1",
          [after?.epoch ?? 0n],
        );
        return (row?.ticks ?? 0) > 200;
      });
    }
    const ticks = await direct.query<Tick>("SELECT pid, epoch FROM ticks ORDER BY id");
    const epochs = ticks.map(({ epoch }) => epoch);
    expect(epochs).to.deep.equal(epochs.toSorted((left, right) => (left < right ? -1 : left > right ? 1 : 0)));
    for (const [epoch, ofEpoch] of Map.groupBy(ticks, (tick) => tick.epoch)) {
      expect(new Set(ofEpoch.map(({ pid }) => pid)), `epoch ${epoch}`).to.have.property("size", 1);
    }
  }

  it("have one that leads; when it is stopped the other takes over, and it does nothing more once it is woken", async () => {
    await expectHandovers(server.url);
  });

  describe("behind PgBouncer", () => {
    let program: string;

    before(function () {
      const found = findPgbouncer();
      if (found === undefined) {
        console.warn("SKIPPED, for there is no pgbouncer: relays behind a pooler");
        return this.skip();
      }
      program = found;
    });

    beforeEach(() => setOfRole("idle_in_transaction_session_timeout = '10s'", "statement_timeout = '30s'"));
    after(() => onServer("ALTER ROLE feiqian RESET ALL"));

    async function onServer(sql: string): Promise<void> {
      const client = new pg.Client({ connectionString: server.url });
      await client.connect();
      await client.query(sql);
      await client.end();
    }

    async function setOfRole(...settings: readonly string[]): Promise<void> {
      await onServer("ALTER ROLE feiqian RESET ALL");
      for (const setting of settings) await onServer(`ALTER ROLE feiqian SET ${setting}`);
    }

    async function pooler(settings: Readonly<Record<string, string>>): Promise<string> {
      const started = await startPgbouncer(program, server.url, settings);
      poolers.push(started);
      return started.url;
    }

    const refusal = (url: string): Promise<unknown> =>
      openPostgres(url).then(
        async (opened) => {
          await opened.close();
          return "it was opened";
        },
        (failure: unknown) => failure,
      );

    it("that pools transactions, have one that leads as well", async () => {
      const url = await pooler({
        pool_mode: "transaction",
        ignore_startup_parameters: IGNORED,
        default_pool_size: "3",
      });
      await expectHandovers(url);
    });

    it("that pools transactions, share out their statements as without it", async () => {
      const url = await pooler({
        pool_mode: "transaction",
        ignore_startup_parameters: IGNORED,
        default_pool_size: "2",
      });
      const [one, two] = await Promise.all([openPostgres(url), openPostgres(url)]);
      const counts = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          (index % 2 === 0 ? one : two).transaction(async (tx) => {
            await tx.query("SELECT pg_advisory_xact_lock(1)");
            await tx.query("INSERT INTO ticks (pid, epoch) VALUES (0, $1)", [index]);
            const [row] = await tx.query<{ count: bigint }>("SELECT count(*) FROM ticks");
            return row?.count;
          }),
        ),
      );
      expect(new Set(counts).size).to.equal(40);
      await one.close();
      await two.close();
    });

    it("that takes no settings from its clients, are told which it has to ignore", async () => {
      const failure = await refusal(await pooler({ pool_mode: "transaction" }));
      expect(failure).to.be.instanceOf(InvalidInput).and.include({ field: "database.url" });
      expect(String(failure)).to.match(/refuses statement_timeout.*ALTER ROLE.*ignore_startup_parameters/);
    });

    it("that drops their settings, are told when the role does not have them", async () => {
      await setOfRole();
      const url = await pooler({ pool_mode: "transaction", ignore_startup_parameters: IGNORED });
      const failure = await refusal(url);
      expect(failure).to.be.instanceOf(InvalidInput);
      expect(String(failure)).to.match(/drops idle_in_transaction_session_timeout and statement_timeout/);
    });

    it("that pools single statements, are refused", async () => {
      const failure = await refusal(await pooler({ pool_mode: "statement", ignore_startup_parameters: IGNORED }));
      expect(failure).to.be.instanceOf(InvalidInput);
      expect(String(failure)).to.match(/pools single statements/);
    });
  });
});
