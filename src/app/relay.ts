import { DAY_MS } from "../kernel/config/fields.ts";
import { createServer } from "../kernel/http/server.ts";
import { compose } from "./composition.ts";
import { FEATURES } from "./features.ts";
import { runSteps } from "../kernel/steps/loop.ts";
import type { RelayContext } from "../features/context.ts";
import type { StepName, StepOf } from "../kernel/steps/step.ts";
import { createHealth, type Health } from "../kernel/telemetry/health.ts";
import { reportingFailures } from "../kernel/store/faults.ts";
import { fencedContext } from "./fenced.ts";
import { warnOfRegistration } from "./registration.ts";
import { startLeader, type Leader } from "./leader.ts";
import { peerRoutes } from "../features/peers/routes.ts";
import { openContext, type RelayParts, type StartConfig } from "./parts.ts";

export interface RunningRelay {
  /** Where its API listens. */
  readonly url: string;
  readonly context: RelayContext;
  readonly health: Health;
  /** Takes no more requests, lets the steps finish what they are at, and closes what it has opened. */
  stop(): Promise<void>;
}

/** How long an idle process waits before it tries to lead. */
const LEASE_RETRY_MS = 500;
/** Often enough to see blocks one by one. */
const CLOCK_WATCH_MS = 2_000;
const IDLE_CLOCK_WATCH_MS = 30_000;

/**
 * Starts one partner's relay: opens its store, connects its ledger and keys, serves its API and, in one process of all
 * that share the store, runs the steps.
 * @throws ConfigError for what is neither configured nor given; Error of what cannot be opened, with all else closed
 */
export async function startRelay(config: StartConfig, given: Partial<RelayParts> = {}): Promise<RunningRelay> {
  const { features = FEATURES } = given;
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    // The last one opened first.
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const composition = await compose(features);
    const opened = await openContext(config, given, composition, (end) => void closing.push(end));
    const health = createHealth({
      db: opened.db,
      provider: opened.ledger.provider,
      clock: opened.clock,
      clockSkew: opened.clockSkew,
      confirmations: config.ledger.confirmations,
      alarms: composition.alarms(opened),
    });
    const db = reportingFailures(opened.db, (failure) => health.storeFailed(failure));
    const context = { ...opened, db };
    // In every process: each takes transfers, and has a machine's clock of its own.
    const watch = watchClock(context);
    closing.push(() => watch.stop());
    const server = await createServer(context, {
      readiness: () => health.readiness(),
      ...composition.served(context),
      otherRoutes: [peerRoutes(context, composition.messages(context))],
      ...(config.api.trustProxy === undefined ? {} : { trustProxy: config.api.trustProxy }),
    });
    closing.push(() => server.close());
    const url = await server.listen({ host: config.api.host, port: config.api.port });
    const leader = lead(context, composition.steps, health, given.pollIntervalsMs ?? {});
    context.log.info({ url }, "relay started");
    closing.push(warnDaily(context, config, url));
    let stopped: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      health.drain();
      // Requests that are under way are answered before this ends.
      await server.close();
      await leader.stop();
      await close();
      context.log.info("relay stopped");
    };
    return { url, context, health, stop: () => (stopped ??= stop()) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Holds the clock against the ledger's, from the start on; where nothing follows from it, now and then. */
function watchClock({ clock, clockSkew, settings }: RelayContext): { stop(): Promise<void> } {
  const end = new AbortController();
  const pauseMs = settings.clock.maxSkewSeconds === 0 ? IDLE_CLOCK_WATCH_MS : CLOCK_WATCH_MS;
  const watch = (async () => {
    while (!end.signal.aborted) {
      await clockSkew.observe();
      // It rejects when it is ended.
      await clock.sleep(pauseMs, end.signal).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      end.abort();
      await watch;
    },
  };
}

/**
 * Compares the registry with this relay, at the start and every day: keys end, and others may change what is there.
 * @returns what ends it, without waiting for a ledger that does not answer
 */
function warnDaily(context: RelayContext, { api, ledger }: StartConfig, url: string): () => Promise<void> {
  const end = new AbortController();
  const registered = { publicUrl: api.publicUrl ?? url, ledger };
  void (async () => {
    while (!end.signal.aborted) {
      await warnOfRegistration(context, registered);
      // It rejects when it is ended.
      await context.clock.sleep(DAY_MS, end.signal).catch(() => undefined);
    }
  })();
  return () => {
    end.abort();
    return Promise.resolve();
  };
}

/** Runs the steps while this process leads. */
function lead(
  context: RelayContext,
  steps: readonly StepOf<RelayContext>[],
  health: Health,
  polls: Partial<Readonly<Record<StepName, number>>>,
): Leader {
  const { log, metrics, settings, clock } = context;
  const stepsOf = (fenced: RelayContext) =>
    steps.map(({ name, run, pollIntervalMs }) => ({
      name,
      run: () => run(fenced),
      pollIntervalMs: polls[name] ?? (typeof pollIntervalMs === "number" ? pollIntervalMs : pollIntervalMs(fenced)),
    }));
  return startLeader({
    db: context.db,
    clock,
    log,
    retryMs: LEASE_RETRY_MS,
    lead: (lease) =>
      runSteps(stepsOf(fencedContext(context, lease)), {
        wake: context.wake,
        clock,
        pollIntervalMs: settings.retry.maxDelayMs,
        retry: settings.retry,
        onPass: (step, durationMs) => {
          health.stepPassed(step);
          metrics.stepSeconds.observe({ step }, durationMs / 1_000);
        },
        onError: (step, error, retryInMs) => {
          health.stepFailed(step);
          metrics.stepErrors.inc({ step });
          if (retryInMs === undefined) log.fatal({ step, error }, "step failed for good: all steps stop");
          else log.warn({ step, error, retryInMs }, "step failed and is tried again");
        },
      }),
    onChange: (isLeader) => {
      metrics.leader.set(isLeader ? 1 : 0);
      if (!isLeader) health.stepPassed(undefined);
    },
    onFatal: (error) => {
      metrics.forkDetected.set(1);
      health.fail(error);
    },
  });
}
