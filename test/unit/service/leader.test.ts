import { expect } from "chai";
import { systemClock, type Clock } from "../../../src/platform/clock.ts";
import { silentLogger } from "../../../src/platform/logger.ts";
import { startLeader, type Leader } from "../../../src/service/leader.ts";
import type { Lease } from "../../../src/store/database.ts";

/** A database with one lease, which can be taken away. */
class OneLease {
  holder: { lose: () => void; renewed: number } | undefined;
  fails = false;
  asked = 0;

  tryLease(): Promise<Lease | undefined> {
    this.asked++;
    if (this.fails) return Promise.reject(new Error("the database is restarting"));
    if (this.holder !== undefined) return Promise.resolve(undefined);
    let isHeld = true;
    const end = (): void => {
      isHeld = false;
      if (this.holder === holder) this.holder = undefined;
    };
    const holder = { lose: end, renewed: 0 };
    this.holder = holder;
    return Promise.resolve({
      epoch: BigInt(this.asked),
      isHeld: () => isHeld,
      renew: () => {
        if (isHeld) holder.renewed++;
        return Promise.resolve(isHeld);
      },
      fence: () => Promise.resolve(),
      release: () => {
        end();
        return Promise.resolve();
      },
    });
  }
}

/** Steps that run until they are stopped, or fail for good. */
interface FakeSteps {
  readonly log: string[];
  isAlive: boolean;
  /** Their passes do not end. */
  hangs: boolean;
  fail: (error: Error) => void;
}

function start(db: OneLease, clock: Clock = systemClock): { leader: Leader; steps: FakeSteps; fatal: Error[] } {
  const steps: FakeSteps = { log: [], isAlive: true, hangs: false, fail: () => undefined };
  const fatal: Error[] = [];
  const leader = startLeader({
    db,
    clock,
    log: silentLogger,
    retryMs: 5,
    renewMs: 5,
    lead() {
      steps.log.push("begun");
      const { promise: failed, resolve } = Promise.withResolvers<Error>();
      steps.fail = resolve;
      const stop = async (): Promise<void> => {
        if (steps.hangs) await Promise.withResolvers<undefined>().promise;
        await systemClock.sleep(5);
        steps.log.push("stopped");
      };
      return { failed, stop, isAlive: () => steps.isAlive };
    },
    onChange: () => undefined,
    onFatal: (error) => fatal.push(error),
  });
  return { leader, steps, fatal };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await systemClock.sleep(2);
}

const soon = (): Promise<void> => systemClock.sleep(40);

describe("the process that leads", () => {
  it("is one at a time, and another once that has stopped its steps", async () => {
    const db = new OneLease();
    const [first, second] = [start(db), start(db)];
    await soon();
    expect([first.steps.log, second.steps.log]).to.deep.equal([["begun"], []]);
    await first.leader.stop();
    expect(first.steps.log).to.deep.equal(["begun", "stopped"]);
    await soon();
    expect(second.steps.log).to.deep.equal(["begun"]);
    await second.leader.stop();
    expect(db.holder).to.equal(undefined);
  });

  it("stops its steps when it loses the lease, and leads again when it gets it back", async () => {
    const db = new OneLease();
    const { leader, steps } = start(db);
    await soon();
    db.fails = true;
    db.holder?.lose();
    await soon();
    expect(steps.log).to.deep.equal(["begun", "stopped"]);
    expect(db.asked).to.be.above(2);
    db.fails = false;
    await soon();
    expect(steps.log).to.deep.equal(["begun", "stopped", "begun"]);
    await leader.stop();
  });

  it("renews the lease as long as its steps get on, and while they end", async () => {
    const db = new OneLease();
    const { leader, steps } = start(db);
    await until(() => (db.holder?.renewed ?? 0) > 2);
    steps.isAlive = false;
    await soon();
    const renewed = db.holder?.renewed;
    await soon();
    expect(db.holder?.renewed).to.equal(renewed);
    steps.isAlive = true;
    await until(() => (db.holder?.renewed ?? 0) > (renewed ?? Infinity));
    await leader.stop();
    expect(steps.log).to.deep.equal(["begun", "stopped"]);
  });

  it("leaves a pass alone that does not end once the lease is lost, and leads again", async () => {
    const db = new OneLease();
    // Waiting for the pass is the only thing that takes longer than a second.
    const clock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 50), signal) };
    const { leader, steps } = start(db, clock);
    await until(() => steps.log.length === 1);
    steps.hangs = true;
    db.holder?.lose();
    await until(() => steps.log.length === 2);
    expect(steps.log).to.deep.equal(["begun", "begun"]);
    steps.hangs = false;
    await leader.stop();
  });

  it("keeps the lease after an error that nothing mends, so that nobody goes on with it", async () => {
    const db = new OneLease();
    const [first, second] = [start(db), start(db)];
    await soon();
    const fork = new Error("fork");
    first.steps.fail(fork);
    await soon();
    expect(first.fatal).to.deep.equal([fork]);
    expect(first.steps.log).to.deep.equal(["begun", "stopped"]);
    expect(second.steps.log).to.be.empty;
    const renewed = db.holder?.renewed ?? Infinity;
    await until(() => (db.holder?.renewed ?? 0) > renewed);
    await first.leader.stop();
    await second.leader.stop();
    expect(db.holder).to.equal(undefined);
  });

  it("can be stopped before it ever led", async () => {
    const db = new OneLease();
    db.fails = true;
    const { leader, steps } = start(db);
    await soon();
    await leader.stop();
    expect(steps.log).to.be.empty;
  });
});
