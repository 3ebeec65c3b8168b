import { batchId, buildBatch, exceedsRate } from "../../domain/batch.ts";
import type { Corridor } from "../../domain/corridor.ts";
import { currencyOf } from "../../domain/currency.ts";
import { NO_QUOTE } from "../../domain/quote.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import { ledgerSigner } from "../../ledger/keys/signing-key.ts";
import { NO_AUTHORIZATION, signBatch } from "../../ledger/signing.ts";
import { corridorAt, latestHead, ledgerTimeAt, type BlockHead } from "../../ledger/state.ts";
import {
  batchesOnTheirWay,
  insertBatch,
  unopenedMoney,
  unopenedOfCorridor,
  type SignedBatch,
} from "../../store/batches.ts";
import type { Database, Queryable } from "../../store/database.ts";
import { appendEvents } from "../../store/events.ts";
import { readBalances } from "../../store/ledger-projection.ts";
import {
  failWaiting,
  moveToQuote,
  quotesValidAfter,
  readSignedQuote,
  waitingGroups,
  waitingTransfers,
  type SignedQuote,
  type WaitingGroup,
  type WaitingTransfer,
} from "../../store/waiting-transfers.ts";
import { selectTransfers, type BatchRoom, type Selection } from "../batching.ts";
import type { RelayContext, Step } from "../context.ts";

/**
 * While so many batches for a partner are on their way to the ledger, the next one waits for more transfers: under load
 * batches grow, and what they cost is shared. One that has not got there after a while holds up nobody.
 */
const MOST_ON_THEIR_WAY = 2;
const ON_ITS_WAY_MS = 500;

/** Puts waiting transfers into batches, signs these and writes them down. Nobody else hears of them before that. */
export const batcherStep: Step = async (context) => {
  const { db, clock, settings, metrics, wake } = context;
  const groups = await waitingGroups(db);
  metrics.waitingTransfers.set(groups.reduce((sum, { count }) => sum + count, 0));
  const nowMs = clock.nowMs();
  const closesInMs = ({ count, oldestAcceptedAt }: WaitingGroup) =>
    count >= settings.batch.maxTransfers ? 0 : Math.max(0, oldestAcceptedAt + settings.batch.maxDelayMs - nowMs);
  for (const group of groups.filter((each) => closesInMs(each) > 0)) wake("batcher", closesInMs(group));
  const due = groups.filter((each) => closesInMs(each) === 0);
  if (due.length === 0) return false;
  const onTheirWay = await batchesOnTheirWay(db, nowMs - ON_ITS_WAY_MS);
  const mayGrow = ({ target, count, oldestAcceptedAt }: WaitingGroup) =>
    count < settings.batch.maxTransfers &&
    (onTheirWay.get(target) ?? 0) >= MOST_ON_THEIR_WAY &&
    oldestAcceptedAt + settings.batch.maxDelayMs + ON_ITS_WAY_MS > nowMs;
  const closed = due.filter((group) => !mayGrow(group));
  // The watcher wakes this step when one of those has got to the ledger; at the latest they count no longer.
  if (closed.length < due.length) wake("batcher", ON_ITS_WAY_MS);
  if (closed.length === 0) return false;

  const moment = await readMoment(context);
  let hasMore = false;
  for (const group of closed) hasMore = (await batchGroup(context, moment, group)) || hasMore;
  return hasMore;
};

/** What the ledger's rules will be judged by. */
interface Moment {
  readonly block: BlockHead;
  /** Seconds of block time: that of the latest block, or the clock's where none has been made for a while. */
  readonly nowSeconds: number;
  /** Seconds of ledger time; it can only be later when the batch gets there. */
  readonly ledgerTime: number;
}

async function readMoment({ ledger, clock }: RelayContext): Promise<Moment> {
  const block = await latestHead(ledger);
  const nowSeconds = Math.max(block.timeSeconds, Math.floor(clock.nowMs() / 1_000));
  return { block, nowSeconds, ledgerTime: await ledgerTimeAt(ledger, block.number) };
}

