import { isPast, type Clock } from "../clock/clock.ts";
import { skewDetail, type ClockSkew } from "../clock/clock-skew.ts";
import type { Queryable } from "../store/database.ts";
import { StoreUnavailable } from "../store/faults.ts";

/** Why a relay should not be sent requests now. */
export const UNREADY = ["database", "ledger", "watcher", "steps", "clock", "fork", "draining"] as const;

export interface UnreadyReason {
  readonly code: (typeof UNREADY)[number];
  /** For an operator; nothing personal and no secret. */
  readonly detail: string;
}

/** What needs an operator's attention now, although the relay goes on. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- features add theirs, the kernel has none
export interface Alarms {}

export interface Alarm {
  readonly code: keyof Alarms;
  readonly detail: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly UnreadyReason[];
  readonly alarms?: readonly Alarm[];
}

/** What /readyz tells. /livez tells nothing but that the process answers: a restart does not fix what is wrong elsewhere. */
export interface Health {
  /** Asked often, it looks anew only every so many milliseconds. Never throws. */
  readiness(): Promise<Readiness>;
  /** No more requests, please: the relay is being stopped. */
  drain(): void;
  /** A statement has failed, as the database cannot do its work although it answers. */
  storeFailed(failure: StoreUnavailable): void;
  /** A pass of a step has failed, or has not; undefined for all, as this process runs them no more. */
  stepFailed(step: string): void;
  stepPassed(step: string | undefined): void;
  /** The steps have stopped for an error that only an operator can fix. */
  fail(error: Error): void;
}

export interface HealthOptions {
  readonly db: Queryable;
  readonly provider: { getBlockNumber(): Promise<number> };
  readonly clock: Clock;
  readonly clockSkew: Pick<ClockSkew, "now">;
  readonly confirmations: number;
  /** What features find. One that cannot tell says nothing: the reason is the database or the ledger. */
  readonly alarms: readonly (() => Promise<readonly Alarm[]>)[];
  /** How long the watcher may stand still while there are blocks to read. */
  readonly maxStandstillMs?: number;
  /** How long the database and the ledger may take to answer. */
  readonly timeoutMs?: number;
  readonly cacheMs?: number;
}

const MAX_STANDSTILL_MS = 30_000;
const TIMEOUT_MS = 2_000;
const CACHE_MS = 500;
/** For so long after the database could not do its work it counts as unable: not everything that it is asked fails. */
const UNABLE_MS = 10_000;

/** What was found at a time. */
interface Looked {
  readonly atMs: number;
  readonly reasons: Promise<readonly UnreadyReason[]>;
  readonly alarms: Promise<readonly Known<readonly Alarm[]>[]>;
}

export function createHealth(options: HealthOptions): Health {
  const { clock, clockSkew, alarms } = options;
  const { maxStandstillMs = MAX_STANDSTILL_MS, timeoutMs = TIMEOUT_MS, cacheMs = CACHE_MS } = options;
  let isDraining = false;
  let failure: Error | undefined;
  let known: Looked | undefined;
  let unable: { readonly why: string; readonly atMs: number } | undefined;
  /** Steps of which no pass has succeeded since. */
  const failing = new Map<string, number>();
  const look = createLook(options, timeoutMs, maxStandstillMs);
  const lookAgain = (atMs: number): Looked => ({
    atMs,
    reasons: look(),
    alarms: Promise.all(alarms.map((look) => inTime(look(), clock, timeoutMs))),
  });

  return {
    async readiness() {
      const nowMs = clock.nowMs();
      if (known === undefined || isPast(clock, known.atMs, cacheMs)) known = lookAgain(nowMs);
      const told = (await known.alarms).flatMap((alarm) => (alarm.isKnown ? alarm.value : []));
      const reasons = [...(await known.reasons)];
      const isUnable = unable !== undefined && !isPast(clock, unable.atMs, UNABLE_MS);
      if (isUnable && !reasons.some(({ code }) => code === "database")) {
        reasons.push({ code: "database", detail: `a statement has failed: ${unable?.why}` });
      }
      reasons.push(...failingLong(failing, nowMs, maxStandstillMs));
      const skew = clockSkew.now();
      if (skew.isBeyond) reasons.push({ code: "clock", detail: skewDetail(skew) });
      if (failure !== undefined) reasons.push({ code: "fork", detail: failure.message });
      if (isDraining) reasons.push({ code: "draining", detail: "the relay is being stopped" });
      return { ready: reasons.length === 0, reasons, alarms: told };
    },
    drain() {
      isDraining = true;
    },
    fail(error) {
      failure = error;
    },
    storeFailed({ unable: why }) {
      if (why !== undefined) unable = { why, atMs: clock.nowMs() };
    },
    stepFailed(step) {
      const nowMs = clock.nowMs();
      failing.set(step, Math.min(failing.get(step) ?? nowMs, nowMs));
    },
    stepPassed(step) {
      if (step === undefined) failing.clear();
      else failing.delete(step);
    },
  };
}

