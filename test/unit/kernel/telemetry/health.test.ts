import { expect } from "chai";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import type { Clock } from "../../../../src/kernel/clock/clock.ts";
import { systemClock } from "../../../../src/kernel/clock/clock.ts";
import { createHealth, type Health } from "../../../../src/kernel/telemetry/health.ts";
import { priceAlarms, type CorridorPrice } from "../../../../src/features/pricing/availability.ts";
import { StoreUnavailable } from "../../../../src/kernel/store/faults.ts";
import type { Queryable } from "../../../../src/kernel/store/database.ts";

/** A relay that has read so far of a ledger that is so long. */
interface State {
  cursor: bigint | undefined | Error;
  latest: number | Error;
  nowMs: number;
  looks: number;
  /** How far the clock is ahead, where that is beyond the limit. */
  aheadMs: number;
  /** In which open corridors a price can be given. */
  prices: readonly CorridorPrice[] | Error;
}

function priceOf(target: number, currency: string, isPriced: boolean): CorridorPrice {
  const [sourceCurrency, targetCurrency] = [parseCurrency("HKD").code, parseCurrency(currency).code];
  return {
    corridor: { source: parsePartnerId(7), sourceCurrency, target: parsePartnerId(target), targetCurrency },
    isPriced,
  };
}

function healthOf(state: State, changes: { timeoutMs?: number; latest?: () => Promise<number> } = {}): Health {
  const clock: Clock = { nowMs: () => state.nowMs, sleep: (ms, signal) => systemClock.sleep(ms, signal) };
  const db: Queryable = {
    query<Row extends object>(): Promise<readonly Row[]> {
      state.looks++;
      if (state.cursor instanceof Error) return Promise.reject(state.cursor);
      const rows = state.cursor === undefined ? [] : [{ block: state.cursor }];
      // The one statement that is asked has this row.
      return Promise.resolve(rows as unknown as Row[]);
    },
  };
  const getBlockNumber =
    changes.latest ??
    (() => (state.latest instanceof Error ? Promise.reject(state.latest) : Promise.resolve(state.latest)));
  return createHealth({
    clockSkew: { now: () => ({ aheadMs: state.aheadMs, by: "ledger", isBeyond: state.aheadMs !== 0 }) },
    db,
    provider: { getBlockNumber },
    alarms: [
      () => (state.prices instanceof Error ? Promise.reject(state.prices) : Promise.resolve(priceAlarms(state.prices))),
    ],
    clock,
    confirmations: 2,
    maxStandstillMs: 10_000,
    timeoutMs: changes.timeoutMs ?? 1_000,
    cacheMs: 100,
  });
}

const codes = async (health: Health): Promise<readonly string[]> =>
  (await health.readiness()).reasons.map(({ code }) => code);