/** How many waiting transfers are looked at together. */
const PAGE = 1_000;

/** @returns whether there is more to be done for the group at once */
async function batchGroup(context: RelayContext, moment: Moment, group: WaitingGroup): Promise<boolean> {
  const { db, settings } = context;
  const quote = group.quote === undefined ? undefined : await readSignedQuote(db, group.quote);
  if (quote !== undefined) {
    const leastSeconds = Math.floor(settings.quote.leastValiditySeconds / 2);
    if (quote.validUntil <= moment.nowSeconds + leastSeconds) {
      if (await requote(context, moment, group, quote)) return true;
      if (quote.validUntil <= moment.nowSeconds) return failExpired(context, group, "AB04");
    }
  }
  const room = await roomFor(context, moment, group);
  if (room === undefined) return failExpired(context, group, "AB03");

  const pageSize = Math.max(PAGE, settings.batch.maxTransfers);
  let taken: readonly WaitingTransfer[] = [];
  let hasMore = false;
  for (let after = 0n; taken.length === 0;) {
    const page = await waitingTransfers(db, group, after, pageSize);
    const selection = selectTransfers(page, room);
    await failAll(context, selection.failed);
    taken = selection.taken;
    hasMore = selection.hasMore || page.length === pageSize;
    const last = page.at(-1);
    if (last === undefined) return false;
    after = last.seq;
  }
  await signBatchOf(context, moment, { group, quote, taken, feeBps: room.feeBps });
  return hasMore;
}

/** Undefined where the corridor is closed, or it is not known how much money there is. */
async function roomFor(
  { db, ledger, partner, settings, clock }: RelayContext,
  { block }: Moment,
  { target, sourceCurrency, targetCurrency }: WaitingGroup,
): Promise<BatchRoom | undefined> {
  const corridor: Corridor = { source: partner, sourceCurrency, target, targetCurrency };
  const [source, destination] = [currencyOf(sourceCurrency).numeric, currencyOf(targetCurrency).numeric];
  const state = await corridorAt(ledger, corridor, block);
  // In this order: what is opened in between counts twice rather than not at all.
  const unopened = await unopenedMoney(db);
  const ofCorridor = await unopenedOfCorridor(db, { target, sourceCurrency: source, targetCurrency: destination });
  const balance = (await readBalances(db)).find(({ currency }) => currency === sourceCurrency);
  if (!state.open || balance === undefined) return undefined;
  return {
    maxTransfers: settings.batch.maxTransfers,
    maxPerBatch: state.maxPerBatch,
    leftToday: state.maxPerDay - state.openedToday - ofCorridor,
    money: balance.available - (unopened.get(source) ?? 0n),
    feeBps: state.feeBps,
    nowMs: clock.nowMs(),
  };
}

interface BatchPlan {
  readonly group: WaitingGroup;
  readonly quote: SignedQuote | undefined;
  readonly taken: readonly WaitingTransfer[];
  readonly feeBps: bigint;
}

async function signBatchOf(context: RelayContext, { ledgerTime }: Moment, plan: BatchPlan): Promise<void> {
  const { db, ledger, partner, keys, settings, clock, checkpoint, log, metrics, tracer, wake } = context;
  const { group, quote, taken, feeBps } = plan;
  const corridor: Corridor = { source: partner, ...group };
  const holdSeconds = Math.min(settings.batch.holdSeconds, quote?.quote.maxHold ?? Infinity);
  const { header } = buildBatch(taken, corridor, quote?.quote ?? NO_QUOTE, feeBps, ledgerTime + holdSeconds);
  const id = batchId(header, ledger.chain);
  const send = await tracer.span("batch.sign", { batch: id }, () =>
    signBatch(ledgerSigner(keys.send), ledger.chain, header),
  );
  checkpoint("batcher.signed");

  const batch: SignedBatch = { id, header, send, quote: quote?.authorization ?? NO_AUTHORIZATION };
  const seqs = taken.map(({ seq }) => seq);
  const isStored = await attempt(db, (tx) => insertBatch(tx, batch, seqs, clock.nowMs()));
  // One of the transfers has been cancelled meanwhile: nobody has heard of this batch, and the next one is without it.
  if (!isStored) {
    wake("batcher");
    return;
  }
  checkpoint("batcher.stored");
  metrics.batchesSigned.inc({ target: String(group.target) });
  log.info({ batch: id, target: group.target, transfers: taken.length, expiresAt: header.expiresAt }, "signed a batch");
  wake("opener");
  wake("courier");
}

