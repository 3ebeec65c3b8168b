import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import type { RelaySettings } from "../../../src/features/context.ts";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { runSteps, type RunningSteps, type Wake } from "../../../src/kernel/steps/loop.ts";
import type { StepName } from "../../../src/kernel/steps/step.ts";
import { remittanceWork } from "../../../src/features/remittance/work.ts";
import { describeOn } from "../support/databases.ts";
import { readLedger, startPair, type Pair } from "../support/peers.ts";
import { oneStep } from "../support/proposals.ts";
import { acceptTransfers, SETTINGS, standingQuote, type TestRelay } from "../support/relay-context.ts";

/** Longer than any test. */
const NEVER_MS = 3_600_000;
const OFTEN_MS = 10;
const RETRY = { firstDelayMs: 20, maxDelayMs: 100 };

/** So seldom that whoever has to wait for it is not there in time. */
const SELDOM = { ledger: { ...SETTINGS.ledger, pollIntervalMs: NEVER_MS } };

describeOn("PGlite", "wake-ups", (open) => {
  let pair: Pair;
  let running: readonly RunningSteps[] = [];
  afterEach(async () => {
    await Promise.all(running.map((steps) => steps.stop()));
    await pair.close();
  });

  async function begin(settings: Partial<RelaySettings>): Promise<void> {
    pair = await startPair(open, { retry: RETRY, ...settings });
    await readLedger(pair.source, pair.target);
  }

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
      const [row] = await source.db.query<{ told: number }>(
        "SELECT coalesce(sum(last_seq - first_seq + 1), 0)::integer AS told FROM confirmations",
      );
      if (row?.told === count) break;
      await delay(OFTEN_MS);
    }
    expect(wallet.posted.size).to.equal(count);
  }

  for (const [how, settings] of [
    ["in one step", oneStep()],
    ["in two steps", oneStep({ enabled: false })],
  ] as const) {
    it(`pass a transfer on from step to step, ${how}: nothing but new blocks is looked for`, async () => {
      await begin(settings);
      running = [pair.source, pair.target].map((relay) =>
        start(relay, relay.wake, (step) => (step === "watcher" ? OFTEN_MS : NEVER_MS)),
      );
      await acceptTransfers(pair.source, 2, { quote: await standingQuote(pair.source) });
      pair.source.wake("batcher");
      await untilConfirmed(2);
    });

    it(`may all be lost, ${how}: nothing but time is lost with them`, async () => {
      await begin(settings);
      const lost: Wake<StepName> = Object.assign(() => undefined, { onWake: () => () => undefined });
      running = [pair.source, pair.target].map((relay) => start(relay, lost, () => OFTEN_MS));
      await acceptTransfers(pair.source, 2, { quote: await standingQuote(pair.source) });
      await untilConfirmed(2);
    });
  }

  it("have a target look for the block of what it has accepted, of which nobody tells", async () => {
    await begin({ ...oneStep(), ...SELDOM });
    running = [pair.source, pair.target].map((relay) => start(relay, relay.wake, () => NEVER_MS));
    await acceptTransfers(pair.source, 2, { quote: await standingQuote(pair.source) });
    pair.source.wake("batcher");
    await untilConfirmed(2);
  });
});
