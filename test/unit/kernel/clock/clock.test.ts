import { expect } from "chai";
import { leftMs, steadyClock, systemClock } from "../../../../src/kernel/clock/clock.ts";

describe("a steady clock", () => {
  it("goes on as before when the machine's clock is set", () => {
    const before = steadyClock.nowMs();
    const { now } = Date;
    Date.now = () => now() + 3_600_000;
    try {
      expect(steadyClock.nowMs() - before).to.be.within(0, 3_000_000);
    } finally {
      Date.now = now;
    }
  });
});

describe("what is left of a duration", () => {
  it("shrinks, and is nothing where the clock has been set back", () => {
    const leftAt = (nowMs: number) => leftMs({ nowMs: () => nowMs }, 1_000, 60);
    expect([1_000, 1_059, 1_060, 5_000, 999].map(leftAt)).to.deep.equal([60, 1, 0, 0, 0]);
  });
});

describe("the system's clock", () => {
  it("tells the time of day in milliseconds", () => {
    const before = Date.now();
    expect(systemClock.nowMs()).to.be.within(before, Date.now());
  });

  it("sleeps for as long as it is told to", async () => {
    const before = performance.now();
    await systemClock.sleep(20);
    // Timers count whole milliseconds, and may round them down.
    expect(performance.now() - before).to.be.at.least(19);
  });
});
