import { compareBytes } from "../../domain/bytes/bytes.ts";
import type { Hex } from "../../domain/bytes/hex.ts";
import type { PartnerId } from "../../domain/partner.ts";
import { whyNotOpen } from "../../domain/opening.ts";
import { currencyByNumeric } from "../../domain/currency.ts";
import type { Queryable } from "../../kernel/store/database.ts";
import { registryAt } from "../../ledger/contracts.ts";
import { ledgerSigner } from "../../ledger/keys/signing-key.ts";
import { signAcceptance } from "../../ledger/signing.ts";
import { corridorAt, ledgerTimeAt } from "../../ledger/state.ts";
import type { RelayContext } from "../context.ts";
import type { ProposalAnswer } from "../peers/messages.ts";
import { Refused, tooMuch } from "../peers/refused.ts";
import { isSound, isTooLate, judge, writeDecision, type JudgedBatch } from "./deciding.ts";
import { openPayload, openPayloadBytes } from "./sealed-payload.ts";
import { answeredProposal, countChecks, insertAnswer, type ProposalOutcome } from "./store/answered-proposals.ts";
import { insertPayload, sealedPayloadOf, type NewPayload } from "./store/payloads.ts";
import { blockTimeNow, recentHead } from "./watched.ts";

/**
 * Answers a batch that its source has not signed yet. All of it is checked as if it were open. Where nothing is refused,
 * what it promises is on disk before the acceptance is made: only the batch as it is, and only until then, can use that.
 * The same proposal has the same answer.
 * @throws Refused for what its source then has to open in two steps, or cannot
 */
export async function answerProposal(
  context: RelayContext,
  from: PartnerId,
  payload: Omit<NewPayload, "delivered">,
  batch: JudgedBatch,
): Promise<ProposalAnswer> {
  const { db, ledger, keys, checkpoint, metrics } = context;
  // Who cannot send has no business with who has an account here.
  if ((await context.peers.find(from))?.isActive !== true) throw new Refused("sender-not-active", "it cannot send");
  const known = await answeredProposal(db, batch.id);
  const { rejections, acceptedUntil } = known ?? (await decide(context, payload, batch));
  const outcome = rejections.size > 0 ? "rejected" : "accepted";
  metrics.proposals.inc({ direction: "received", outcome: known === undefined ? outcome : "repeated" });
  if (rejections.size > 0) return { rejections: [...rejections].map(([uetr, reason]) => ({ uetr, reason })) };
  const acceptance = { batchId: batch.id, validUntil: acceptedUntil };
  const { chain } = registryAt(ledger, batch.registry);
  const signed = await signAcceptance(ledgerSigner(keys.accept), chain, acceptance);
  checkpoint("proposal.signed");
  return { acceptance: signed };
}

async function decide(
  context: RelayContext,
  payload: Omit<NewPayload, "delivered">,
  batch: JudgedBatch,
): Promise<ProposalOutcome> {
  const { db, sealer, settings, clock, checkpoint, log, metrics } = context;
  const { id, header } = batch;
  const { transfers } = openPayload(sealer, id, payload.sealed);
  // Nothing is told of customers for what is no batch, or one that the ledger would not take.
  if (!(await isSound(header, transfers))) {
    throw new Refused("malformed-message", "the transfers are not what the header commits to");
  }
  await requireOpenable(context, batch);
  const isCounted = await countChecks(db, header.source, header.count, settings.oneStep.unpaidPerMinute, clock.nowMs());
  if (!isCounted) throw tooMuch("too many transfers were checked of batches that have not settled", UNPAID_WAIT_MS);
  const judged = await judge(context, batch, transfers);
  if ("unknown" in judged) throw new Refused("unavailable", judged.unknown);
  const { rejections, payments } = judged;
  checkpoint("proposal.checked");

  const answer = { batch: id, source: header.source, transfers: header.count };
  const outcome = { rejections, acceptedUntil: (await nowSeconds(context)) + settings.oneStep.validSeconds };
  if (rejections.size > 0) {
    await insertAnswer(db, answer, outcome, clock.nowMs());
    log.info({ batch: id, source: header.source, rejected: rejections.size }, "proposed batch refused in parts");
    return outcome;
  }
  // Who has held no money yet must not keep others from paying what can be paid once.
  if (payments.some(({ isSingle }) => isSingle)) {
    throw new Refused("needs-hold", "a request that is paid once is paid by money that is held");
  }
  const promise = { batch, transfers, payments, rejections, accept: undefined, promisedUntil: outcome.acceptedUntil };
  const written = await writeDecision(context, promise, async (tx) => {
    const isNew = await insertPayload(tx, { ...payload, delivered: false }, clock.nowMs());
    // Customers are credited by what is stored: that has to be what was judged.
    if (!isNew && !(await isStored(tx, context, id, payload.sealed))) {
      throw new Refused("payload-conflict", "what came first is kept");
    }
    await insertAnswer(tx, answer, outcome, clock.nowMs());
  });
  checkpoint("proposal.promised");
  if (written === "taken") throw new Refused("unavailable", "another batch has promised one of its credits");
  if (written === "decided before") {
    // In another request at the same time; or once it was open.
    const first = await answeredProposal(db, id);
    if (first === undefined) throw new Refused("not-openable", "it is decided on already");
    return first;
  }
  metrics.decisions.inc({ outcome: "accepted" }, transfers.length);
  log.info({ batch: id, source: header.source, accepted: transfers.length }, "proposed batch accepted");
  return outcome;
}

async function isStored(
  tx: Queryable,
  { sealer }: Pick<RelayContext, "sealer">,
  batch: Hex,
  sealed: Uint8Array,
): Promise<boolean> {
  const stored = await sealedPayloadOf(tx, batch);
  if (stored === null || stored === undefined) return false;
  return compareBytes(openPayloadBytes(sealer, batch, stored), openPayloadBytes(sealer, batch, sealed)) === 0;
}

/** What is under way when too much is has settled by then. */
const UNPAID_WAIT_MS = 5_000;

/** Seconds of block time. */
async function nowSeconds(context: RelayContext): Promise<number> {
  const { clock, clockSkew } = context;
  const head = await recentHead(context);
  // By a clock that is known to be wrong nobody's transfers are promised for long.
  return clockSkew.now().isBeyond ? head.timeSeconds : blockTimeNow(head, clock);
}

async function requireOpenable(context: RelayContext, batch: JudgedBatch): Promise<void> {
  const { ledger } = context;
  const { header, registry } = batch;
  const block = await recentHead(context);
  const corridor = {
    source: header.source,
    target: header.target,
    sourceCurrency: currencyByNumeric(header.sourceCurrency).code,
    targetCurrency: currencyByNumeric(header.targetCurrency).code,
  };
  const [terms, ledgerTime, isLate] = await Promise.all([
    corridorAt(ledger, corridor, block),
    ledgerTimeAt(registryAt(ledger, registry), block.number),
    isTooLate(context, batch),
  ]);
  const blockTime = block.timeSeconds;
  // What was drawn on its quote, and whether that is signed, is for the ledger to say.
  const why = isLate
    ? "EXPIRED"
    : whyNotOpen(header, { terms, openedToday: terms.openedToday, drawn: 0n, ledgerTime, blockTime });
  if (why !== undefined) throw new Refused("not-openable", why);
}
