import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import type { Clock } from "../../../src/platform/clock.ts";
import { createWake } from "../../../src/platform/loop.ts";
import { workOff } from "../../../src/relay/pool.ts";

describe("working off what is due", () => {
  let nowMs: number;
  const clock: Clock = { nowMs: () => nowMs, sleep: () => Promise.resolve() };
  const pool = (options: Pick<Parameters<typeof workOff<string, "step">>[0], "find" | "work">) =>
    workOff({ limit: 2, keyOf: (item) => item, wake: createWake<"step">(), step: "step", clock, ...options });

  beforeEach(() => (nowMs = 0));

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

  it("throws what an item throws, after the others under way have ended", async () => {
    let hasEnded = false;
    const failing = pool({
      find: () => Promise.resolve(["bad", "slow"]),
      async work(item) {
        if (item === "bad") throw new Error("bad item");
        await turn();
        hasEnded = true;
      },
    });
    await failing.then(
      () => expect.fail("it has to throw"),
      (failure: unknown) => expect(failure).to.have.property("message", "bad item"),
    );
    expect(hasEnded).to.equal(true);
  });
});
