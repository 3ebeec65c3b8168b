import { toHex } from "../../domain/bytes/hex.ts";
import { currencyByNumeric } from "../../domain/currency.ts";
import { readParties, type PayloadTransfer } from "../../domain/payload.ts";
import { transferLeaf } from "../../domain/transfer.ts";
import type { Uetr } from "../../domain/uetr.ts";
import { backoffMs } from "../../platform/retry.ts";
import {
  batchesToCredit,
  countStuckCredits,
  dueCreditsOf,
  recordFailures,
  recordPostings,
  withoutStuckEvent,
  type CreditableBatch,
  type DueCredit,
  type FailedCredit,
  type Posting,
} from "../../store/credits.ts";
import { appendEvents, type NewEvent } from "../../store/events.ts";
import { sealedPayloadOf } from "../../store/payloads.ts";
import { chunksOf, mapAtMost } from "../chunks.ts";
import type { RelayContext, Step } from "../context.ts";
import { workOff } from "../pool.ts";
import { openPayload } from "../sealed-payload.ts";
import { MAX_WALLET_CREDITS, WalletError, type CreditResult, type SettledCredit } from "../wallet/connector.ts";

/** Batches at a time, and calls to the wallet for one of them. */
const LIMIT = 4;
const WALLET_CALLS = 4;

/**
 * Has the wallet credit the customers of settled batches. A credit is asked for again, with growing pauses and for ever,
 * until the wallet says that it is posted: the money is there, and it is the customer's. That it is posted once only is
 * the wallet's part, which goes by the UETR; see docs/wallet-connector.md.
 */
export const crediterStep: Step = async (context) => {
  const { db, clock, wake, metrics } = context;
  const isMoreDue = await workOff({
    limit: LIMIT,
    find: (atMost) => batchesToCredit(db, clock.nowMs(), atMost),
    keyOf: ({ id }) => id,
    work: (batch) => context.tracer.span("crediter.credit", { batch: batch.id }, () => credit(context, batch)),
    wake,
    clock,
    step: "crediter",
  });
  metrics.stuckCredits.set(await countStuckCredits(db));
  return isMoreDue;
};

/** A credit as it is asked for, with how often it was in vain. */
interface Asked extends DueCredit {
  readonly credit: SettledCredit;
}

async function credit(context: RelayContext, batch: CreditableBatch): Promise<void> {
  const { db, clock, wake } = context;
  const due = await dueCreditsOf(db, batch.id, clock.nowMs());
  const asked = await askable(context, batch, due);
  await mapAtMost(chunksOf(asked, MAX_WALLET_CREDITS), WALLET_CALLS, (chunk) => post(context, batch, chunk));
  wake("confirmer");
}

async function askable(
  context: RelayContext,
  batch: CreditableBatch,
  due: readonly DueCredit[],
): Promise<readonly Asked[]> {
  const sealed = await sealedPayloadOf(context.db, batch.id);
  const isThere = sealed !== null && sealed !== undefined;
  const transfers = isThere ? openPayload(context.sealer, batch.id, sealed).transfers : [];
  const byUetr = new Map(transfers.map((transfer) => [transfer.uetr, transfer]));
  const asked: Asked[] = [];
  const impossible: (DueCredit & { readonly error: string })[] = [];
  for (const each of due) {
    const made = creditOf(batch, byUetr.get(each.uetr));
    if ("error" in made) impossible.push({ ...each, ...made });
    else asked.push({ ...each, credit: made });
  }
  if (impossible.length > 0) await setAside(context, batch, impossible);
  return asked;
}

/** What the wallet is asked; or why it must not be, or cannot. */
function creditOf(
  { id, header, rejected }: CreditableBatch,
  transfer: PayloadTransfer | undefined,
): SettledCredit | { readonly error: string } {
  const parties = transfer === undefined ? undefined : readParties(transfer.details);
  if (transfer === undefined || parties === undefined) return { error: "its payload is gone" };
  // The ledger has the last word, whatever this store promised: a restored backup may promise what was refunded.
  if (rejected.has(toHex(transferLeaf(transfer)))) return { error: "the ledger has refunded it" };
  const { uetr, targetAmount } = transfer;
  const amount = { minor: targetAmount, currency: currencyByNumeric(header.targetCurrency).code };
  return { ...parties, uetr, amount, batchId: id };
}

