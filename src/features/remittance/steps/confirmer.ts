import { backoffMs } from "../../../kernel/retry.ts";
import {
  batchesToConfirm,
  closeUncredited,
  postedCreditsOf,
  recordConfirmed,
  recordUnconfirmed,
  type UnconfirmedBatch,
} from "../store/decisions.ts";
import type { RelayContext, Step } from "../../context.ts";
import { PeerError, peerClient, type PeerClient } from "../../peers/client.ts";
import { describeFault } from "../../../kernel/steps/faults.ts";
import { workOff } from "../../../kernel/steps/pool.ts";

/** Confirmations under way at a time; and to one relay, so that one that is away does not hold up the others'. */
const LIMIT = 32;
const PER_SOURCE = 4;

/** Tells source relays of batches whose customers have all been credited, again and again until each has been told. */
export const confirmerStep: Step = async (context) => {
  const { db, clock } = context;
  const client = peerClient(context);
  await closeUncredited(db, clock.nowMs());
  return workOff({
    context,
    step: "confirmer",
    limit: LIMIT,
    find: () => batchesToConfirm(db, clock.nowMs(), PER_SOURCE),
    keyOf: laneOf,
    work: (batch) => confirm(context, client, batch),
    recordFault: (batch, fault) => postpone(context, batch, fault),
  });
};

/** Batches that are in one lane are confirmed one after the other. */
function laneOf({ id, source }: UnconfirmedBatch): string {
  return `${source}:${Number.parseInt(id.slice(-2), 16) % PER_SOURCE}`;
}

async function confirm(context: RelayContext, client: PeerClient, batch: UnconfirmedBatch): Promise<void> {
  const { db, clock, checkpoint, metrics, log } = context;
  const { id, source, attempts } = batch;
  try {
    await client.sendConfirmation(source, id, { credits: [...(await postedCreditsOf(db, id))] });
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    // The source relay may simply not have read of the settlement yet.
    metrics.confirmations.inc({ direction: "sent", outcome: error.problem ?? "unreachable" });
    const fields = { batch: id, source, status: error.status, code: error.problem ?? error.code, error };
    if (error.problem === undefined && attempts === 0) log.warn(fields, "not confirmed");
    else log.debug(fields, "not confirmed yet");
    return postpone(context, batch, describeFault(error));
  }
  checkpoint("confirmer.sent");
  await recordConfirmed(db, id, clock.nowMs());
  checkpoint("confirmer.recorded");
  metrics.confirmations.inc({ direction: "sent", outcome: "delivered" });
  log.info({ batch: id, source }, "credits confirmed");
}

async function postpone(
  { db, clock, settings, wake }: Pick<RelayContext, "db" | "clock" | "settings" | "wake">,
  batch: UnconfirmedBatch,
  why: string,
): Promise<void> {
  const delayMs = backoffMs(batch.attempts + 1, settings.retry);
  await recordUnconfirmed(db, batch.id, clock.nowMs() + delayMs, why);
  wake("confirmer", delayMs);
}
