import type { BatchHeader } from "../../domain/batch.ts";
import type { Hex } from "../../domain/bytes/hex.ts";
import { currencyByNumeric } from "../../domain/currency.ts";
import { commitsTo, isPayable, opensDetails, type PayloadTransfer } from "../../domain/payload.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import type { Uetr } from "../../domain/uetr.ts";
import { chunksOf, everyInTurns, mapAtMost, mapInTurns } from "../../kernel/steps/chunks.ts";
import type { Queryable } from "../../kernel/store/database.ts";
import { registryAt } from "../../ledger/contracts.ts";
import { ledgerTimeAt } from "../../ledger/state.ts";
import type { RelayContext } from "../context.ts";
import { judgePayments, takeRequests, type JudgedPayment } from "../requests/payments.ts";
import { WalletError, type WalletCredit } from "../wallet/connector.ts";
import { partiesOf } from "./sealed-payload.ts";
import { insertDecision, promisedElsewhere, type Decision } from "./store/decisions.ts";
import { recentHead } from "./watched.ts";

// How a target judges a batch: once it is open, or before it is signed.

const WALLET_CALLS = 4;
/** Details that are hashed between two turns of everybody else. */
const HASHES_PER_TURN = 100;
const PARTIES_PER_TURN = 100;
/** With less of its hold left, in seconds of ledger time, a batch is not decided on: it would expire half-way. */
const LEAST_LEFT_SECONDS = 3;

/** A batch that is judged. */
export interface JudgedBatch {
  readonly id: Hex;
  /** Undefined for the ledger's first. */
  readonly registry: Hex | undefined;
  readonly header: BatchHeader;
}

export async function isTooLate(
  context: Pick<RelayContext, "ledger" | "clock" | "watched">,
  { registry, header }: Omit<JudgedBatch, "id">,
): Promise<boolean> {
  const { number, timeSeconds } = await recentHead(context);
  // Ledger time is never ahead of block time: most often that is all that has to be known.
  if (header.expiresAt - timeSeconds >= LEAST_LEFT_SECONDS) return false;
  // Of a block that is named: other endpoints can confirm it.
  const time = await ledgerTimeAt(registryAt(context.ledger, registry), number);
  return header.expiresAt - time < LEAST_LEFT_SECONDS;
}

/** Whether transfers are what a header commits to, down to each one's details, and can be paid out at its rate. */
export async function isSound(header: BatchHeader, transfers: readonly PayloadTransfer[]): Promise<boolean> {
  if (!commitsTo(header, transfers) || !transfers.every((transfer) => isPayable(header, transfer))) return false;
  return everyInTurns(transfers, HASHES_PER_TURN, opensDetails);
}

/** Why which transfers are refused, and which requests the others pay; or why that cannot be said now. */
export type Judgement =
  | { readonly rejections: ReadonlyMap<Uetr, ReasonCode>; readonly payments: readonly JudgedPayment[] }
  | { readonly unknown: string };

/** Asks the wallet for each customer whose transfer no other batch has promised to credit. */
export async function judge(
  context: Pick<RelayContext, "db" | "sealer" | "clock" | "wallet" | "metrics" | "log">,
  { id, header }: JudgedBatch,
  transfers: readonly PayloadTransfer[],
): Promise<Judgement> {
  const { db, wallet, metrics, log } = context;
  const rejections = new Map<Uetr, ReasonCode>();
  const promised = await promisedElsewhere(
    db,
    id,
    transfers.map(({ uetr }) => uetr),
  );
  // Whether it is a second one, is known once the first has settled or cannot any more.
  if ([...promised.values()].some(({ mayLapse }) => mayLapse)) return { unknown: ELSEWHERE };
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
  const judged = await judgePayments(context, open);
  const asked: WalletCredit[] = [];
  const payments: JudgedPayment[] = [];
  for (const credit of open) {
    const payment = judged.get(credit.uetr);
    if (typeof payment === "string") rejections.set(credit.uetr, payment);
    else asked.push(payment?.credit ?? credit);
    if (typeof payment === "object") payments.push(payment);
  }
  try {
    const answers = await mapAtMost(chunksOf(asked, wallet.mostCredits), WALLET_CALLS, async (credits) => {
      const results = await wallet.check(credits);
      if (results.length !== credits.length) throw new WalletError("/credits/check: not an answer for every transfer");
      return results;
    });
    metrics.walletCalls.inc({ call: "check", outcome: "answered" }, answers.length);
    for (const result of answers.flat()) if (!result.accept) rejections.set(result.uetr, result.reason);
    return { rejections, payments: payments.filter(({ uetr }) => !rejections.has(uetr)) };
  } catch (error) {
    if (!(error instanceof WalletError)) throw error;
    metrics.walletCalls.inc({ call: "check", outcome: "failed" });
    log.warn({ batch: id, error }, "the wallet does not say whether it can credit");
    return { unknown: "the wallet does not say whether it can credit" };
  }
}

const ELSEWHERE = "another batch has promised one of its credits";

/** What was judged, to be written down. */
export type NewDecision = Pick<Decision, "rejections" | "accept" | "promisedUntil"> & {
  readonly batch: JudgedBatch;
  readonly transfers: readonly PayloadTransfer[];
  /** Of requests, by transfers that are not rejected. */
  readonly payments: readonly JudgedPayment[];
};

type Written = Awaited<ReturnType<typeof insertDecision>>;

/** Rolls back what cannot be written. */
class NotWritten extends Error {
  readonly outcome: Exclude<Written, "written">;

  constructor(outcome: Exclude<Written, "written">) {
    super(outcome);
    this.outcome = outcome;
  }
}

/**
 * Writes a decision with the credits that it promises, and what belongs to it.
 * @returns as `insertDecision`; nothing was written where it is not "written"
 */
export async function writeDecision(
  { db, clock }: Pick<RelayContext, "db" | "clock">,
  { batch: { id, header }, transfers, payments, ...decision }: NewDecision,
  before: (tx: Queryable) => Promise<void> = () => Promise.resolve(),
): Promise<Written> {
  const credits = transfers
    .filter(({ uetr }) => !decision.rejections.has(uetr))
    .map(({ uetr, targetAmount }) => ({ uetr, amount: targetAmount }));
  const currency = currencyByNumeric(header.targetCurrency).code;
  try {
    return await db.transaction(async (tx) => {
      await before(tx);
      const written = { ...decision, batch: id, source: header.source, currency, credits };
      const outcome = await insertDecision(tx, written, clock.nowMs());
      if (outcome !== "written") throw new NotWritten(outcome);
      if (!(await takeRequests(tx, id, payments))) throw new NotWritten("taken");
      return outcome;
    });
  } catch (failure) {
    if (failure instanceof NotWritten) return failure.outcome;
    throw failure;
  }
}