describe("a relay's readiness", () => {
  let state: State;
  beforeEach(() => {
    state = { cursor: 100n, latest: 102, nowMs: 0, looks: 0, aheadMs: 0, prices: [] };
  });

  it("is there when the database, the ledger and the watcher are", async () => {
    expect(await healthOf(state).readiness()).to.deep.equal({ ready: true, reasons: [], alarms: [] });
  });

  it("is not there while the clock is wrong, and tells by how much", async () => {
    state.aheadMs = -600_000;
    const { ready, reasons } = await healthOf(state).readiness();
    expect(ready).to.equal(false);
    expect(reasons).to.deep.equal([
      {
        code: "clock",
        detail: "this machine's clock is 600 seconds behind the ledger's blocks: no transfers are taken",
      },
    ]);
  });

  it("says for which corridors nobody sells, by an alarm: without any price it still is paid, credits and settles", async () => {
    state.prices = [priceOf(4, "PHP", false), priceOf(6, "IDR", true)];
    expect(await healthOf(state).readiness()).to.deep.equal({
      ready: true,
      reasons: [],
      alarms: [
        {
          code: "prices",
          detail:
            "no offer of a liquidity provider stands for some open corridors that can be delivered: HKD to PHP of partner 4",
        },
      ],
    });
    state.prices = [priceOf(4, "PHP", false), priceOf(6, "IDR", false)];
    expect(await healthOf(state).readiness()).to.deep.equal({
      ready: true,
      reasons: [],
      alarms: [
        {
          code: "prices",
          detail:
            "no offer of a liquidity provider stands for any open corridor that can be delivered: HKD to PHP of partner 4, HKD to IDR of partner 6",
        },
      ],
    });
    state.prices = Array.from({ length: 50 }, (_, index) => priceOf(index + 10, "PHP", false));
    expect((await healthOf(state).readiness()).alarms?.[0]?.detail).to.match(/of partner 29, and 30 more$/);
  });

  it("takes nothing that is not known of prices for there being none, and no corridor for no price", async () => {
    const well = { ready: true, reasons: [], alarms: [] };
    state.prices = new Error("away");
    expect(await healthOf(state).readiness()).to.deep.equal(well);
    state.prices = [];
    expect(await healthOf(state).readiness()).to.deep.equal(well);
  });

  it("tells which of them does not answer, by the error's name alone", async () => {
    state.cursor = new TypeError("postgres://relay:hush@db");
    state.latest = new RangeError("http://key@node");
    const { ready, reasons } = await healthOf(state).readiness();
    expect(ready).to.be.false;
    expect(reasons.map(({ code }) => code)).to.deep.equal(["database", "ledger"]);
    expect(JSON.stringify(reasons)).not.to.match(/hush|key@/);
  });

  it("does not wait for an answer forever", async () => {
    const never = () => Promise.withResolvers<number>().promise;
    expect(await codes(healthOf(state, { timeoutMs: 10, latest: never }))).to.deep.equal(["ledger"]);
  });

  it("goes away when the watcher stands still with blocks to read, and comes back when it moves", async () => {
    const health = healthOf(state);
    state.latest = 110;
    expect(await codes(health)).to.be.empty;
    state.nowMs = 10_001;
    expect(await codes(health)).to.deep.equal(["watcher"]);
    state.cursor = 104n;
    state.nowMs = 10_200;
    expect(await codes(health)).to.be.empty;
  });

  it("does not mind a ledger that stands still itself", async () => {
    const health = healthOf(state);
    await health.readiness();
    state.nowMs = 1_000_000;
    expect(await codes(health)).to.be.empty;
    state.latest = 103;
    state.nowMs += 200;
    expect(await codes(health)).to.be.empty;
  });

  it("goes away for a fork and for draining, at once", async () => {
    const health = healthOf(state);
    await health.readiness();
    health.fail(new Error("block 90 is not what it was"));
    health.drain();
    expect(await codes(health)).to.deep.equal(["fork", "draining"]);
  });

  it("does not look more often than it must", async () => {
    const health = healthOf(state);
    await Promise.all([health.readiness(), health.readiness()]);
    state.nowMs = 99;
    await health.readiness();
    expect(state.looks).to.equal(1);
    state.nowMs = 100;
    await health.readiness();
    expect(state.looks).to.equal(2);
  });

  it("takes nothing that was found in a time to come for what is: the clock was set back", async () => {
    state.nowMs = 3_600_000;
    const health = healthOf(state);
    state.latest = 110;
    health.stepFailed("crediter");
    health.storeFailed(new StoreUnavailable("full", undefined, "its disk is full"));
    expect(await codes(health)).to.deep.equal(["database"]);
    state.nowMs = 0;
    state.cursor = new TypeError("away");
    expect(await codes(health), "it looks again").to.deep.equal(["database"]);
    state.cursor = 100n;
    state.nowMs = 1_000;
    health.stepFailed("crediter");
    expect(await codes(health), "what failed an hour from now").to.be.empty;
    state.nowMs = 12_000;
    expect(await codes(health)).to.deep.equal(["watcher", "steps"]);
  });

  it("tells what the database cannot do although it answers, and for a while after a statement has failed so", async () => {
    const readOnly = new StoreUnavailable("read-only", undefined, "it is read-only");
    state.cursor = readOnly;
    expect((await healthOf(state).readiness()).reasons).to.deep.equal([
      { code: "database", detail: "no answer: it is read-only" },
    ]);
    state.cursor = 100n;
    const health = healthOf(state);
    health.storeFailed(new StoreUnavailable("away for a moment"));
    expect(await codes(health)).to.deep.equal([]);
    health.storeFailed(new StoreUnavailable("full", undefined, "its disk is full"));
    expect(await health.readiness()).to.deep.equal({
      ready: false,
      reasons: [{ code: "database", detail: "a statement has failed: its disk is full" }],
      alarms: [],
    });
    state.nowMs += 10_000;
    expect(await codes(health)).to.deep.equal([]);
  });

  it("tells of a step of which every pass fails, once that lasts", async () => {
    const health = healthOf(state);
    health.stepFailed("crediter");
    health.stepFailed("opener");
    expect(await codes(health)).to.deep.equal([]);
    state.nowMs = 6_000;
    health.stepFailed("crediter");
    health.stepPassed("opener");
    state.nowMs = 10_001;
    expect((await health.readiness()).reasons).to.deep.equal([
      { code: "steps", detail: "every pass of the crediter has failed for 10 seconds" },
    ]);
    health.stepPassed(undefined);
    expect(await codes(health)).to.deep.equal([]);
  });
});
