import type { Hex } from "../../../domain/bytes/hex.ts";
import type { PayloadTransfer } from "../../../domain/payload.ts";
import { rejectionsHash, settle, type Rejection } from "../../../domain/settlement.ts";
import type { Authorization } from "../../../domain/typed-data.ts";
import { registryAt } from "../../../ledger/contracts.ts";
import { ledgerSigner } from "../../../ledger/keys/signing-key.ts";
import { signSettlement } from "../../../ledger/signing.ts";
import { backoffMs } from "../../../kernel/retry.ts";
import { isSound, isTooLate, judge, writeDecision } from "../deciding.ts";
import { lapsedBy, releaseLapsed, signPromise } from "../store/decisions.ts";
import {
  batchesToDecide,
  postponeDecision,
  refusePayload,
  sealedPayloadOf,
  type UndecidedBatch,
} from "../store/payloads.ts";
import { knownRegistries, unreadRegistries } from "../store/registries.ts";
import type { RelayContext, Step } from "../../context.ts";
import { workOff } from "../../../kernel/steps/pool.ts";
import { openPayload } from "../sealed-payload.ts";

/** Batches that are decided on at a time. */
const LIMIT = 8;

/**
 * Answers batches that are open for this partner: compares the payload with the ledger, asks the wallet for each
 * customer, and signs the settlement with what it refuses. The decision and the credits that it promises are on disk
 * before the ledger hears of it. A payload that is not what its batch commits to is never signed; while the wallet does
 * not answer in full, nothing is decided.
 *
 * Before that it gives up what it has promised for batches that can no longer settle in one step.
 */
export const responderStep: Step = async (context) => {
  const { db, clock, partner } = context;
  await giveUpLapsed(context);
  return workOff({
    context,
    step: "responder",
    limit: LIMIT,
    find: (atMost) => batchesToDecide(db, partner, clock.nowMs(), atMost),
    findsAll: true,
    keyOf: ({ id }) => id,
    work: (batch) => context.tracer.span("responder.decide", { batch: batch.id }, () => decide(context, batch)),
    recordFault: (batch, fault) => postpone(context, batch, fault),
  });
};

async function giveUpLapsed({ db, ledger, metrics, log, checkpoint, watched }: RelayContext): Promise<void> {
  // Promises lapse with the ledger's time: with no block there is nothing to look for.
  const readUntil = watched.written?.cursor.timeSeconds;
  if (readUntil !== undefined && readUntil === watched.releasedUntilSeconds) return;
  const over = await lapsedBy(db);
  // Of a registry that has not been read up to there it cannot be told that it does not have a batch.
  if (over !== undefined && unreadRegistries(ledger, await knownRegistries(db)).length > 0) return;
  const lapsed = over === undefined ? 0 : await db.transaction((tx) => releaseLapsed(tx, over));
  watched.releasedUntilSeconds = readUntil;
  if (lapsed === 0) return;
  checkpoint("responder.released");
  metrics.proposals.inc({ direction: "received", outcome: "lapsed" }, lapsed);
  log.warn(
    { batches: lapsed },
    "batches that were accepted have not come to the ledger in time: their promises are given up",
  );
}

async function decide(context: RelayContext, batch: UndecidedBatch): Promise<void> {
  const { checkpoint, log } = context;
  const { id, header } = batch;
  if (await isTooLate(context, batch)) return refuse(context, batch, "too late");
  if (batch.isPromised) return keepPromise(context, batch);
  const transfers = await transfersOf(context, batch);
  if (transfers === undefined) return refuse(context, batch, "mismatch");

  const judged = await judge(context, batch, transfers);
  if ("unknown" in judged) return postpone(context, batch, judged.unknown);
  const { rejections, payments } = judged;
  checkpoint("responder.checked");
  const refused: Rejection[] = transfers.flatMap((transfer) => {
    const reason = rejections.get(transfer.uetr);
    return reason === undefined ? [] : [{ transfer, reason }];
  });
  if (settle(header, refused).kind === "refused") return refuse(context, batch, "mismatch");
  if (await isTooLate(context, batch)) return refuse(context, batch, "too late");

  const accept = await sign(context, batch, rejectionsHash(refused));
  const outcome = await writeDecision(context, { batch, transfers, rejections, payments, accept });
  checkpoint("responder.decided");
  // Another batch has promised one of these credits, or pays one of these requests, since they were judged: once more.
  if (outcome === "taken") return postpone(context, batch, "another batch has promised one of its credits");
  if (outcome === "written") {
    const accepted = transfers.length - refused.length;
    context.metrics.decisions.inc({ outcome: "accepted" }, accepted);
    context.metrics.decisions.inc({ outcome: "rejected" }, refused.length);
    log.info({ batch: id, source: batch.source, accepted, rejected: refused.length }, "batch decided");
  }
  context.wake("settler");
}

/** It was accepted whole, and is open in two steps instead of settled in one: what was promised is signed for those. */
async function keepPromise(context: RelayContext, batch: UndecidedBatch): Promise<void> {
  await signPromise(context.db, batch.id, await sign(context, batch, rejectionsHash([])));
  context.log.info({ batch: batch.id, source: batch.source }, "a batch that was promised settles in two steps");
  context.wake("settler");
}

function sign(
  { keys, ledger }: Pick<RelayContext, "keys" | "ledger">,
  { id, registry }: UndecidedBatch,
  hash: Hex,
): Promise<Authorization> {
  const settlement = { batchId: id, rejectionsHash: hash };
  return signSettlement(ledgerSigner(keys.accept), registryAt(ledger, registry).chain, settlement);
}

/** The batch's transfers, when they are what the ledger's header commits to. */
async function transfersOf(
  { db, sealer }: Pick<RelayContext, "db" | "sealer">,
  { id, header }: UndecidedBatch,
): Promise<readonly PayloadTransfer[] | undefined> {
  const sealed = await sealedPayloadOf(db, id);
  if (sealed === null || sealed === undefined) return undefined;
  const { transfers } = openPayload(sealer, id, sealed);
  return (await isSound(header, transfers)) ? transfers : undefined;
}

async function refuse(
  { db, metrics, log }: Pick<RelayContext, "db" | "metrics" | "log">,
  { id, source, header }: UndecidedBatch,
  why: "mismatch" | "too late",
): Promise<void> {
  await refusePayload(db, id, why);
  metrics.decisions.inc({ outcome: why === "mismatch" ? "mismatch" : "late" }, header.count);
  if (why === "too late") log.warn({ batch: id, source }, "a batch is left to expire: there is no time to settle it");
  else log.error({ batch: id, source }, "a batch is left to expire: its payload is not what it commits to");
}

async function postpone(
  { db, clock, settings, wake }: Pick<RelayContext, "db" | "clock" | "settings" | "wake">,
  batch: UndecidedBatch,
  why: string,
): Promise<void> {
  const delayMs = backoffMs(batch.attempts + 1, settings.retry);
  await postponeDecision(db, batch.id, clock.nowMs() + delayMs, why);
  wake("responder", delayMs);
}
