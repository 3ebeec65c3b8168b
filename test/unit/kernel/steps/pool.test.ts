import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import type { Clock } from "../../../../src/kernel/clock/clock.ts";
import { createWake } from "../../../../src/kernel/steps/loop.ts";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { silentLogger } from "../../../../src/kernel/telemetry/logger.ts";
import { createMetrics } from "../../../../src/kernel/telemetry/metrics.ts";
import type { StepName } from "../../../../src/kernel/steps/step.ts";
import { workOff, type PoolOptions } from "../../../../src/kernel/steps/pool.ts";
import { StoreUnavailable } from "../../../../src/kernel/store/faults.ts";

describe("working off what is due", () => {
  let nowMs: number;
  const clock: Clock = { nowMs: () => nowMs, sleep: () => Promise.resolve() };
  const recorded: string[] = [];
  const metrics = createMetrics({ partner: 1 }, {});
  const wake = createWake<StepName>();
  const pool = (options: Pick<PoolOptions<string>, "find" | "work" | "findsAll">) =>
    workOff({
      context: { clock, wake, log: silentLogger, metrics },
      step: "courier",
      limit: 2,
      keyOf: (item) => item,
      recordFault: (item, fault) => Promise.resolve(void recorded.push(`${item} ${fault}`)),
      ...options,
    });

  beforeEach(() => {
    nowMs = 0;
    recorded.splice(0);
  });

  it("works each item once, as many at a time as it may, and says that nothing is left", async () => {
    const due = ["a", "b", "c", "d", "e"];
    const [running, most, worked] = [new Set<string>(), [0], [] as string[]];
    const isMoreDue = await pool({
      find: (atMost) => Promise.resolve(due.slice(0, atMost)),
      async work(item) {
        running.add(item);
        most.push(running.size);
        await Promise.resolve();
        due.splice(due.indexOf(item), 1);
        running.delete(item);
        worked.push(item);
      },
    });
    expect(worked.sort()).to.deep.equal(["a", "b", "c", "d", "e"]);
    expect(Math.max(...most)).to.equal(2);
    expect(isMoreDue).to.equal(false);
  });

  it("does not begin an item again that has ended while it looked, and was found as it was before", async () => {
    const due = ["a", "b"];
    const worked: string[] = [];
    const begun = Promise.withResolvers<undefined>();
    const ended = Promise.withResolvers<undefined>();
    let looks = 0;
    await pool({
      async find() {
        const found = [...due];
        looks++;
        // The second look, once the first item is done, has its answer after the other one is done as well.
        if (looks === 2) {
          begun.resolve(undefined);
          await ended.promise;
          await turn();
        }
        return found;
      },
      async work(item) {
        worked.push(item);
        if (item === "b") await begun.promise;
        due.splice(due.indexOf(item), 1);
        if (item === "b") ended.resolve(undefined);
      },
    });
    expect(worked).to.deep.equal(["a", "b"]);
    expect(looks).to.be.above(2);
  });

  it("looks once where that finds all there is, again when it is woken, and on where there may be more", async () => {
    let looks = 0;
    const run = async (due: string[], onWork: (item: string) => void = () => undefined) => {
      looks = 0;
      const worked: string[] = [];
      await pool({
        findsAll: true,
        find(atMost) {
          looks++;
          return Promise.resolve(due.slice(0, atMost));
        },
        work(item) {
          due.splice(due.indexOf(item), 1);
          worked.push(item);
          onWork(item);
          return Promise.resolve();
        },
      });
      return worked;
    };
    expect([await run(["a"]), looks]).to.deep.equal([["a"], 1]);
    expect([await run([]), looks]).to.deep.equal([[], 1]);
    // As many as are worked on at a time: there may be more.
    expect((await run(["a", "b", "c", "d"])).sort()).to.deep.equal(["a", "b", "c", "d"]);
    const due = ["a"];
    const worked = await run(due, (item) => {
      if (item !== "a") return;
      due.push("b");
      wake("courier");
    });
    expect([worked, looks]).to.deep.equal([["a", "b"], 2]);
  });

  it("ends after a while where items are due again as fast as they are tried, and says so", async () => {
    let tries = 0;
    const isMoreDue = await pool({
      find: () => Promise.resolve(["a", "b"]),
      work() {
        tries++;
        nowMs += 100;
        return Promise.resolve();
      },
    });
    expect(isMoreDue).to.equal(true);
    expect(tries).to.be.within(50, 52);
  });

  it("ends where the clock is set back meanwhile, for nobody knows how long it has worked", async () => {
    nowMs = 1_000;
    let worked = 0;
    const isMoreDue = await pool({
      find: () => Promise.resolve(worked < 100 ? ["a", "b"] : []),
      work() {
        nowMs = 0;
        worked++;
        return Promise.resolve();
      },
    });
    expect(isMoreDue).to.equal(true);
    expect(worked).to.be.lessThan(5);
  });

  it("records an item that throws, and goes on with the others", async () => {
    const due = ["bad", "good", "worse", "better"];
    const worked: string[] = [];
    await pool({
      find: (atMost) => Promise.resolve(due.slice(0, atMost)),
      work(item) {
        due.splice(due.indexOf(item), 1);
        if (item === "bad") throw new TypeError("of its own");
        if (item === "worse") return Promise.reject(new InvalidInput("reference", "text", "+85291234567"));
        worked.push(item);
        return Promise.resolve();
      },
    });
    expect(worked).to.deep.equal(["good", "better"]);
    expect(recorded).to.deep.equal(["bad TypeError: of its own", "worse reference: text"]);
    expect((await metrics.itemFaults.get()).values).to.deep.equal([{ labels: { step: "courier" }, value: 2 }]);
  });

  const fatal = Object.assign(new Error("the ledger has forked"), { fatal: true });
  for (const failure of [new StoreUnavailable("away"), fatal]) {
    it(`throws what is no item's own, after the others under way have ended: ${failure.message}`, async () => {
      let hasEnded = false;
      const failing = pool({
        find: () => Promise.resolve(["bad", "slow"]),
        async work(item) {
          if (item === "bad") throw failure;
          await turn();
          hasEnded = true;
        },
      });
      expect(await failing.catch((thrown: unknown) => thrown)).to.equal(failure);
      expect(hasEnded).to.equal(true);
      expect(recorded).to.deep.equal([]);
    });
  }
});
