import { EventEmitter } from "node:events";
import { expect } from "chai";
import { systemClock } from "../../../src/platform/clock.ts";
import { silentLogger } from "../../../src/platform/logger.ts";
import { stopOnSignal } from "../../../src/platform/shutdown.ts";

/** A process that can be told to stop, and tells with what it has ended. */
function fakeProcess(): EventEmitter & { exit: (code: number) => void; ended: Promise<number> } {
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  return Object.assign(new EventEmitter(), { exit: resolve, ended });
}

describe("the end of the process", () => {
  const tools = { log: silentLogger, clock: systemClock };

  it("drains first, then ends with 0", async () => {
    const process = fakeProcess();
    let drained = false;
    stopOnSignal(
      async () => {
        await systemClock.sleep(10);
        drained = true;
      },
      1_000,
      { ...tools, process },
    );
    process.emit("SIGTERM");
    expect(await process.ended).to.equal(0);
    expect(drained).to.be.true;
  });

  it("ends with 1 when draining fails, or takes too long", async () => {
    const failing = fakeProcess();
    stopOnSignal(() => Promise.reject(new Error("database gone")), 1_000, { ...tools, process: failing });
    failing.emit("SIGINT");
    expect(await failing.ended).to.equal(1);

    const slow = fakeProcess();
    stopOnSignal(() => Promise.withResolvers<never>().promise, 5, { ...tools, process: slow });
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
