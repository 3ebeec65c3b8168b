import { currencyByNumeric } from "../../../domain/currency.ts";
import { commitsTo, isPayable, opensDetails, type PayloadTransfer } from "../../../domain/payload.ts";
import type { ReasonCode } from "../../../domain/reason.ts";
import { rejectionsHash, settle, type Rejection } from "../../../domain/settlement.ts";
import type { Uetr } from "../../../domain/uetr.ts";
import { registryAt } from "../../../ledger/contracts.ts";
import { ledgerSigner } from "../../../ledger/keys/signing-key.ts";
import { signSettlement } from "../../../ledger/signing.ts";
import { ledgerTimeAt } from "../../../ledger/state.ts";
import { backoffMs } from "../../../kernel/retry.ts";
import { insertDecision, promisedElsewhere } from "../store/decisions.ts";
import {
  batchesToDecide,
  postponeDecision,
  refusePayload,
  sealedPayloadOf,
  type UndecidedBatch,
} from "../store/payloads.ts";
import { chunksOf, everyInTurns, mapAtMost, mapInTurns } from "../../../kernel/steps/chunks.ts";
import type { RelayContext, Step } from "../../context.ts";
import { workOff } from "../../../kernel/steps/pool.ts";
import { openPayload, partiesOf } from "../sealed-payload.ts";
import { recentHead } from "../watched.ts";
import { MAX_WALLET_CREDITS, WalletError, type WalletCredit } from "../../wallet/connector.ts";

/** Batches that are decided on at a time, and calls to the wallet for one of them. */
const LIMIT = 8;
const WALLET_CALLS = 4;
/** Details that are hashed between two turns of everybody else. */
const HASHES_PER_TURN = 100;
const PARTIES_PER_TURN = 100;
/** With less of its hold left, in seconds of ledger time, a batch is not decided on: it would expire half-way. */
const LEAST_LEFT_SECONDS = 3;

/**
 * Answers batches that are open for this partner: compares the payload with the ledger, asks the wallet for each
 * customer, and signs the settlement with what it refuses. The decision and the credits that it promises are on disk
 * before the ledger hears of it. A payload that is not what its batch commits to is never signed; while the wallet does
 * not answer in full, nothing is decided.
 */
