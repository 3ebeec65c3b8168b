import { beatCall, expireCall } from "../../../ledger/calls.ts";
import { clockAt, latestHead, type ClockState } from "../../../ledger/state.ts";
import { overdueBatches, readTimekeeping, type OverdueBatch, type Timekeeping } from "../store/ledger-projection.ts";
import type { RelayContext, Step } from "../../context.ts";
import { workEach } from "../../../kernel/steps/faults.ts";
import { submitCall } from "../../../ledger/submitting.ts";

/** Batches that are expired in one pass. */
const AT_A_TIME = 8;
/** So far apart are relays that would beat for the same reason, in seconds: the first one's beat is there by then. */
const STAGGER_SECONDS = 1;
/** Over so many seconds the relays are spread that expire a batch which is none of theirs. */
const JITTER_SECONDS = 10;

/**
 * Gives back the money of batches that were not settled in time: those of this partner at once, those of others when
 * nobody else has for a while. And beats while anything waits for ledger time to pass.
 */
export const sweeperStep: Step = async (context) => {
  const { ledger, clock, settings, partner, db, wake } = context;
  // Where nothing waits for ledger time to pass, there is nothing to ask of the ledger.
  const waiting = await readTimekeeping(db);
  if (waiting.partners.length === 0 && !waiting.hasUnopened) return false;
  const block = await latestHead(ledger);
  const ledgerClock = await clockAt(ledger, block);
  // On a ledger that makes blocks only when there is something to put into them, the latest one may be long ago.
  const nowSeconds = Math.max(block.timeSeconds, Math.floor(clock.nowMs() / 1_000));
  const ledgerTime = timeIfCalledAt(ledgerClock, block.timeSeconds, nowSeconds);
  const othersAfter = settings.sweep.othersAfterSeconds + (partner % JITTER_SECONDS);
  const overdueAt = { own: ledgerTime, others: ledgerTime - othersAfter };
  const overdue = await overdueBatches(db, partner, overdueAt, clock.nowMs(), AT_A_TIME);
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
  else await beatIfDue(context, waiting, ledgerClock, nowSeconds);
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
async function expireBatch(context: RelayContext, { id, header }: OverdueBatch): Promise<void> {
  const outcome = await submitCall(context, "expire", id, expireCall(context.ledger, header));
  context.checkpoint("sweeper.submitted");
  if (outcome.kind === "refused" || outcome.kind === "failed") throw outcome.error;
}

/**
 * Ledger time stands still when nobody beats, and with it the refund of every open batch. One beat an interval is
 * enough for the network: those whose batches are open take turns to be the first, everybody else comes after them.
 */
async function beatIfDue(
  context: RelayContext,
  { partners, hasUnopened }: Timekeeping,
  ledgerClock: ClockState,
  nowSeconds: number,
): Promise<void> {
  const { partner, ledger, wake } = context;
  const place = partners.indexOf(partner);
  const turn = hasUnopened && place === -1 ? 0 : place === -1 ? partners.length + (partner % JITTER_SECONDS) : place;
  const dueSeconds = ledgerClock.lastBeatSeconds + ledgerClock.beatIntervalSeconds + turn * STAGGER_SECONDS;
  if (nowSeconds < dueSeconds) {
    wake("sweeper", (dueSeconds - nowSeconds) * 1_000);
    return;
  }
  await submitCall(context, "beat", undefined, beatCall(ledger));
  context.checkpoint("sweeper.beat");
  wake("watcher");
}
