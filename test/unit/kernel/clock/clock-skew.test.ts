import { latestHead } from "../../../../src/ledger/state.ts";
import { expect } from "chai";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import type { Ledger } from "../../../../src/ledger/contracts.ts";
import { silentLogger } from "../../../../src/kernel/telemetry/logger.ts";
import { createMetrics } from "../../../../src/kernel/telemetry/metrics.ts";
import { createClockSkew, type ClockSkew } from "../../../../src/kernel/clock/clock-skew.ts";

const START = 1_800_000_000_000;
const MINUTE = 60_000;

/** A ledger, peers and a clock, each with a time of its own. */
function world(maxSkewSeconds = 15) {
  const metrics = createMetrics({ partner: 7 }, {});
  let realMs = START;
  let offMs = 0;
  let block = { number: 1, timestamp: START / 1_000 };
  let isAway = false;
  const provider = {
    getBlock: () =>
      isAway ? Promise.reject(new Error("away")) : Promise.resolve({ ...block, hash: ZERO, parentHash: ZERO }),
  };
  // As much of the ledger as is asked for here.
  const ledger = { provider } as unknown as Ledger;
  const clock = { nowMs: () => realMs + offMs, sleep: () => Promise.resolve() };
  const skew: ClockSkew = createClockSkew({
    latestBlock: () => latestHead(ledger),
    clock,
    maxSkewSeconds,
    metrics,
    log: silentLogger,
  });
  return {
    skew,
    metrics,
    set: (off: number) => void (offMs = off),
    goAway: () => void (isAway = true),
    /** Time passes, and nothing happens on the ledger. */
    idle: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 2_000) {
        realMs += 2_000;
        await skew.observe();
      }
    },
    /** A block every so many milliseconds, looked at every two seconds. */
    live: async (blocks: number, everyMs = 2_000) => {
      for (let made = 0; made < blocks; made++) {
        realMs += everyMs;
        block = { number: block.number + 1, timestamp: Math.floor(realMs / 1_000) };
        await skew.observe();
      }
    },
    /** A node that gets blocks of the past, many at a look. */
    catchUp: async (looks: number, behindMs: number) => {
      for (let look = 1; look <= looks; look++) {
        realMs += 2_000;
        const lagMs = behindMs * (1 - look / (looks + 1));
        block = { number: block.number + 100, timestamp: Math.floor((realMs - lagMs) / 1_000) };
        await skew.observe();
      }
    },
    hear: (peer: number, aheadMs: number) => {
      const theirSeconds = Math.floor((realMs + aheadMs) / 1_000);
      skew.heard(parsePartnerId(peer), theirSeconds, realMs + offMs);
    },
  };
}

const ZERO = `0x${"0".repeat(64)}`;

describe("the clock's skew", () => {
  it("is none on a ledger that makes blocks, by a clock that is right", async () => {
    const { skew, live } = world();
    await skew.observe();
    await live(20);
    expect(skew.now()).to.deep.equal({ aheadMs: 0, by: "ledger", isBeyond: false });
  });

  for (const minutes of [10, -10]) {
    it(`is seen with the clock ${minutes} minutes off, and is gone once it is right`, async () => {
      const { skew, set, live, metrics } = world();
      set(minutes * MINUTE);
      await skew.observe();
      await live(3);
      const { aheadMs = 0, by, isBeyond } = skew.now();
      expect([by, isBeyond]).to.deep.equal(["ledger", true]);
      expect(Math.abs(aheadMs - minutes * MINUTE)).to.be.at.most(3_000);
      const [gauge] = (await metrics.clockBeyondLimit.get()).values;
      expect(gauge?.value).to.equal(1);
      set(0);
      await live(5);
      expect(skew.now()).to.include({ isBeyond: false });
    });

    it(`is seen when the clock is set ${minutes} minutes off while it runs`, async () => {
      const { skew, set, live } = world();
      await skew.observe();
      await live(5);
      set(minutes * MINUTE);
      await live(5);
      expect(skew.now().isBeyond).to.equal(true);
    });
  }

  it("is no matter of a ledger that makes no blocks, is halted, or is away", async () => {
    const { skew, idle, live, goAway } = world();
    await skew.observe();
    await idle(MINUTE);
    expect(skew.now()).to.deep.equal({ aheadMs: undefined, by: undefined, isBeyond: false });
    await live(10);
    await idle(20 * MINUTE);
    expect(skew.now().isBeyond).to.equal(false);
    // The first block after a halt is of then.
    await live(1);
    expect(skew.now().isBeyond).to.equal(false);
    await live(5);
    goAway();
    await idle(20 * MINUTE);
    expect(skew.now()).to.include({ by: undefined, isBeyond: false });
  });

  it("is no matter of blocks that are slow, or of a node that catches up", async () => {
    const { skew, live, catchUp } = world();
    await skew.observe();
    await live(10, 9_000);
    expect(skew.now().isBeyond).to.equal(false);
    await catchUp(6, 60 * MINUTE);
    expect(skew.now().isBeyond).to.equal(false);
  });

  it("is told by the middle one of three peers or more where the ledger does not, whatever one of them says", async () => {
    const { skew, hear, set } = world();
    hear(1, -20 * MINUTE);
    hear(2, 20 * MINUTE);
    expect(skew.now().by).to.equal(undefined);
    hear(3, 0);
    expect(skew.now()).to.deep.equal({ aheadMs: 0, by: "peers", isBeyond: false });
    for (const peer of [1, 2, 3, 1, 1, 1]) hear(peer, 0);
    hear(4, 60 * MINUTE);
    expect(skew.now().isBeyond).to.equal(false);
    set(10 * MINUTE);
    for (const peer of [1, 2, 3]) hear(peer, 0);
    expect(skew.now()).to.include({ by: "peers", isBeyond: true });
    // The ledger's word goes before that of peers.
    set(0);
    for (const peer of [1, 2, 3]) hear(peer, 10 * MINUTE);
    expect(skew.now().isBeyond).to.equal(true);
    await skew.observe();
  });

  it("goes by the ledger where it and the peers differ", async () => {
    const { skew, hear, live } = world();
    await skew.observe();
    await live(5);
    for (const peer of [1, 2, 3, 4]) hear(peer, 10 * MINUTE);
    expect(skew.now()).to.deep.equal({ aheadMs: 0, by: "ledger", isBeyond: false });
  });

  it("stops nothing where there is no limit", async () => {
    const { skew, set, live } = world(0);
    set(10 * MINUTE);
    await skew.observe();
    await live(5);
    expect(skew.now().isBeyond).to.equal(false);
    expect(skew.now().aheadMs).to.be.greaterThan(9 * MINUTE);
  });
});
