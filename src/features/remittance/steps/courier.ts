import { backoffMs } from "../../../kernel/retry.ts";
import {
  giveUpPayloads,
  payloadsToSend,
  recordPayloadDelivered,
  recordPayloadUndelivered,
  type UndeliveredBatch,
} from "../store/payloads.ts";
import type { RelayContext, Step } from "../../context.ts";
import { PeerError, peerClient, type PeerClient } from "../../peers/client.ts";
import { describeFault } from "../../../kernel/steps/faults.ts";
import { workOff } from "../../../kernel/steps/pool.ts";
import { payloadOf } from "../sent-payload.ts";

/** Payloads under way at a time; and to one relay, so that one that is away does not hold up the others'. */
const LIMIT = 32;
const PER_TARGET = 4;

/**
 * Sends the payloads of signed batches to their target relays, while the opener has them opened. One that is not taken is
 * sent again, with growing pauses, until its batch has ended: also one that is refused, since the other side may be fixed
 * meanwhile, and until then nobody's money is lost.
 */
export const courierStep: Step = async (context) => {
  const { db, clock } = context;
  const client = peerClient(context);
  await giveUpPayloads(db, clock.nowMs());
  return workOff({
    context,
    step: "courier",
    limit: LIMIT,
    find: () => payloadsToSend(db, clock.nowMs(), PER_TARGET),
    keyOf: laneOf,
    work: (batch) => deliver(context, client, batch),
    recordFault: (batch, fault) => postpone(context, batch, fault),
  });
};

/** Batches that are in one lane are sent one after the other. */
function laneOf({ id, header }: UndeliveredBatch): string {
  return `${header.target}:${Number.parseInt(id.slice(-2), 16) % PER_TARGET}`;
}

async function deliver(context: RelayContext, client: PeerClient, batch: UndeliveredBatch): Promise<void> {
  const { db, clock, checkpoint, metrics, log } = context;
  const { id, header } = batch;
  const payload = await payloadOf(context, batch);
  if (payload === undefined) {
    log.error({ batch: id }, "a payload cannot be sent: its personal data has been erased");
    await postpone(context, batch, "its personal data has been erased");
    return;
  }
  try {
    await client.sendPayload(header.target, id, payload);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    const { code, status, problem } = error;
    const outcome = code === "REFUSED" ? "refused" : "unreachable";
    metrics.payloads.inc({ direction: "sent", outcome });
    const fields = { batch: id, target: header.target, status, code: problem ?? code, attempts: batch.attempts + 1 };
    if (outcome === "refused") log.error({ ...fields, error }, "the target relay refuses a payload");
    // Said once: a relay can be away for long.
    else if (batch.attempts === 0) log.warn({ ...fields, error }, "the target relay cannot be reached");
    else log.debug({ ...fields, error }, "the target relay cannot be reached yet");
    await postpone(context, batch, describeFault(error));
    return;
  }
  checkpoint("courier.sent");
  await recordPayloadDelivered(db, id, clock.nowMs());
  checkpoint("courier.recorded");
  metrics.payloads.inc({ direction: "sent", outcome: "delivered" });
  log.info({ batch: id, target: header.target }, "payload delivered");
}

async function postpone(
  { db, clock, settings, wake }: Pick<RelayContext, "db" | "clock" | "settings" | "wake">,
  batch: UndeliveredBatch,
  why: string,
): Promise<void> {
  const delayMs = backoffMs(batch.attempts + 1, settings.retry);
  await recordPayloadUndelivered(db, batch.id, clock.nowMs() + delayMs, why);
  wake("courier", delayMs);
}
