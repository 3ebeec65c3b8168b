import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import type { Clock } from "../../../../src/kernel/clock/clock.ts";
import { createWake, runSteps, type LoopOptions, type LoopStep } from "../../../../src/kernel/steps/loop.ts";

type Name = "first" | "second";
const FAR_MS = 60_000;

function optionsWith(changes: Partial<LoopOptions<Name>> = {}): LoopOptions<Name> {
  return {
    wake: createWake<Name>(),
    clock: handClock(),
    pollIntervalMs: FAR_MS,
    retry: { firstDelayMs: 10, maxDelayMs: 40 },
    random: () => 0,
    onError: () => undefined,
    ...changes,
  };
}

/** A clock on which time passes when it is told to: whoever sleeps wakes then. */
interface HandClock extends Clock {
  pass(durationMs: number): Promise<void>;
  /** Somebody sets the clock back; who sleeps goes on sleeping for as long as before. */
  setBack(byMs: number): void;
}

function handClock(): HandClock {
  let [nowMs, setBackMs] = [0, 0];
  const sleepers = new Set<{ untilMs: number; wake: () => void }>();
  return {
    nowMs: () => nowMs - setBackMs,
    setBack: (byMs) => void (setBackMs += byMs),
    sleep(durationMs, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      const sleeper = { untilMs: nowMs + durationMs, wake: () => resolve(undefined) };
      sleepers.add(sleeper);
      signal?.addEventListener("abort", () => reject(new Error("aborted")));
      return promise.finally(() => sleepers.delete(sleeper));
    },
    async pass(durationMs) {
      nowMs += durationMs;
      for (const { untilMs, wake } of sleepers) if (untilMs <= nowMs) wake();
      // Whatever was woken gets as far as it can.
      await turn();
    },
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
    await turn();
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
        await turn();
        options.wake("first");
      }
      return false;
    });
    const running = runSteps([step], options);
    await step.reached(2);
    await running.stop();
  });

  it("comes back at the time of a wake for later, and not before", async () => {
    const clock = handClock();
    const options = optionsWith({ clock });
    const step = scripted("first", () => false);
    const running = runSteps([step], options);
    await step.reached(1);
    await turn();
    for (const afterMs of [FAR_MS, 60, 30]) options.wake("first", afterMs);
    await turn();
    for (const [afterMs, passes] of [
      [29, 1],
      [1, 2],
      [29, 2],
      [1, 3],
    ] as const) {
      await clock.pass(afterMs);
      expect(step.passes()).to.equal(passes);
    }
    await running.stop();
  });

  it("polls on time though the clock is set back while it sleeps", async () => {
    const clock = handClock();
    await clock.pass(3_600_000);
    const step = scripted("first", () => false);
    const running = runSteps([step], optionsWith({ clock }));
    await step.reached(1);
    await turn();
    clock.setBack(3_600_000);
    for (const passes of [2, 3]) {
      await clock.pass(FAR_MS);
      expect(step.passes()).to.equal(passes);
    }
    await running.stop();
  });

  it("polls when nobody wakes it, each step at its own pace", async () => {
    const clock = handClock();
    const quick = { ...scripted("first", () => false), pollIntervalMs: 5 };
    const slow = scripted("second", () => false);
    const running = runSteps<Name>([quick, slow], optionsWith({ clock }));
    await Promise.all([quick.reached(1), slow.reached(1)]);
    await turn();
    for (let passes = 2; passes <= 4; passes++) {
      await clock.pass(5);
      expect([quick.passes(), slow.passes()]).to.deep.equal([passes, 1]);
    }
    await clock.pass(FAR_MS);
    expect(slow.passes()).to.equal(2);
    await running.stop();
  });

  it("backs off after errors, whoever wakes it, and starts over after a success", async () => {
    const retries: (number | undefined)[] = [];
    const clock = handClock();
    const options = optionsWith({ clock, onError: (_step, _error, retryInMs) => retries.push(retryInMs) });
    const step = scripted("first", (pass) => {
      if (pass === 5) return true;
      if (pass > 6) return false;
      options.wake("first");
      throw new Error("no answer");
    });
    const running = runSteps([step], options);
    await step.reached(1);
    await turn();
    // The lower ends of 10, 20, 40, 40 ms; and the first again, after one that is followed by another at once.
    for (const [failed, retryInMs] of [5, 10, 20, 20, 5].entries()) {
      expect(retries)
        .to.have.length(failed + 1)
        .and.include(retryInMs);
      const passes = step.passes();
      await clock.pass(retryInMs - 1);
      expect(step.passes(), "not before").to.equal(passes);
      await clock.pass(1);
      await turn();
    }
    expect(step.passes()).to.equal(7);
    await running.stop();
    expect(retries).to.deep.equal([5, 10, 20, 20, 5]);
  });

  it("stops every step for an error that is fatal, and says which", async () => {
    const fork = Object.assign(new Error("the history has changed"), { fatal: true });
    const other = scripted("second", async () => {
      await turn();
      return true;
    });
    const errors: [Name, unknown, number | undefined][] = [];
    const options = optionsWith({ onError: (...error) => errors.push(error) });
    const running = runSteps<Name>([scripted("first", () => Promise.reject(fork)), other], options);
    expect(await running.failed).to.equal(fork);
    const passes = other.passes();
    options.wake("second");
    await turn();
    await turn();
    expect(other.passes()).to.equal(passes);
    expect(errors).to.deep.equal([["first", fork, undefined]]);
    await running.stop();
  });

  it("lets a pass end before it has stopped, and begins no other", async () => {
    const { promise: pass, resolve: end } = Promise.withResolvers<boolean>();
    const step = scripted("first", () => pass);
    const running = runSteps([step], optionsWith());
    let hasStopped = false;
    const stopped = running.stop().then(() => (hasStopped = true));
    await turn();
    expect(hasStopped).to.be.false;
    end(true);
    await stopped;
    expect(step.passes()).to.equal(1);
  });

  it("stops at once while it sleeps or backs off", async () => {
    // On a clock on which no time passes.
    const options = optionsWith({ clock: handClock(), retry: { firstDelayMs: FAR_MS, maxDelayMs: FAR_MS } });
    const failing = scripted("second", () => Promise.reject(new Error("no answer")));
    const idle = scripted("first", () => false);
    const running = runSteps<Name>([idle, failing], options);
    await Promise.all([idle.reached(1), failing.reached(1)]);
    await running.stop();
  });

  it("is alive while passes end or a step sleeps, and not while all hang, or one does for long", async () => {
    let nowMs = 0;
    const clock = { ...handClock(), nowMs: () => nowMs };
    const { promise: hanging, resolve: wake } = Promise.withResolvers<boolean>();
    const first = scripted("first", (pass) => (pass === 2 ? hanging : false));
    const second = scripted("second", (pass) => (pass === 2 ? hanging : false));
    const options = optionsWith({ clock });
    const running = runSteps([first, second], options);
    await Promise.all([first.reached(1), second.reached(1)]);
    expect(running.isAlive()).to.equal(true);
    await turn();
    expect(running.isAlive()).to.equal(true);

    options.wake("first");
    while (first.passes() < 2) await turn();
    expect(running.isAlive()).to.equal(true);
    nowMs = 600_001;
    expect(running.isAlive()).to.equal(false);
    nowMs = 0;
    options.wake("second");
    while (second.passes() < 2) await turn();
    running.isAlive();
    expect(running.isAlive()).to.equal(false);
    wake(false);
    await Promise.all([first.reached(2), second.reached(2)]);
    await running.stop();
  });
});
