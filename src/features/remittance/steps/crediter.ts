import { currencyByNumeric } from "../../../domain/currency.ts";
import { believedInstant, formatInstant } from "../../../domain/instant.ts";
import type { PayloadTransfer } from "../../../domain/payload.ts";
import { isAmong } from "../../../domain/transfer.ts";
import type { Uetr } from "../../../domain/uetr.ts";
import { backoffMs } from "../../../kernel/retry.ts";
import {
  batchesToCredit,
  countStuckCredits,
  dueCreditsOf,
  recordFailures,
  recordPostings,
  toldAsStuck,
  type CreditableBatch,
  type DueCredit,
  type FailedCredit,
  type Posting,
} from "../store/credits.ts";
import { appendEvents, type NewEvents } from "../../../kernel/store/events.ts";
import { sealedPayloadOf } from "../store/payloads.ts";
import { chunksOf, mapAtMost } from "../../../kernel/steps/chunks.ts";
import type { RelayContext, Step } from "../../context.ts";
import { describeFault, isOfItem, noteFault } from "../../../kernel/steps/faults.ts";
import { grouped } from "../../../kernel/steps/grouped.ts";
import { moneyJson } from "../../../schema/fields.ts";
import { workOff } from "../../../kernel/steps/pool.ts";
import { withPayees } from "../../requests/payments.ts";
import { openPayload, partiesOf } from "../sealed-payload.ts";
import { WalletError, type CreditResult, type SettledCredit } from "../../wallet/connector.ts";

/** Batches at a time, and calls to the wallet for one of them. */
const LIMIT = 4;
const WALLET_CALLS = 4;

/** A stuck credit's reason, where it is not the wallet's: the log says what it was. */
const OWN_FAULT = "a fault of this relay";

/**
 * Has the wallet credit the customers of settled batches. A credit is asked for again, with growing pauses and without end,
 * until the wallet says that it is posted: the money is there, and it is the customer's. That it is posted once only is
 * the wallet's part, which uses the UETR; see docs/wallet-connector.md.
 */
export const crediterStep: Step = async (relay) => {
  const { db, clock, metrics } = relay;
  const context: Crediting = { ...relay, write: grouped((outcomes) => writeAll(relay, outcomes)) };
  const isMoreDue = await workOff({
    context,
    step: "crediter",
    limit: LIMIT,
    find: (atMost) => batchesToCredit(db, clock.nowMs(), atMost),
    findsAll: true,
    keyOf: ({ id }) => id,
    work: (batch, isOver) =>
      context.tracer.span("crediter.credit", { batch: batch.id }, () => credit(context, batch, isOver)),
    recordFault: async (batch, fault) =>
      failAll(context, batch.id, await dueCreditsOf(db, batch.id, clock.nowMs()), fault),
  });
  metrics.stuckCredits.set(await countStuckCredits(db, clock.nowMs()));
  return isMoreDue;
};

/** A pass. All of its calls to the wallet write to the same feed of events, which has one writer at a time. */
interface Crediting extends RelayContext {
  readonly write: (outcome: Outcome) => Promise<void>;
}

/** A credit as it is asked for, with how often it has failed. */
interface Asked extends DueCredit {
  readonly credit: SettledCredit;
}

async function credit(context: Crediting, batch: CreditableBatch, isOver: () => boolean): Promise<void> {
  const { db, clock, wake } = context;
  const due = await dueCreditsOf(db, batch.id, clock.nowMs());
  const asked = await askable(context, batch, due);
  await mapAtMost(callsFor(asked, context.wallet.mostCredits), WALLET_CALLS, async (call) => {
    // What is left is due still.
    if (isOver()) return;
    try {
      await post(context, batch, call);
    } catch (error) {
      if (!isOfItem(error)) throw error;
      noteFault(context, "crediter", batch.id, error);
      await failAll(context, batch.id, call, describeFault(error));
    }
  });
  wake("confirmer");
}

/**
 * Credits that are asked for in one call. What has failed is asked for with fewer others from attempt to attempt, and at
 * last alone: one that the wallet cannot answer for keeps none of the others from their money.
 */
function callsFor(asked: readonly Asked[], most: number): readonly (readonly Asked[])[] {
  const byAttempts = Map.groupBy(asked, ({ attempts }) => Math.min(attempts, 2));
  return [...byAttempts].flatMap(([attempts, list]) => chunksOf(list, Math.ceil(most / 10 ** attempts)));
}

