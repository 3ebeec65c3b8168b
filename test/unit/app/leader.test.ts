import { expect } from "chai";
import { systemClock, type Clock } from "../../../src/kernel/clock/clock.ts";
import { silentLogger } from "../../../src/kernel/telemetry/logger.ts";
import { startLeader, type Leader } from "../../../src/app/leader.ts";
import type { Lease } from "../../../src/kernel/store/database.ts";
import { until } from "../../support/until.ts";

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
  /** How often it was asked whether they get on. */
  asked: number;
  /** Their passes do not end. */
  hangs: boolean;
  fail: (error: Error) => void;
}

function start(db: OneLease, clock: Clock = systemClock): { leader: Leader; steps: FakeSteps; fatal: Error[] } {
  const steps: FakeSteps = { log: [], isAlive: true, asked: 0, hangs: false, fail: () => undefined };
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
      return { failed, stop, isAlive: () => (steps.asked++, steps.isAlive) };
    },
    onChange: () => undefined,
    onFatal: (error) => fatal.push(error),
  });
  return { leader, steps, fatal };
}

const log = ({ steps }: { steps: FakeSteps }): string => steps.log.join(" ");

describe("the process that leads", () => {
  it("is one at a time, and another once that has stopped its steps", async () => {
    const db = new OneLease();
    const [first, second] = [start(db), start(db)];
    // The second one has asked for the lease, and not got it.
    await until(() => log(first) === "begun" && db.asked > 3);
    expect(second.steps.log).to.deep.equal([]);
    await first.leader.stop();
    expect(first.steps.log).to.deep.equal(["begun", "stopped"]);
    await until(() => log(second) === "begun");
    await second.leader.stop();
    expect(db.holder).to.equal(undefined);
  });

  it("stops its steps when it loses the lease, and leads again when it gets it back", async () => {
    const db = new OneLease();
    const { leader, steps } = start(db);
    await until(() => log({ steps }) === "begun");
    db.fails = true;
    db.holder?.lose();
    await until(() => db.asked > 3);
    expect(steps.log).to.deep.equal(["begun", "stopped"]);
    db.fails = false;
    await until(() => log({ steps }) === "begun stopped begun");
    await leader.stop();
  });

  it("renews the lease as long as its steps get on, and while they end", async () => {
    const db = new OneLease();
    const { leader, steps } = start(db);
    await until(() => (db.holder?.renewed ?? 0) > 2);
    steps.isAlive = false;
    const asked = steps.asked;
    await until(() => steps.asked > asked);
    const renewed = db.holder?.renewed;
    await until(() => steps.asked > asked + 5);
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

  it("keeps the lease after an error that nothing fixes, so that nobody goes on with it", async () => {
    const db = new OneLease();
    const [first, second] = [start(db), start(db)];
    await until(() => log(first) === "begun");
    const fork = new Error("fork");
    first.steps.fail(fork);
    await until(() => first.fatal.length > 0 && log(first) === "begun stopped");
    const { asked } = db;
    await until(() => db.asked > asked + 3);
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
    await until(() => db.asked > 1);
    await leader.stop();
    expect(steps.log).to.be.empty;
  });
});
