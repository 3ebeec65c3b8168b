import type { Hex } from "../../../domain/bytes/hex.ts";
import { beatCall, expireCall } from "../../../ledger/calls.ts";
import { registryAt, type BatchRegistry } from "../../../ledger/contracts.ts";
import { clockAt, latestHead, type ClockState } from "../../../ledger/state.ts";
import { overdueBatches, readTimekeeping, type OverdueBatch, type Timekeeping } from "../store/ledger-projection.ts";
import type { RelayContext, Step } from "../../context.ts";
import { workEach } from "../../../kernel/steps/faults.ts";
import { submitCall } from "../../../ledger/submitting.ts";
import { blockTimeNow } from "../watched.ts";

/** Batches that are expired in one pass. */
const AT_A_TIME = 8;
/** So far apart are relays that would beat for the same reason, in seconds: the first one's beat is there by then. */
const STAGGER_SECONDS = 1;
/** Over so many seconds the relays are spread that expire a batch which is none of theirs. */
const JITTER_SECONDS = 10;

/**
 * Gives back the money of batches that were not settled in time: those of this partner at once, those of others when
 * nobody else has for a while. And beats, in each registry, while anything there waits for ledger time to pass.
 */
export const sweeperStep: Step = async (context) => {
  const { ledger, clock, settings, partner, db, wake } = context;
  // Where nothing waits for ledger time to pass, there is nothing to ask of the ledger.
  const waiting = await readTimekeeping(db, registryAt(ledger, undefined).chain.transferRegistry);
  if (waiting.size === 0) return false;
  const block = await latestHead(ledger);
  // On a ledger that makes blocks only when there is something to put into them, the latest one may be long ago.
  const nowSeconds = blockTimeNow(block, clock);
  const clocks = await Promise.all(
    ledger.registries.map(async (registry) => ({ registry, state: await clockAt(registry, block) })),
  );
  const times = clocks.map(({ registry: { chain }, state }) => ({
    registry: chain.transferRegistry,
    timeSeconds: timeIfCalledAt(state, block.timeSeconds, nowSeconds),
  }));
  const othersAfterSeconds = settings.sweep.othersAfterSeconds + (partner % JITTER_SECONDS);
  const overdue = await overdueBatches(db, partner, { times, othersAfterSeconds }, clock.nowMs(), AT_A_TIME);
  let expired = 0;
  await workEach(context, {
    step: "sweeper",
    items: overdue,
    keyOf: ({ id }) => id,
    atATime: AT_A_TIME,
    async work(batch) {
      await expireBatch(context, batch);
      expired += 1;
    },
  });
  if (expired > 0) wake("watcher");
  else await beatWhereDue(context, waiting, clocks, nowSeconds);
  return overdue.length === AT_A_TIME && expired > 0;
};

/** Ledger time as a call sees it that gets into a block now: it runs on from the last beat, up to the grace. */
function timeIfCalledAt(
  { timeSeconds, lastBeatSeconds, graceSeconds }: ClockState,
  blockSeconds: number,
  nowSeconds: number,
): number {
  const counted = (atSeconds: number) => Math.min(atSeconds - lastBeatSeconds, graceSeconds);
  return timeSeconds + counted(nowSeconds) - counted(blockSeconds);
}

/**
 * Has the batch expired, by this relay or another.
 * @throws LedgerError, Error where it is not
 */
async function expireBatch(context: RelayContext, { id, registry, header }: OverdueBatch): Promise<void> {
  const call = expireCall(registryAt(context.ledger, registry), header);
  const outcome = await submitCall(context, "expire", id, call);
  context.checkpoint("sweeper.submitted");
  if (outcome.kind === "refused" || outcome.kind === "failed") throw outcome.error;
}

/** A registry with its clock. */
interface RegistryClock {
  readonly registry: BatchRegistry;
  readonly state: ClockState;
}

/**
 * Ledger time stands still when nobody beats, and with it the refund of every open batch. One beat an interval is
 * enough for a registry: those whose batches are open take turns to be the first, everybody else comes after them.
 */
async function beatWhereDue(
  context: RelayContext,
  timekeeping: ReadonlyMap<Hex, Timekeeping>,
  clocks: readonly RegistryClock[],
  nowSeconds: number,
): Promise<void> {
  const { partner, ledger, wake } = context;
  const ofRegistry = new Map([...timekeeping].map(([address, each]) => [registryAt(ledger, address), each]));
  for (const { registry, state } of clocks) {
    const waiting = ofRegistry.get(registry);
    if (waiting === undefined) continue;
    const { partners, hasUnopened } = waiting;
    const place = partners.indexOf(partner);
    const turn = hasUnopened && place === -1 ? 0 : place === -1 ? partners.length + (partner % JITTER_SECONDS) : place;
    const dueSeconds = state.lastBeatSeconds + state.beatIntervalSeconds + turn * STAGGER_SECONDS;
    if (nowSeconds < dueSeconds) {
      wake("sweeper", (dueSeconds - nowSeconds) * 1_000);
      continue;
    }
    await submitCall(context, "beat", undefined, beatCall(registry));
    context.checkpoint("sweeper.beat");
    wake("watcher");
  }
}