async function askable(
  context: Crediting,
  batch: CreditableBatch,
  due: readonly DueCredit[],
): Promise<readonly Asked[]> {
  const { clock, settings } = context;
  const sealed = await sealedPayloadOf(context.db, batch.id);
  const isThere = sealed !== null && sealed !== undefined;
  const transfers = isThere ? openPayload(context.sealer, batch.id, sealed).transfers : [];
  const byUetr = new Map(transfers.map((transfer) => [transfer.uetr, transfer]));
  const asked: Asked[] = [];
  const impossible: FailedCredit[] = [];
  for (const { uetr, attempts } of due) {
    try {
      const made = creditOf(batch, byUetr.get(uetr));
      if ("error" in made) impossible.push({ uetr, error: made.error, dueAt: undefined });
      else asked.push({ uetr, attempts, credit: made });
    } catch (error) {
      if (!isOfItem(error)) throw error;
      noteFault(context, "crediter", uetr, error);
      impossible.push({ uetr, error: OWN_FAULT, dueAt: clock.nowMs() + backoffMs(attempts + 1, settings.retry) });
    }
  }
  const credits = await withPayees(
    context,
    asked.map(({ credit }) => credit),
  );
  const payable: Asked[] = [];
  for (const [index, each] of asked.entries()) {
    const credit = credits[index];
    if (credit === undefined) impossible.push({ uetr: each.uetr, error: "its request is gone", dueAt: undefined });
    else payable.push({ ...each, credit });
  }
  if (impossible.length > 0) await setAside(context, batch, impossible);
  return payable;
}

/** What the wallet is asked; or why it must not be, or cannot. */
function creditOf(
  { id, header, rejected }: CreditableBatch,
  transfer: PayloadTransfer | undefined,
): SettledCredit | { readonly error: string } {
  const parties = transfer === undefined ? undefined : partiesOf(transfer);
  if (transfer === undefined || parties === undefined) return { error: "its payload is gone" };
  // The ledger has the last word, whatever this store promised: a restored backup may promise what was refunded.
  if (isAmong(rejected, transfer)) return { error: "the ledger has refunded it" };
  const { uetr, targetAmount } = transfer;
  const amount = { minor: targetAmount, currency: currencyByNumeric(header.targetCurrency).code };
  return { ...parties, uetr, amount, batchId: id };
}

/** Nothing that this relay can do gets these credited: a person has to look. */
async function setAside(
  context: Crediting,
  { id, header }: CreditableBatch,
  failures: readonly FailedCredit[],
): Promise<void> {
  for (const { uetr, error } of failures) {
    context.log.error({ batch: id, source: header.source, uetr, why: error }, "credit stuck");
  }
  context.metrics.credits.inc({ outcome: "impossible" }, failures.length);
  await context.write({
    batch: id,
    postings: [],
    failures,
    stuck: new Map(failures.map(({ uetr, error }) => [uetr, error])),
  });
  context.wake("notifier");
}

/** The work on credits has failed by a fault: they are tried again later. */
async function failAll(
  context: Crediting,
  batch: CreditableBatch["id"],
  credits: readonly DueCredit[],
  fault: string,
): Promise<void> {
  const { clock, settings, wake } = context;
  const failures = credits.map(({ uetr, attempts }): FailedCredit => {
    return { uetr, error: fault, dueAt: clock.nowMs() + backoffMs(attempts + 1, settings.retry) };
  });
  const stuck = new Map(credits.map(({ uetr }) => [uetr, OWN_FAULT]));
  await context.write({ batch, postings: [], failures, stuck });
  wake("notifier");
}

async function post(context: Crediting, batch: CreditableBatch, asked: readonly Asked[]): Promise<void> {
  const { wallet, checkpoint, metrics, log, wake } = context;
  const { id, header } = batch;
  let results: readonly CreditResult[] = [];
  let silence = "the wallet's answer has no result for it that can be understood";
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
  const outcome = await record(context, sortOut(context, batch, asked, { results, silence }));
  checkpoint("crediter.recorded");
  metrics.credits.inc({ outcome: "posted" }, outcome.postings.length);
  metrics.credits.inc({ outcome: "refused" }, outcome.stuck.size);
  metrics.credits.inc({ outcome: "unanswered" }, outcome.failures.length - outcome.stuck.size);
  for (const [uetr, reason] of outcome.stuck) {
    log.error({ batch: id, source: header.source, uetr, reason }, "a credit that has settled is refused, or fails");
  }
  const dueAt = outcome.failures.map((failure) => failure.dueAt ?? Infinity);
  if (dueAt.length > 0) wake("crediter", Math.max(1, Math.min(...dueAt) - context.clock.nowMs()));
  wake("notifier");
}

