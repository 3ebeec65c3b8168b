import { expect } from "chai";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { createSandboxClock } from "../../../sandbox/clock.ts";

const HOUR_MS = 3_600_000;

describe("the sandbox's clock, in its process", () => {
  it("is the machine's, and as much ahead as it was advanced", () => {
    const clock = createSandboxClock({ ...systemClock, nowMs: () => 1_000 });
    expect([clock.nowMs(), clock.advancedMs()]).to.deep.equal([1_000, 0]);
    clock.advance(HOUR_MS);
    clock.advance(1_000);
    expect([clock.nowMs(), clock.advancedMs()]).to.deep.equal([HOUR_MS + 2_000, HOUR_MS + 1_000]);
  });

  it("wakes who sleeps until a time that has come, and nobody else", async () => {
    const clock = createSandboxClock(systemClock);
    const end = new AbortController();
    const woken: string[] = [];
    const short = clock.sleep(HOUR_MS).then(() => woken.push("short"));
    const long = clock.sleep(3 * HOUR_MS, end.signal).then(() => woken.push("long"));
    clock.advance(2 * HOUR_MS);
    clock.wake();
    await short;
    expect(woken).to.deep.equal(["short"]);
    clock.advance(HOUR_MS);
    clock.wake();
    await long;
    expect(woken).to.deep.equal(["short", "long"]);
  });

  it("sleeps by the machine as long as it is not advanced", async () => {
    let nowMs = systemClock.nowMs();
    const sleep = (durationMs: number) => Promise.resolve(void (nowMs += durationMs));
    const clock = createSandboxClock({ nowMs: () => nowMs, sleep });
    const startMs = clock.nowMs();
    await clock.sleep(20);
    expect(clock.nowMs() - startMs).to.equal(20);
  });

  it("lets a sleep be ended by its signal, with the signal's reason", async () => {
    const clock = createSandboxClock(systemClock);
    const end = new AbortController();
    const asleep = clock.sleep(HOUR_MS, end.signal).catch((thrown: unknown) => thrown);
    const reason = new Error("stopped");
    end.abort(reason);
    for (const ended of [await asleep, await clock.sleep(HOUR_MS, end.signal).catch((thrown: unknown) => thrown)]) {
      expect(ended).to.be.instanceOf(Error).with.property("cause", reason);
    }
  });
});