/** Nothing that this relay can do gets these credited: a person has to look. */
async function setAside(
  context: RelayContext,
  { id, header }: CreditableBatch,
  credits: readonly (DueCredit & { readonly error: string })[],
): Promise<void> {
  const { db, log, metrics, wake } = context;
  for (const { uetr, error } of credits) {
    log.error({ batch: id, source: header.source, uetr, why: error }, "credit stuck");
  }
  metrics.credits.inc({ outcome: "impossible" }, credits.length);
  await db.transaction(async (tx) => {
    await recordFailures(
      tx,
      credits.map(({ uetr, error }) => ({ uetr, error, dueAt: undefined })),
    );
    const fresh = new Set(
      await withoutStuckEvent(
        tx,
        credits.map(({ uetr }) => uetr),
      ),
    );
    await appendEvents(
      tx,
      credits.filter(({ uetr }) => fresh.has(uetr)).map((each) => stuck(context, id, each)),
    );
  });
  wake("notifier");
}

async function post(context: RelayContext, { id, header }: CreditableBatch, asked: readonly Asked[]): Promise<void> {
  const { wallet, checkpoint, metrics, log, wake } = context;
  let results: readonly CreditResult[] = [];
  let silence = "the wallet left it out of its answer";
  try {
    results = await wallet.credit(asked.map((each) => each.credit));
    metrics.walletCalls.inc({ call: "credit", outcome: "answered" });
  } catch (error) {
    if (!(error instanceof WalletError)) throw error;
    silence = "the wallet does not answer";
    metrics.walletCalls.inc({ call: "credit", outcome: "failed" });
    log.warn({ batch: id, error }, "the wallet does not say whether it has credited");
  }
  checkpoint("crediter.credited");
  const outcome = sortOut(context, asked, results, silence);
  await write(context, id, outcome);
  checkpoint("crediter.recorded");
  metrics.credits.inc({ outcome: "posted" }, outcome.postings.length);
  metrics.credits.inc({ outcome: "refused" }, outcome.refused.size);
  metrics.credits.inc({ outcome: "unanswered" }, outcome.failures.length - outcome.refused.size);
  for (const { uetr, error } of outcome.failures.filter((failure) => outcome.refused.has(failure.uetr))) {
    log.error(
      { batch: id, source: header.source, uetr, reason: error },
      "the wallet refuses a credit that has settled",
    );
  }
  if (outcome.retryInMs !== undefined) wake("crediter", outcome.retryInMs);
  wake("notifier");
}

interface Outcome {
  readonly postings: readonly Posting[];
  readonly failures: readonly FailedCredit[];
  readonly refused: ReadonlySet<Uetr>;
  readonly retryInMs: number | undefined;
}

function sortOut(
  { clock, settings }: RelayContext,
  asked: readonly Asked[],
  results: readonly CreditResult[],
  silence: string,
): Outcome {
  const answers = new Map(results.map((result) => [result.uetr, result]));
  const postings: Posting[] = [];
  const failures: FailedCredit[] = [];
  const refused = new Set<Uetr>();
  let retryInMs: number | undefined;
  for (const { uetr, attempts } of asked) {
    const answer = answers.get(uetr);
    if (answer?.status === "credited") {
      postings.push({ uetr, reference: answer.reference, creditedAt: answer.creditedAtMs });
      continue;
    }
    if (answer !== undefined) refused.add(uetr);
    const delayMs = backoffMs(attempts + 1, settings.retry);
    failures.push({ uetr, error: answer?.reason ?? silence, dueAt: clock.nowMs() + delayMs });
    retryInMs = Math.min(retryInMs ?? delayMs, delayMs);
  }
  return { postings, failures, refused, retryInMs };
}

async function write(context: RelayContext, batch: CreditableBatch["id"], outcome: Outcome): Promise<void> {
  const { db, clock } = context;
  const { postings, failures, refused } = outcome;
  await db.transaction(async (tx) => {
    const fresh = await recordPostings(tx, postings);
    await recordFailures(tx, failures);
    const newlyStuck = new Set(await withoutStuckEvent(tx, [...refused]));
    const posted = postings.flatMap(({ uetr, reference, creditedAt }): NewEvent[] => {
      const amount = fresh.get(uetr);
      if (amount === undefined) return [];
      const data = {
        reference,
        creditedAt: new Date(creditedAt).toISOString(),
        amount: { currency: amount.currency, minor: String(amount.amount) },
      };
      return [{ type: "credit.posted", uetr, batch, at: clock.nowMs(), data }];
    });
    const stuckOnes = failures.filter(({ uetr }) => newlyStuck.has(uetr)).map((each) => stuck(context, batch, each));
    await appendEvents(tx, [...posted, ...stuckOnes]);
  });
}

function stuck(
  { clock }: RelayContext,
  batch: CreditableBatch["id"],
  { uetr, error }: { readonly uetr: Uetr; readonly error: string },
): NewEvent {
  return { type: "credit.stuck", uetr, batch, at: clock.nowMs(), data: { reason: error } };
}
