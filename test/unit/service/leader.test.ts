import { expect } from "chai";
import { systemClock } from "../../../src/platform/clock.ts";
import { silentLogger } from "../../../src/platform/logger.ts";
import { startLeader, type Leader } from "../../../src/service/leader.ts";
import type { Lease } from "../../../src/store/database.ts";

/** A database with one lease, which can be taken away. */
class OneLease {
  holder: { lose: (error: Error) => void } | undefined;
  fails = false;
  asked = 0;

  tryLease(): Promise<Lease | undefined> {
    this.asked++;
    if (this.fails) return Promise.reject(new Error("the database is restarting"));
    if (this.holder !== undefined) return Promise.resolve(undefined);
    const { promise: lost, resolve } = Promise.withResolvers<Error>();
    const holder = {
      lose: (error: Error) => {
        this.holder = undefined;
        resolve(error);
      },
    };
    this.holder = holder;
    const release = (): Promise<void> => {
      if (this.holder === holder) this.holder = undefined;
      return Promise.resolve();
    };
    return Promise.resolve({ lost, release });
  }
}

/** Steps that run until they are stopped, or fail for good. */
interface FakeSteps {
  readonly log: string[];
  fail: (error: Error) => void;
}

function start(db: OneLease): { leader: Leader; steps: FakeSteps; fatal: Error[] } {
  const steps: FakeSteps = { log: [], fail: () => undefined };
  const fatal: Error[] = [];
  const leader = startLeader({
    db,
    clock: systemClock,
    log: silentLogger,
    retryMs: 5,
    lead() {
      steps.log.push("begun");
      const { promise: failed, resolve } = Promise.withResolvers<Error>();
      steps.fail = resolve;
      const stop = async (): Promise<void> => {
        await systemClock.sleep(5);
        steps.log.push("stopped");
      };
      return { failed, stop };
    },
    onChange: () => undefined,
    onFatal: (error) => fatal.push(error),
  });
  return { leader, steps, fatal };
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
    db.holder?.lose(new Error("connection lost"));
    await soon();
    expect(steps.log).to.deep.equal(["begun", "stopped"]);
    expect(db.asked).to.be.above(2);
    db.fails = false;
    await soon();
    expect(steps.log).to.deep.equal(["begun", "stopped", "begun"]);
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
