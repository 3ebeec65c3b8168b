import type { BatchPayload } from "../../../domain/payload.ts";
import { isNoQuote } from "../../../domain/quote.ts";
import type { ReasonCode } from "../../../domain/reason.ts";
import type { SignedAcceptance } from "../../../domain/typed-data.ts";
import type { Uetr } from "../../../domain/uetr.ts";
import { backoffMs } from "../../../kernel/retry.ts";
import { workOff } from "../../../kernel/steps/pool.ts";
import { appendEvents } from "../../../kernel/store/events.ts";
import type { RelayContext, Step } from "../../context.ts";
import { PeerError, peerClient } from "../../peers/client.ts";
import { doNotPropose, isProposed } from "../one-step.ts";
import { signAsSource, tellSigned } from "../signing-batches.ts";
import { payloadOf } from "../sent-payload.ts";
import { recordOpenAttempt } from "../store/batches.ts";
import { isTooLate } from "../deciding.ts";
import {
  hasProposed,
  proposedBatches,
  signProposed,
  withdrawProposed,
  type ProposedBatch,
} from "../store/proposals.ts";
import { blockTimeNow, recentHead } from "../watched.ts";

/** Proposals under way at a time; and to one relay. */
const LIMIT = 32;
const PER_TARGET = 8;
/** A relay that does not offer it may do so after its next start. */
const NOT_OFFERED_MS = 60_000;
const NOT_FOUND = 404;

/**
 * Asks the targets of batches that are not signed yet what they refuse of them. What is refused fails, and the rest goes
 * into another batch. What is accepted is signed and settles in one step; so is, for two, what nobody has answered to.
 * Until it is signed a batch can be asked about again, or withdrawn, whatever its target has heard.
 */
export const proposerStep: Step = async (context) => {
  const { db, clock, settings, watched } = context;
  const { enabled } = settings.oneStep;
  if (!enabled && !watched.mayHaveProposals) return false;
  const hasMore = await workOff({
    context,
    step: "proposer",
    limit: LIMIT,
    find: () => proposedBatches(db, clock.nowMs(), PER_TARGET),
    keyOf: ({ id }) => id,
    work: (batch) => propose(context, batch),
    async recordFault({ id, attempts }, fault) {
      const delayMs = backoffMs(attempts + 1, context.settings.retry);
      await recordOpenAttempt(db, id, clock.nowMs() + delayMs, fault);
      context.wake("proposer", delayMs);
    },
  });
  // Those from before it was switched off are the last.
  if (!enabled) watched.mayHaveProposals = await hasProposed(db);
  return hasMore;
};

async function propose(context: RelayContext, batch: ProposedBatch): Promise<void> {
  const { header } = batch;
  const nowSeconds = blockTimeNow(await recentHead(context), context.clock);
  // A quote ends by block time, a batch by ledger time, which is behind that by all halts that there were.
  const isOver =
    (!isNoQuote(header.quote) && header.quote.validUntil < nowSeconds) || (await isTooLate(context, batch));
  // Its time was over before it was signed: another one is made.
  if (isOver) return withdraw(context, batch, new Map());
  const answer = await ask(context, batch);
  context.checkpoint("proposer.answered");
  if (answer !== undefined && "refused" in answer) return withdraw(context, batch, answer.refused);
  await sign(context, batch, answer?.acceptance);
}

type Answer = { readonly refused: ReadonlyMap<Uetr, ReasonCode> } | { readonly acceptance: SignedAcceptance };

/** Undefined where the batch goes in two steps. */
async function ask(context: RelayContext, batch: ProposedBatch): Promise<Answer | undefined> {
  const { settings, metrics, log } = context;
  const { id, header } = batch;
  const { target } = header;
  if (!(await isProposed(context, header))) return undefined;
  const payload = await payloadOf(context, batch);
  if (payload === undefined) return undefined;
  const count = (outcome: string) => metrics.proposals.inc({ direction: "sent", outcome });
  try {
    const answer = await peerClient(context).propose(target, id, payload, settings.oneStep.answerTimeoutMs);
    if ("acceptance" in answer) {
      count("accepted");
      return answer;
    }
    const refused = refusedOf(payload, answer.rejections);
    count(refused === undefined ? "contradictory" : "rejected");
    return refused === undefined ? undefined : { refused };
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    const { status, problem, retryAfterSeconds } = error;
    const isOffered = status !== NOT_FOUND;
    count(isOffered ? (error.code === "REFUSED" ? "refused" : "unreachable") : "not-offered");
    const isOfPeer = !isOffered || error.code !== "REFUSED";
    if (isOfPeer) {
      const asked = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1_000;
      doNotPropose(context, target, isOffered ? asked : NOT_OFFERED_MS);
    }
    const fields = { batch: id, target, status, code: problem ?? error.code };
    if (isOffered) log.warn({ ...fields, error }, "a batch goes in two steps: its target has not accepted it");
    else log.debug(fields, "a batch goes in two steps: its target does not accept any beforehand");
    return undefined;
  }
}

/** Undefined where that is not about this batch. */
function refusedOf(
  { transfers }: BatchPayload,
  rejections: readonly { readonly uetr: Uetr; readonly reason: ReasonCode }[],
): ReadonlyMap<Uetr, ReasonCode> | undefined {
  const own = new Set(transfers.map(({ uetr }) => uetr));
  return rejections.every(({ uetr }) => own.has(uetr))
    ? new Map(rejections.map(({ uetr, reason }) => [uetr, reason]))
    : undefined;
}

async function sign(
  context: RelayContext,
  batch: ProposedBatch,
  acceptance: SignedAcceptance | undefined,
): Promise<void> {
  const { db, clock, checkpoint } = context;
  const send = await signAsSource(context, batch);
  const isSigned = await signProposed(db, batch.id, { send, acceptance }, clock.nowMs());
  checkpoint("proposer.signed");
  if (isSigned) tellSigned(context, batch, acceptance !== undefined);
}

/** Nobody has a signature of it: what was not refused goes into another batch at once. */
async function withdraw(
  context: RelayContext,
  { id, header }: ProposedBatch,
  refused: ReadonlyMap<Uetr, ReasonCode>,
): Promise<void> {
  const { db, clock, checkpoint, metrics, log, wake } = context;
  const at = clock.nowMs();
  const failed = await db.transaction(async (tx) => {
    const ended = await withdrawProposed(tx, id, refused, at);
    const events = [...(ended ?? [])].flatMap(([reason, uetrs]) =>
      uetrs.map((uetr) => ({ type: "transfer.failed" as const, uetr, at, data: { reason } })),
    );
    if (events.length > 0) await appendEvents(tx, events);
    return events.length;
  });
  checkpoint("proposer.withdrawn");
  metrics.transfersEnded.inc({ status: "failed" }, failed);
  log.info({ batch: id, target: header.target, failed, left: header.count - failed }, "a proposed batch was withdrawn");
  wake("batcher");
  wake("notifier");
}
