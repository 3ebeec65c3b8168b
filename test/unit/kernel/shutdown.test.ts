import { EventEmitter } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { silentLogger } from "../../../src/kernel/telemetry/logger.ts";
import { stopOnSignal } from "../../../src/kernel/shutdown.ts";

/** A process that can be told to stop, and tells with what it has ended. */
function fakeProcess(): EventEmitter & { exit: (code: number) => void; ended: Promise<number> } {
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  return Object.assign(new EventEmitter(), { exit: resolve, ended });
}

describe("the end of the process", () => {
  // However long this machine takes, no limit is over, but where one is to be.
  const standing = { ...systemClock, sleep: () => Promise.withResolvers<never>().promise };
  const tools = { log: silentLogger, clock: standing };

  it("drains first, then ends with 0", async () => {
    const process = fakeProcess();
    const { promise: drained, resolve: drain } = Promise.withResolvers<undefined>();
    let hasEnded = false;
    void process.ended.then(() => (hasEnded = true));
    stopOnSignal(() => drained, 1_000, { ...tools, process });
    process.emit("SIGTERM");
    await turn();
    expect(hasEnded).to.be.false;
    drain(undefined);
    expect(await process.ended).to.equal(0);
  });

  it("ends with 1 when draining fails, or takes too long", async () => {
    const failing = fakeProcess();
    stopOnSignal(() => Promise.reject(new Error("database gone")), 1_000, { ...tools, process: failing });
    failing.emit("SIGINT");
    expect(await failing.ended).to.equal(1);

    const slow = fakeProcess();
    stopOnSignal(() => Promise.withResolvers<never>().promise, 5, { ...tools, clock: systemClock, process: slow });
    slow.emit("SIGTERM");
    expect(await slow.ended).to.equal(1);
  });

  it("does not wait any longer when it is told a second time", async () => {
    const process = fakeProcess();
    let drains = 0;
    const drain = (): Promise<void> => {
      drains++;
      return Promise.withResolvers<never>().promise;
    };
    stopOnSignal(drain, 1_000, { ...tools, process });
    process.emit("SIGINT");
    process.emit("SIGINT");
    expect(await process.ended).to.equal(1);
    expect(drains).to.equal(1);
  });
});
