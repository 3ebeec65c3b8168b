import { expect } from "chai";
import { systemClock } from "../../../../src/kernel/clock/clock.ts";

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
