import { expect } from "chai";
import pg from "pg";
import { systemClock } from "../../../../src/kernel/clock/clock.ts";
import { silentLogger } from "../../../../src/kernel/telemetry/logger.ts";
import { noTracer } from "../../../../src/kernel/telemetry/tracing.ts";
import { createHealth, type Health } from "../../../../src/kernel/telemetry/health.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { reportingFailures } from "../../../../src/kernel/store/faults.ts";
import { migrate } from "../../../../src/kernel/store/migrate.ts";
import { openPostgres } from "../../../../src/kernel/store/postgres.ts";
import { until } from "../../../support/until.ts";
import { startPostgres, type PostgresServer } from "../../support/postgres.ts";
import { apiRelay, setBalance, submission, type ApiRelay } from "../../support/api.ts";

const STATEMENT_TIMEOUT_MS = 500;

/** A database that answers, and cannot do its work. */
describe("a PostgreSQL that cannot do its work (PostgreSQL)", function () {
  let server: PostgresServer | undefined;
  let admin: pg.Client;
  let db: Database;
  let relay: ApiRelay;
  let health: Health;
  let offsetMs = 0;
  let headers: { authorization: string };

  before(async function () {
    server = await startPostgres();
    if (server === undefined) return this.skip();
    admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    // Its own sessions can always write.
    await admin.query("SET default_transaction_read_only = off");
    const opened = await openPostgres(server.url, { statementTimeoutMs: STATEMENT_TIMEOUT_MS });
    await migrate(opened);
    health = createHealth({
      db: opened,
      provider: { getBlockNumber: () => Promise.resolve(0) },
      clock: { ...systemClock, nowMs: () => systemClock.nowMs() + offsetMs },
      clockSkew: { now: () => ({ aheadMs: undefined, by: undefined, isBeyond: false }) },
      alarms: [],
      confirmations: 0,
      maxStandstillMs: 600_000,
      cacheMs: 0,
    });
    db = reportingFailures(opened, (failure) => health.storeFailed(failure));
    const tools = { log: silentLogger, tracer: noTracer };
    relay = await apiRelay(db, { context: tools, extras: { readiness: () => health.readiness() } });
    headers = await relay.key(["read", "submit"]);
    await setBalance(db, "HKD", 10n ** 12n);
  });
  after(async () => {
    if (server === undefined) return;
    await relay.close();
    await db.close();
    await admin.end();
    await server.stop();
  });

  const submit = (payload: object) => relay.app.inject({ method: "POST", url: "/v1/transfers", headers, payload });
  const readyz = () => relay.app.inject({ url: "/readyz" });

  const faults: Readonly<
    Record<
      string,
      { readonly detail: RegExp; readonly begin: () => Promise<unknown>; readonly end: () => Promise<unknown> }
    >
  > = {
    "is read-only, as after a failover": {
      detail: /read-only/,
      begin: async () => [
        await admin.query("ALTER SYSTEM SET default_transaction_read_only = on"),
        await admin.query("SELECT pg_reload_conf()"),
      ],
      end: async () => [
        await admin.query("ALTER SYSTEM RESET default_transaction_read_only"),
        await admin.query("SELECT pg_reload_conf()"),
      ],
    },
    "has a full disk": {
      detail: /disk is full/,
      begin: () =>
        admin.query(
          `CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
           END $$;
           CREATE TRIGGER disk_full BEFORE INSERT ON transfers FOR EACH ROW EXECUTE FUNCTION disk_full()`,
        ),
      end: () => admin.query("DROP FUNCTION disk_full CASCADE"),
    },
    "lets statements wait until their time is over": {
      detail: /takes too long/,
      begin: () => admin.query("BEGIN; LOCK TABLE transfers IN ACCESS EXCLUSIVE MODE"),
      end: () => admin.query("ROLLBACK"),
    },
  };

  for (const [what, { detail, begin, end }] of Object.entries(faults)) {
    it(`answers 503 and when to come again while it ${what}, is not ready, and goes on after`, async () => {
      await until(async () => (await readyz()).statusCode === 200);
      const request = submission();
      await begin();
      try {
        await until(async () => (await submit(submission())).statusCode === 503);
        const answer = await submit(request);
        expect(answer.statusCode).to.equal(503);
        expect(answer.json()).to.include({ code: "unavailable" });
        expect(answer.headers["retry-after"]).to.match(/^[0-9]+$/);
        expect(answer.body).not.to.match(/Chan|read-only|extend|timeout/);
        const ready = await readyz();
        expect(ready.statusCode).to.equal(503);
        expect(ready.json<{ reasons: object[] }>().reasons).to.have.length(1);
        const [reason] = ready.json<{ reasons: { code: string; detail: string }[] }>().reasons;
        expect(reason?.code).to.equal("database");
        expect(reason?.detail).to.match(detail);
      } finally {
        await end();
      }
      await until(async () => (await submit(request)).statusCode === 202);
      offsetMs += 10_000;
      await until(async () => (await readyz()).statusCode === 200);
    });
  }
});
