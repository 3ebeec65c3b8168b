import type { Clock } from "../kernel/clock/clock.ts";
import type { Logger } from "../kernel/telemetry/logger.ts";
import type { RunningSteps } from "../kernel/steps/loop.ts";
import type { Database, Lease } from "../kernel/store/database.ts";

/** Of all processes that use one database, the one with this lease runs the steps. */
export const STEPS_LEASE = "relay.steps";
/** Several times as often as a lease that is not renewed ends. */
const RENEW_MS = 1_000;
/** Steps that have lost the lease cannot do anything any more; a pass that hangs is left alone after a while. */
const ABANDON_AFTER_MS = 10_000;

export interface LeaderOptions {
  readonly db: Pick<Database, "tryLease">;
  readonly clock: Clock;
  readonly log: Logger;
  /** How often a process that does not lead tries to. */
  readonly retryMs: number;
  /** How often a lease is renewed that is held. */
  readonly renewMs?: number;
  /** Begins the steps, which may act as long as the lease is held. */
  readonly lead: (lease: Lease) => RunningSteps;
  readonly onChange: (isLeader: boolean) => void;
  /** The steps have stopped for good. The lease is kept, so that no other process goes on where this one must not. */
  readonly onFatal: (error: Error) => void;
}

export interface Leader {
  /** Lets the steps finish what they are at, and gives the lease back. */
  stop(): Promise<void>;
}

/** Runs the steps whenever this process is the one to do it, until stopped. */
export function startLeader(options: LeaderOptions): Leader {
  const stopping = new AbortController();
  const ended = followAndLead(options, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

async function followAndLead(options: LeaderOptions, stopping: AbortSignal): Promise<void> {
  const { clock, retryMs, log } = options;
  while (!stopping.aborted) {
    try {
      const mayGoOn = await leadOnce(options, stopping);
      if (!mayGoOn) return;
    } catch (error) {
      log.error({ error }, "leader: the lease cannot be asked for");
    }
    await clock.sleep(retryMs, stopping).catch(() => undefined);
  }
}

/** @returns false once the steps may not run any more in this process */
async function leadOnce(options: LeaderOptions, stopping: AbortSignal): Promise<boolean> {
  const { db, log, lead, onChange, onFatal } = options;
  const lease = await db.tryLease(STEPS_LEASE);
  if (lease === undefined) return true;
  const steps = lead(lease);
  onChange(true);
  log.info({ epoch: String(lease.epoch) }, "leader: this process runs the steps");
  let isRunning = true;
  const done = new AbortController();
  const lost = renewUntilLost(options, lease, () => !isRunning || steps.isAlive(), done.signal);
  const stopped = toldBy(stopping);

  const why = await Promise.race([
    stopped.then(() => ({ kind: "stopped" as const })),
    lost.then(() => ({ kind: "lost" as const })),
    steps.failed.then((error) => ({ kind: "failed" as const, error })),
  ]);
  isRunning = false;
  const stop = steps.stop();
  // While they end the lease is renewed, so that nobody begins before.
  await Promise.race([stop, lost.then(() => abandoned(options, stop))]);
  onChange(false);
  if (why.kind === "lost") {
    log.error({ epoch: String(lease.epoch) }, "leader: the lease is lost, the steps have stopped");
    return true;
  }
  if (why.kind === "failed") onFatal(why.error);
  await stopped;
  done.abort();
  await lease.release();
  return false;
}

/** Renews a lease as long as its work gets on, until it is lost or this is done. */
async function renewUntilLost(
  { clock, log, renewMs = RENEW_MS }: LeaderOptions,
  lease: Lease,
  isAlive: () => boolean,
  done: AbortSignal,
): Promise<void> {
  while (lease.isHeld()) {
    await clock.sleep(renewMs, done).catch(() => undefined);
    if (done.aborted) return;
    if (!isAlive()) {
      log.warn("leader: the steps do not get on, the lease is not renewed");
      continue;
    }
    await lease.renew().catch((error: unknown) => log.warn({ error }, "leader: the lease cannot be renewed"));
  }
}

async function abandoned({ clock, log }: LeaderOptions, stop: Promise<void>): Promise<void> {
  const ended = new AbortController();
  const late = clock.sleep(ABANDON_AFTER_MS, ended.signal).then(
    () => log.error("leader: a pass that does not end is left alone"),
    () => undefined,
  );
  await Promise.race([stop, late]);
  ended.abort();
}

function toldBy(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener("abort", () => resolve(undefined), { once: true });
  if (signal.aborted) resolve(undefined);
  return promise;
}
