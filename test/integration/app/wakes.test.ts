import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { runSteps, type RunningSteps, type Wake } from "../../../src/kernel/steps/loop.ts";
import type { StepName } from "../../../src/kernel/steps/step.ts";
import { remittanceWork } from "../../../src/features/remittance/work.ts";
import { describeOn } from "../support/databases.ts";
import { readLedger, startPair, type Pair } from "../support/peers.ts";
import { acceptTransfers, standingQuote, type TestRelay } from "../support/relay-context.ts";

/** Longer than any test. */
const NEVER_MS = 3_600_000;
const OFTEN_MS = 10;
const RETRY = { firstDelayMs: 20, maxDelayMs: 100 };

describeOn("PGlite", "wake-ups", (open) => {
  let pair: Pair;
  let running: readonly RunningSteps[] = [];
  beforeEach(async () => {
    pair = await startPair(open, { retry: RETRY });
    await readLedger(pair.source, pair.target);
  });
  afterEach(async () => {
    await Promise.all(running.map((steps) => steps.stop()));
    await pair.close();
  });

  function start(relay: TestRelay, wake: Wake<StepName>, pollMs: (step: StepName) => number): RunningSteps {
    const context = { ...relay, wake };
    const steps = (remittanceWork.steps ?? []).map(({ name, run }) => ({
      name,
      run: () => run(context),
      pollIntervalMs: pollMs(name),
    }));
    return runSteps(steps, {
      wake,
      clock: systemClock,
      pollIntervalMs: NEVER_MS,
      retry: RETRY,
      onError: (step, error) => relay.log.error({ step, error }, "a step failed"),
    });
  }

  /** From its acceptance to the end: the source has been told that the customer is credited. */
  async function untilConfirmed(count: number): Promise<void> {
    const { source, wallet } = pair;
    for (;;) {
      const [row] = await source.db.query<{ told: number }>("SELECT count(*)::integer AS told FROM confirmations");
      if (row?.told === count) break;
      await delay(OFTEN_MS);
    }
    expect(wallet.posted.size).to.equal(count);
  }

  it("pass a transfer on from step to step: nothing but new blocks is looked for", async () => {
    running = [pair.source, pair.target].map((relay) =>
      start(relay, relay.wake, (step) => (step === "watcher" ? OFTEN_MS : NEVER_MS)),
    );
    await acceptTransfers(pair.source, 2, { quote: await standingQuote(pair.source) });
    pair.source.wake("batcher");
    await untilConfirmed(2);
  });

  it("may all be lost: nothing but time is lost with them", async () => {
    const lost: Wake<StepName> = Object.assign(() => undefined, { onWake: () => () => undefined });
    running = [pair.source, pair.target].map((relay) => start(relay, lost, () => OFTEN_MS));
    await acceptTransfers(pair.source, 2, { quote: await standingQuote(pair.source) });
    await untilConfirmed(2);
  });
});