export const responderStep: Step = async (context) => {
  const { db, clock, partner } = context;
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

async function decide(context: RelayContext, batch: UndecidedBatch): Promise<void> {
  const { checkpoint, log } = context;
  const { id, header } = batch;
  if (await isTooLate(context, batch)) return refuse(context, batch, "too late");
  const transfers = await transfersOf(context, batch);
  if (transfers === undefined) return refuse(context, batch, "mismatch");

  const rejections = await judge(context, batch, transfers);
  if (rejections === undefined) return postpone(context, batch, "the wallet does not say whether it can credit");
  checkpoint("responder.checked");
  const refused: Rejection[] = transfers.flatMap((transfer) => {
    const reason = rejections.get(transfer.uetr);
    return reason === undefined ? [] : [{ transfer, reason }];
  });
  if (settle(header, refused).kind === "refused") return refuse(context, batch, "mismatch");
  if (await isTooLate(context, batch)) return refuse(context, batch, "too late");

  const accept = await signSettlement(
    ledgerSigner(context.keys.accept),
    registryAt(context.ledger, batch.registry).chain,
    {
      batchId: id,
      rejectionsHash: rejectionsHash(refused),
    },
  );
  const credits = transfers
    .filter(({ uetr }) => !rejections.has(uetr))
    .map(({ uetr, targetAmount }) => ({ uetr, amount: targetAmount }));
  const currency = currencyByNumeric(header.targetCurrency).code;
  const outcome = await write(context, { batch: id, source: batch.source, rejections, accept, currency, credits });
  checkpoint("responder.decided");
  // Another batch has promised one of these credits since they were judged: they are judged again.
  if (outcome === "taken") return postpone(context, batch, "another batch has promised one of its credits");
  if (outcome === "written") {
    context.metrics.decisions.inc({ outcome: "accepted" }, credits.length);
    context.metrics.decisions.inc({ outcome: "rejected" }, refused.length);
    log.info({ batch: id, source: batch.source, accepted: credits.length, rejected: refused.length }, "batch decided");
  }
  context.wake("settler");
}

async function write(
  { db, clock }: Pick<RelayContext, "db" | "clock">,
  decision: Parameters<typeof insertDecision>[1],
): Promise<Awaited<ReturnType<typeof insertDecision>>> {
  class Taken extends Error {}
  try {
    return await db.transaction(async (tx) => {
      const outcome = await insertDecision(tx, decision, clock.nowMs());
      if (outcome === "taken") throw new Taken();
      return outcome;
    });
  } catch (failure) {
    if (failure instanceof Taken) return "taken";
    throw failure;
  }
}

async function isTooLate(context: RelayContext, { registry, header }: UndecidedBatch): Promise<boolean> {
  const { number, timeSeconds } = await recentHead(context);
  // Ledger time is never ahead of block time: most often that is all that has to be known.
  if (header.expiresAt - timeSeconds >= LEAST_LEFT_SECONDS) return false;
  const { ledger } = context;
  // Of a block that is named: other endpoints can confirm it.
  return header.expiresAt - (await ledgerTimeAt(registryAt(ledger, registry), number)) < LEAST_LEFT_SECONDS;
}

/** The batch's transfers, when they are what the ledger's header commits to, down to each one's details. */
async function transfersOf(
  { db, sealer }: Pick<RelayContext, "db" | "sealer">,
  { id, header }: UndecidedBatch,
): Promise<readonly PayloadTransfer[] | undefined> {
  const sealed = await sealedPayloadOf(db, id);
  if (sealed === null || sealed === undefined) return undefined;
  const { transfers } = openPayload(sealer, id, sealed);
  if (!commitsTo(header, transfers) || !transfers.every((transfer) => isPayable(header, transfer))) return undefined;
  return (await everyInTurns(transfers, HASHES_PER_TURN, opensDetails)) ? transfers : undefined;
}

/** Why which transfers are refused; undefined while the wallet has not answered for every one. */
async function judge(
  { db, wallet, metrics, log }: Pick<RelayContext, "db" | "wallet" | "metrics" | "log">,
  { id, header }: UndecidedBatch,
  transfers: readonly PayloadTransfer[],
): Promise<ReadonlyMap<Uetr, ReasonCode> | undefined> {
  const rejections = new Map<Uetr, ReasonCode>();
  const promised = await promisedElsewhere(
    db,
    id,
    transfers.map(({ uetr }) => uetr),
  );
  const currency = currencyByNumeric(header.targetCurrency).code;
  const open: WalletCredit[] = [];
  const all = await mapInTurns(transfers, PARTIES_PER_TURN, (transfer) => ({
    ...transfer,
    parties: partiesOf(transfer),
  }));
  for (const { uetr, targetAmount, parties } of all) {
    if (promised.has(uetr)) rejections.set(uetr, "AM05");
    else if (parties === undefined) rejections.set(uetr, "FF01");
    else open.push({ ...parties, uetr, amount: { minor: targetAmount, currency } });
  }
  try {
    const answers = await mapAtMost(chunksOf(open, MAX_WALLET_CREDITS), WALLET_CALLS, async (credits) => {
      const results = await wallet.check(credits);
      if (results.length !== credits.length) throw new WalletError("/credits/check: not an answer for every transfer");
      return results;
    });
    metrics.walletCalls.inc({ call: "check", outcome: "answered" }, answers.length);
    for (const result of answers.flat()) if (!result.accept) rejections.set(result.uetr, result.reason);
    return rejections;
  } catch (error) {
    if (!(error instanceof WalletError)) throw error;
    metrics.walletCalls.inc({ call: "check", outcome: "failed" });
    log.warn({ batch: id, error }, "the wallet does not say whether it can credit");
    return undefined;
  }
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