/** Puts transfers whose quote ends to others that give at least what was promised. Returns whether any could be. */
async function requote(
  { db, settings, log, wake }: RelayContext,
  { nowSeconds }: Moment,
  group: WaitingGroup,
  { id: from }: SignedQuote,
): Promise<boolean> {
  const offers = await quotesValidAfter(db, group, nowSeconds + settings.quote.leastValiditySeconds);
  const waiting = await waitingTransfers(db, group, 0n, PAGE);
  let hasMoved = false;
  let left = waiting;
  for (const { id: to, quote, remaining } of offers.filter(({ id }) => id !== from)) {
    const moved: WaitingTransfer[] = [];
    let reserved = 0n;
    for (const transfer of left) {
      if (reserved + transfer.targetAmount > remaining) continue;
      const { sourceCurrency, targetCurrency } = quote;
      const exchange = { sourceCurrency, targetCurrency, quote };
      if (exceedsRate(exchange, transfer.sourceAmount, transfer.targetAmount)) continue;
      reserved += transfer.targetAmount;
      moved.push(transfer);
    }
    const seqs = moved.map(({ seq }) => seq);
    if (seqs.length === 0 || !(await attempt(db, (tx) => moveToQuote(tx, seqs, from, to)))) continue;
    log.info({ from, to, transfers: seqs.length }, "moved waiting transfers to another quote");
    hasMoved = true;
    left = left.filter(({ seq }) => !seqs.includes(seq));
  }
  if (left.length > 0) wake("pricing");
  return hasMoved;
}

/** Fails those transfers of a group whose time is over. Returns false: for the others there is nothing to do now. */
async function failExpired(context: RelayContext, group: WaitingGroup, reason: ReasonCode): Promise<false> {
  const nowMs = context.clock.nowMs();
  for (let after = 0n; ;) {
    const page = await waitingTransfers(context.db, group, after, PAGE);
    const overdue = page.filter(({ expiresAt }) => expiresAt <= nowMs);
    await failAll(
      context,
      overdue.map((transfer) => ({ transfer, reason })),
    );
    const last = page.at(-1);
    if (last === undefined) return false;
    after = last.seq;
  }
}

async function failAll({ db, clock, log, metrics, wake }: RelayContext, failures: Selection["failed"]): Promise<void> {
  const at = clock.nowMs();
  for (const [reason, list] of Map.groupBy(failures, (failure) => failure.reason)) {
    const uetrs = list.map(({ transfer }) => transfer.uetr);
    const failed = await db.transaction(async (tx) => {
      const ended = await failWaiting(tx, uetrs, reason, at);
      await appendEvents(
        tx,
        ended.map((uetr) => ({ type: "transfer.failed", uetr, at, data: { reason } })),
      );
      return ended;
    });
    metrics.transfersEnded.inc({ status: "failed" }, failed.length);
    log.info({ transfers: failed.length, reason }, "transfers waited in vain");
    wake("notifier");
  }
}

/** Rolls a transaction back that has been overtaken. */
class Overtaken extends Error {}

/** All or nothing; nothing, too, when the work says that it has been overtaken, by returning false. */
async function attempt(db: Database, work: (tx: Queryable) => Promise<boolean>): Promise<boolean> {
  try {
    await db.transaction(async (tx) => {
      if (!(await work(tx))) throw new Overtaken();
    });
    return true;
  } catch (failure) {
    if (failure instanceof Overtaken) return false;
    throw failure;
  }
}
