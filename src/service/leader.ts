import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { RunningSteps } from "../platform/loop.ts";
import type { Database } from "../store/database.ts";

/** Of all processes that use one database, the one with this lease runs the steps. */
const LEASE = "relay.steps";

export interface LeaderOptions {
  readonly db: Pick<Database, "tryLease">;
  readonly clock: Clock;
  readonly log: Logger;
  /** How often a process that does not lead tries to. */
  readonly retryMs: number;
  /** Begins the steps. */
  readonly lead: () => RunningSteps;
  readonly onChange: (isLeader: boolean) => void;
  /** The steps have stopped for good. The lease stays taken, so that no other process goes on where this one must not. */
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
async function leadOnce({ db, log, lead, onChange, onFatal }: LeaderOptions, stopping: AbortSignal): Promise<boolean> {
  const lease = await db.tryLease(LEASE);
  if (lease === undefined) return true;
  const steps = lead();
  onChange(true);
  log.info("leader: this process runs the steps");
  const { promise: toldToStop, resolve } = Promise.withResolvers<"stopped">();
  const tell = (): void => resolve("stopped");
  stopping.addEventListener("abort", tell, { once: true });
  if (stopping.aborted) tell();

  const why = await Promise.race([
    toldToStop,
    lease.lost.then((error) => ({ kind: "lost" as const, error })),
    steps.failed.then((error) => ({ kind: "failed" as const, error })),
  ]);
  stopping.removeEventListener("abort", tell);
  await steps.stop();
  onChange(false);
  if (why === "stopped") {
    await lease.release();
    return false;
  }
  if (why.kind === "lost") {
    log.error({ error: why.error }, "leader: the lease is lost, the steps have stopped");
    return true;
  }
  onFatal(why.error);
  if (!stopping.aborted) await toldAfter(stopping);
  await lease.release();
  return false;
}

function toldAfter(stopping: AbortSignal): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  stopping.addEventListener("abort", resolve, { once: true });
  return promise;
}