interface Outcome {
  readonly batch: CreditableBatch["id"];
  readonly postings: readonly Posting[];
  readonly failures: readonly FailedCredit[];
  /** Those of the failures that a person has to hear of, and why. */
  readonly stuck: ReadonlyMap<Uetr, string>;
}

function sortOut(
  { clock, settings }: Pick<RelayContext, "clock" | "settings">,
  { id, openedAtMs }: CreditableBatch,
  asked: readonly Asked[],
  { results, silence }: { readonly results: readonly CreditResult[]; readonly silence: string },
): Outcome {
  const answers = new Map(results.map((result) => [result.uetr, result]));
  const postings: Posting[] = [];
  const failures: FailedCredit[] = [];
  const stuck = new Map<Uetr, string>();
  const nowMs = clock.nowMs();
  for (const { uetr, attempts, credit } of asked) {
    const answer = answers.get(uetr);
    if (answer?.status === "credited") {
      const creditedAt = believedInstant(answer.creditedAtMs, openedAtMs, nowMs);
      postings.push({ uetr, reference: answer.reference, creditedAt, request: credit.request });
      continue;
    }
    if (answer !== undefined) stuck.set(uetr, answer.reason);
    const dueAt = nowMs + backoffMs(attempts + 1, settings.retry);
    failures.push({ uetr, error: answer?.reason ?? silence, dueAt });
  }
  return { batch: id, postings, failures, stuck };
}

/**
 * Writes down what became of a call: all of it at once or, where that fails by something in it, each posting by itself.
 * @returns what could be written
 */
async function record(context: Crediting, outcome: Outcome): Promise<Outcome> {
  const { batch } = outcome;
  try {
    await context.write(outcome);
    return outcome;
  } catch (error) {
    if (!isOfItem(error)) throw error;
    noteFault(context, "crediter", batch, error);
  }
  const { clock, settings } = context;
  const postings: Posting[] = [];
  const failures = [...outcome.failures];
  const stuck = new Map(outcome.stuck);
  for (const posting of outcome.postings) {
    try {
      await context.write({ batch, postings: [posting], failures: [], stuck: new Map() });
      postings.push(posting);
    } catch (error) {
      if (!isOfItem(error)) throw error;
      noteFault(context, "crediter", posting.uetr, error);
      failures.push({
        uetr: posting.uetr,
        error: describeFault(error),
        dueAt: clock.nowMs() + settings.retry.maxDelayMs,
      });
      stuck.set(posting.uetr, OWN_FAULT);
    }
  }
  await context.write({ batch, postings: [], failures, stuck });
  return { batch, postings, failures, stuck };
}

/** All of them in one transaction, whose events are its last statement. */
async function writeAll({ db, clock }: RelayContext, outcomes: readonly Outcome[]): Promise<void> {
  await db.transaction(async (tx) => {
    const fresh = await recordPostings(
      tx,
      outcomes.flatMap(({ postings }) => postings),
    );
    await recordFailures(
      tx,
      outcomes.flatMap(({ failures }) => failures),
    );
    const told = await toldAsStuck(
      tx,
      outcomes.map(({ batch }) => batch),
      outcomes.flatMap(({ stuck }) => [...stuck.keys()]),
    );
    const events = outcomes.flatMap(({ batch, postings, stuck }): NewEvents[] => {
      const posted = postings.flatMap(({ uetr, reference, creditedAt, request }) => {
        const credited = fresh.get(uetr);
        if (credited === undefined) return [];
        const amount = moneyJson(credited.amount, credited.currency);
        return [{ uetr, own: { reference, creditedAt: formatInstant(creditedAt), amount }, request }];
      });
      const paid = posted.flatMap(({ uetr, own: { amount }, request }) => {
        return request === undefined ? [] : [{ uetr, own: { request, amount } }];
      });
      const newlyStuck = [...stuck].filter(([uetr]) => !told.has(uetr));
      const common = { batch, at: clock.nowMs(), data: {} };
      return [
        { ...common, type: "credit.posted", uetrs: posted.map(({ uetr }) => uetr), own: posted.map(({ own }) => own) },
        { ...common, type: "request.paid", uetrs: paid.map(({ uetr }) => uetr), own: paid.map(({ own }) => own) },
        {
          ...common,
          type: "credit.stuck",
          uetrs: newlyStuck.map(([uetr]) => uetr),
          own: newlyStuck.map(([, reason]) => ({ reason })),
        },
      ];
    });
    await appendEvents(tx, events);
  });
}