/** Asks the database and the ledger, and whether the watcher gets on between them. */
function createLook(
  { db, provider, clock, confirmations }: HealthOptions,
  timeoutMs: number,
  maxStandstillMs: number,
): () => Promise<readonly UnreadyReason[]> {
  let progress: { readonly block: bigint | undefined; readonly sinceMs: number } | undefined;

  return async () => {
    const [cursor, latest] = await Promise.all([
      inTime(writeAndRead(db, clock.nowMs()), clock, timeoutMs),
      inTime(provider.getBlockNumber(), clock, timeoutMs),
    ]);
    const reasons: UnreadyReason[] = [];
    if (!cursor.isKnown) reasons.push({ code: "database", detail: `no answer: ${cursor.why}` });
    if (!latest.isKnown) reasons.push({ code: "ledger", detail: `no endpoint answers: ${latest.why}` });
    if (!cursor.isKnown || !latest.isKnown) return reasons;

    const final = BigInt(latest.value - confirmations);
    const isBehind = cursor.value === undefined || cursor.value < final;
    const nowMs = clock.nowMs();
    // What began in a time to come, by a clock that was set back, begins now.
    if (progress === undefined || !isBehind || progress.block !== cursor.value || progress.sinceMs > nowMs) {
      progress = { block: cursor.value, sinceMs: nowMs };
    }
    const stoodMs = nowMs - progress.sinceMs;
    if (isBehind && stoodMs > maxStandstillMs) {
      const at = cursor.value === undefined ? "before the first block" : `at block ${cursor.value}`;
      const seconds = Math.floor(stoodMs / 1_000);
      reasons.push({ code: "watcher", detail: `${at} of ${final} for ${seconds} seconds` });
    }
    return reasons;
  };
}

function failingLong(failing: ReadonlyMap<string, number>, nowMs: number, maxMs: number): readonly UnreadyReason[] {
  return [...failing].flatMap(([step, sinceMs]): readonly UnreadyReason[] => {
    const failedMs = nowMs - sinceMs;
    if (failedMs <= maxMs) return [];
    const seconds = Math.floor(failedMs / 1_000);
    return [{ code: "steps", detail: `every pass of the ${step} has failed for ${seconds} seconds` }];
  });
}

/** A database that can only be read is of no use. @returns how far the ledger has been read */
async function writeAndRead(db: Queryable, nowMs: number): Promise<bigint | undefined> {
  const [row] = await db.query<{ readonly block: bigint | null }>(
    `INSERT INTO write_check (at) VALUES ($1) ON CONFLICT (only_one) DO UPDATE SET at = excluded.at
     RETURNING (SELECT block FROM ledger_cursor) AS block`,
    [nowMs],
  );
  return row?.block ?? undefined;
}

function nameOf(error: unknown): string {
  if (error instanceof StoreUnavailable && error.unable !== undefined) return error.unable;
  return error instanceof Error ? error.name : "unknown";
}

type Known<Value> =
  { readonly isKnown: true; readonly value: Value } | { readonly isKnown: false; readonly why: string };

async function inTime<Value>(work: Promise<Value>, clock: Clock, timeoutMs: number): Promise<Known<Value>> {
  const waiting = new AbortController();
  const late = clock.sleep(timeoutMs, waiting.signal).then((): Known<Value> => {
    return { isKnown: false, why: `not within ${timeoutMs} ms` };
  });
  // Ended early it rejects, with nobody to hear of it.
  late.catch(() => undefined);
  const answer = work.then(
    (value): Known<Value> => ({ isKnown: true, value }),
    // What a driver says may have a host's credentials in it; what the error is called does not.
    (error: unknown): Known<Value> => ({ isKnown: false, why: nameOf(error) }),
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    waiting.abort();
  }
}
