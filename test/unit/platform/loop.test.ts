import { expect } from "chai";
import { systemClock } from "../../../src/platform/clock.ts";
import { createWake, runSteps, type LoopOptions, type LoopStep } from "../../../src/platform/loop.ts";

type Name = "first" | "second";
const FAR_MS = 60_000;

function optionsWith(changes: Partial<LoopOptions<Name>> = {}): LoopOptions<Name> {
  return {
    wake: createWake<Name>(),
    clock: systemClock,
    pollIntervalMs: FAR_MS,
    retry: { firstDelayMs: 10, maxDelayMs: 40 },
    random: () => 0,
    onError: () => undefined,
    ...changes,
  };
}

/** A step that does what it is told pass by pass, and tells when it has done so many. */
function scripted(
  name: Name,
  script: (pass: number) => Promise<boolean> | boolean,
): LoopStep<Name> & { passes: () => number; reached: (passes: number) => Promise<unknown> } {
  let done = 0;
  const waiting: { passes: number; resolve: () => void }[] = [];
  return {
    name,
    async run() {
      try {
        return await script(++done);
      } finally {
        for (const { passes, resolve } of waiting) if (done >= passes) resolve();
      }
    },
    passes: () => done,
    reached: (passes) => {
      if (done >= passes) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<undefined>();
      waiting.push({ passes, resolve: () => resolve(undefined) });
      return promise;
    },
  };
}

describe("the loops of the steps", () => {
  it("goes on at once while there is more, then sleeps until it is woken", async () => {
    const options = optionsWith();
    const step = scripted("first", (pass) => pass < 3);
    const running = runSteps([step], options);
    await step.reached(3);
    await systemClock.sleep(20);
    expect(step.passes()).to.equal(3);

    options.wake("second");
    options.wake("first");
    await step.reached(4);
    await running.stop();
    expect(step.passes()).to.equal(4);
  });

  it("loses no wake that comes while it works", async () => {
    const options = optionsWith();
    const step = scripted("first", async (pass) => {
      if (pass === 1) {
        await systemClock.sleep(5);
        options.wake("first");
      }
      return false;
    });
    const running = runSteps([step], options);
    await step.reached(2);
    await running.stop();
  });

  it("comes back at the time of a wake for later, and not before", async () => {
    const options = optionsWith();
    const step = scripted("first", () => false);
    const running = runSteps([step], options);
    await step.reached(1);
    const from = performance.now();
    for (const afterMs of [FAR_MS, 60, 30]) options.wake("first", afterMs);
    await step.reached(2);
    expect(performance.now() - from).to.be.at.least(28);
    await step.reached(3);
    expect(performance.now() - from).to.be.at.least(58);
    await running.stop();
  });

  it("polls when nobody wakes it, each step at its own pace", async () => {
    const quick = { ...scripted("first", () => false), pollIntervalMs: 5 };
    const slow = scripted("second", () => false);
    const running = runSteps<Name>([quick, slow], optionsWith());
    await quick.reached(4);
    await running.stop();
    expect(slow.passes()).to.equal(1);
  });

  it("backs off after errors, whoever wakes it, and starts over after a success", async () => {
    const retries: (number | undefined)[] = [];
    const options = optionsWith({ onError: (_step, _error, retryInMs) => retries.push(retryInMs) });
    const step = scripted("first", (pass) => {
      if (pass === 5) return true;
      if (pass > 6) return false;
      options.wake("first");
      throw new Error("no answer");
    });
    const from = performance.now();
    const running = runSteps([step], options);
    await step.reached(7);
    await running.stop();
    // The lower ends of 10, 20, 40, 40 ms; and the first again.
    expect(retries).to.deep.equal([5, 10, 20, 20, 5]);
    expect(performance.now() - from).to.be.at.least(55);
  });

  it("stops every step for an error that is fatal, and says which", async () => {
    const fork = Object.assign(new Error("the history has changed"), { fatal: true });
    const other = scripted("second", async () => {
      await systemClock.sleep(5);
      return true;
    });
    const errors: [Name, unknown, number | undefined][] = [];
    const running = runSteps<Name>(
      [scripted("first", () => Promise.reject(fork)), other],
      optionsWith({ onError: (...error) => errors.push(error) }),
    );
    expect(await running.failed).to.equal(fork);
    const passes = other.passes();
    await systemClock.sleep(20);
    expect(other.passes()).to.equal(passes);
    expect(errors).to.deep.equal([["first", fork, undefined]]);
    await running.stop();
  });

  it("lets a pass end before it has stopped, and begins no other", async () => {
    let ended = false;
    const step = scripted("first", async () => {
      await systemClock.sleep(20);
      ended = true;
      return true;
    });
    const running = runSteps([step], optionsWith());
    await systemClock.sleep(5);
    await running.stop();
    expect(ended).to.be.true;
    expect(step.passes()).to.equal(1);
  });

  it("stops at once while it sleeps or backs off", async () => {
    const from = performance.now();
    const options = optionsWith({ retry: { firstDelayMs: FAR_MS, maxDelayMs: FAR_MS } });
    const failing = scripted("second", () => Promise.reject(new Error("no answer")));
    const idle = scripted("first", () => false);
    const running = runSteps<Name>([idle, failing], options);
    await Promise.all([idle.reached(1), failing.reached(1)]);
    await running.stop();
    expect(performance.now() - from).to.be.below(1_000);
  });

  it("is alive while passes end or a step sleeps, and not while all hang, or one does for long", async () => {
    let nowMs = 0;
    const clock = { ...systemClock, nowMs: () => nowMs };
    const { promise: hanging, resolve: wake } = Promise.withResolvers<boolean>();
    const first = scripted("first", (pass) => (pass === 2 ? hanging : false));
    const second = scripted("second", (pass) => (pass === 2 ? hanging : false));
    const options = optionsWith({ clock });
    const running = runSteps([first, second], options);
    await Promise.all([first.reached(1), second.reached(1)]);
    expect(running.isAlive()).to.equal(true);
    await systemClock.sleep(5);
    expect(running.isAlive()).to.equal(true);

    options.wake("first");
    while (first.passes() < 2) await systemClock.sleep(1);
    expect(running.isAlive()).to.equal(true);
    nowMs = 600_001;
    expect(running.isAlive()).to.equal(false);
    nowMs = 0;
    options.wake("second");
    while (second.passes() < 2) await systemClock.sleep(1);
    running.isAlive();
    expect(running.isAlive()).to.equal(false);
    wake(false);
    await Promise.all([first.reached(2), second.reached(2)]);
    await running.stop();
  });
});
