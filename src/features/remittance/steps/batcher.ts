import { readSignedQuote, type SignedQuote } from "../../pricing/store/provider-quotes.ts";
import { batchId, buildBatch, exceedsRate } from "../../../domain/batch.ts";
import type { Corridor } from "../../../domain/corridor.ts";
import { currencyOf } from "../../../domain/currency.ts";
import { NO_QUOTE } from "../../../domain/quote.ts";
import type { ReasonCode } from "../../../domain/reason.ts";
import { NO_AUTHORIZATION } from "../../../ledger/signing.ts";
import { balancesAt, corridorAt, ledgerTimeAt, type BlockHead } from "../../../ledger/state.ts";
import {
  batchesOnTheirWay,
  insertBatch,
  unopenedMoney,
  unopenedOfCorridor,
  unopenedOfProvider,
} from "../store/batches.ts";
import type { Database, Queryable } from "../../../kernel/store/database.ts";
import { appendEvents } from "../../../kernel/store/events.ts";
import { readBalances } from "../../liquidity/store.ts";
import { freeProviderMoney } from "../../pricing/store/providers.ts";
import {
  countWaiting,
  failWaiting,
  moveToQuote,
  waitingGroups,
  waitingTransfers,
  type WaitingGroup,
  type WaitingTransfer,
} from "../store/waiting-transfers.ts";
import { isProposed } from "../one-step.ts";
import { signAsSource, tellSigned } from "../signing-batches.ts";
import { blockTimeNow, recentHead } from "../watched.ts";
import { selectTransfers, type BatchRoom, type Selection } from "../batching.ts";
import type { RelayContext, Step } from "../../context.ts";
import { leftMs } from "../../../kernel/clock/clock.ts";
import { isOfItem, workEach } from "../../../kernel/steps/faults.ts";
import { readBook } from "../../pricing/book.ts";
import { blameProvider, cannotDeliver, LACKS_MONEY } from "../../pricing/failures.ts";

/**
 * While no batch for a partner is on its way to the ledger, the next one waits for nothing. While so many are, it waits
 * for more transfers: under load batches grow, and what they cost is shared. One that has not got there after a while holds
 * up nobody.
 */
const MOST_ON_THEIR_WAY = 2;
const ON_ITS_WAY_MS = 500;

/**
 * Puts waiting transfers into batches and writes these down, before anybody else hears of them: signed, or to be proposed
 * to their targets first.
 */
export const batcherStep: Step = async (context) => {
  const { db, settings, metrics } = context;
  const groups = await waitingGroups(db, settings.batch.maxTransfers);
  const hasMore = groups.length > 0 && (await closeBatches(context, groups));
  // Every transfer that waits is in a group.
  metrics.waitingTransfers.set(groups.length === 0 ? 0 : await countWaiting(db));
  return hasMore;
};

/** @returns whether there is more to be done at once */
async function closeBatches(context: RelayContext, groups: readonly WaitingGroup[]): Promise<boolean> {
  const { db, clock, settings, wake } = context;
  const nowMs = clock.nowMs();
  const onTheirWay = await batchesOnTheirWay(db, nowMs - ON_ITS_WAY_MS, nowMs);
  const closesInMs = ({ target, count, oldestAcceptedAt }: WaitingGroup) =>
    count >= settings.batch.maxTransfers || !onTheirWay.has(target)
      ? 0
      : leftMs(clock, oldestAcceptedAt, settings.batch.maxDelayMs);
  for (const group of groups.filter((each) => closesInMs(each) > 0)) wake("batcher", closesInMs(group));
  const due = groups.filter((each) => closesInMs(each) === 0);
  if (due.length === 0) return false;
  const mayGrow = ({ target, count, oldestAcceptedAt }: WaitingGroup) =>
    count < settings.batch.maxTransfers &&
    (onTheirWay.get(target) ?? 0) >= MOST_ON_THEIR_WAY &&
    leftMs(clock, oldestAcceptedAt, settings.batch.maxDelayMs + ON_ITS_WAY_MS) > 0;
  const closed = due.filter((group) => !mayGrow(group));
  // The watcher wakes this step when one of those has got to the ledger; at the latest they count no longer.
  if (closed.length < due.length) wake("batcher", ON_ITS_WAY_MS);
  if (closed.length === 0) return false;

  const moment = await readMoment(context);
  let hasMore = false;
  await workEach(context, {
    step: "batcher",
    items: closed,
    keyOf: keyOfGroup,
    async work(group) {
      try {
        hasMore = (await batchGroup(context, moment, group)) || hasMore;
      } catch (failure) {
        // Whatever keeps the others from their batch, nobody waits for longer than was said.
        if (isOfItem(failure)) await failExpired(context, group, "AB03");
        throw failure;
      }
    },
  });
  return hasMore;
}

function keyOfGroup({ target, sourceCurrency, targetCurrency, quote }: WaitingGroup): string {
  return `${target} ${sourceCurrency}>${targetCurrency} ${quote ?? ""}`;
}

/** What the ledger's rules will be judged by. */
interface Moment {
  readonly block: BlockHead;
  /** Seconds of block time: that of the latest block, or the clock's where none has been made for a while. */
  readonly nowSeconds: number;
}

async function readMoment(context: RelayContext): Promise<Moment> {
  const block = await recentHead(context);
  return { block, nowSeconds: blockTimeNow(block, context.clock) };
}

/** A provider's money may be in batches that are about to settle: it is given so long to have it again. */
const PATIENCE_MS = 10_000;

/** How many waiting transfers are looked at together. */
const PAGE = 1_000;

/** @returns whether there is more to be done for the group at once */
async function batchGroup(context: RelayContext, moment: Moment, group: WaitingGroup): Promise<boolean> {
  const { db, settings } = context;
  const quote = group.quote === undefined ? undefined : await readSignedQuote(db, group.quote);
  if (group.quote !== undefined && quote === undefined) throw new Error(`the quote ${group.quote} is gone`);
  const leastSeconds = Math.floor(settings.quote.leastValiditySeconds / 2);
  // Whoever tells the target of the batch finds it there; what is wrong with that is told then.
  void context.peers.find(group.target).catch(() => undefined);
  const isEnding = quote !== undefined && quote.validUntil <= moment.nowSeconds + leastSeconds;
  const [isUndeliverable, room, ledgerTime] = await Promise.all([
    quote !== undefined && !isEnding && cannotDeliver(context, corridorOf(context, group), quote, moment.block),
    roomFor(context, group, quote),
    ledgerTimeAt(context.ledger, moment.block.number),
  ]);
  if (quote !== undefined && (isEnding || isUndeliverable)) {
    if (await requote(context, group, quote)) return true;
    if (isUndeliverable || quote.validUntil <= moment.nowSeconds) return failExpired(context, group, "AB04");
  }
  if (room === undefined) return failExpired(context, group, "AB03");

  const { taken, unsold, hasMore } = await select(context, group, room);
  if (taken.length > 0) await makeBatch(context, { group, quote, taken, feeBps: room.feeBps, ledgerTime });
  if (unsold.length === 0 || quote === undefined) return hasMore;
  // What there is no money for now goes to another provider.
  const isStuck = taken.length === 0 && context.clock.nowMs() - group.oldestAcceptedAt >= PATIENCE_MS;
  if (isStuck) await blameProvider(context, quote.quote.provider, group, LACKS_MONEY);
  return (await requote(context, group, quote, unsold)) || hasMore;
}

/** Goes through the waiting transfers of a group, page by page, until some of them can go into a batch. */
async function select(
  context: RelayContext,
  group: WaitingGroup,
  room: BatchRoom,
): Promise<Pick<Selection, "taken" | "unsold" | "hasMore">> {
  const pageSize = Math.max(PAGE, context.settings.batch.maxTransfers);
  let unsold: readonly WaitingTransfer[] = [];
  for (let after = 0n; ;) {
    const page = await waitingTransfers(context.db, group, after, pageSize);
    const selection = selectTransfers(page, room);
    await failAll(context, selection.failed);
    // A page of them is enough at a time.
    if (unsold.length < PAGE) unsold = [...unsold, ...selection.unsold];
    const last = page.at(-1);
    if (last === undefined) return { taken: [], unsold, hasMore: false };
    if (selection.taken.length > 0) {
      return { taken: selection.taken, unsold, hasMore: selection.hasMore || page.length === pageSize };
    }
    after = last.seq;
  }
}

/** Undefined where the corridor is closed, or it is not known how much money there is. */
async function roomFor(
  context: RelayContext,
  group: WaitingGroup,
  quote: SignedQuote | undefined,
): Promise<BatchRoom | undefined> {
  const { db, ledger, settings } = context;
  const { target, sourceCurrency, targetCurrency } = group;
  const corridor = corridorOf(context, group);
  const [source, destination] = [currencyOf(sourceCurrency).numeric, currencyOf(targetCurrency).numeric];
  const provider = quote === undefined || quote.quote.provider === 0 ? undefined : quote.quote.provider;
  const [unopened, ofCorridor, sellerUnopened] = await Promise.all([
    unopenedMoney(db, ledger),
    unopenedOfCorridor(db, { target, sourceCurrency: source, targetCurrency: destination }),
    provider === undefined ? 0n : unopenedOfProvider(db, ledger, provider, destination),
  ]);
  // Only then, and by a block of only then: what is opened in between counts twice rather than not at all.
  const block = await recentHead(context);
  const [balances, state, [seller]] = await Promise.all([
    readBalances(db),
    corridorAt(ledger, corridor, block),
    provider === undefined ? [] : balancesAt(ledger, provider, [targetCurrency], block.number),
  ]);
  const { treasury } = ledger.addresses;
  const balance = balances.find((each) => each.treasury === treasury && each.currency === sourceCurrency);
  if (!state.open || balance === undefined) return undefined;
  return {
    maxTransfers: settings.batch.maxTransfers,
    maxPerBatch: state.maxPerBatch,
    leftToday: state.maxPerDay - state.openedToday - ofCorridor,
    money: balance.available - (unopened.get(source) ?? 0n),
    sellerMoney: seller === undefined ? undefined : seller.available - sellerUnopened,
    feeBps: state.feeBps,
    nowMs: waitingTimeOf(context),
  };
}

/** What the time of waiting transfers is judged by: a clock that is wrong fails nobody. */
function waitingTimeOf({ clock, clockSkew }: Pick<RelayContext, "clock" | "clockSkew">): number {
  return clockSkew.now().isBeyond ? -Infinity : clock.nowMs();
}

function corridorOf({ partner }: Pick<RelayContext, "partner">, group: WaitingGroup): Corridor {
  return { source: partner, ...group };
}

interface BatchPlan {
  readonly group: WaitingGroup;
  readonly quote: SignedQuote | undefined;
  readonly taken: readonly WaitingTransfer[];
  readonly feeBps: bigint;
  /** Seconds of ledger time; it can only be later when the batch gets there. */
  readonly ledgerTime: number;
}

async function makeBatch(context: RelayContext, plan: BatchPlan): Promise<void> {
  const { db, ledger, settings, clock, checkpoint, wake } = context;
  const { group, quote, taken, feeBps, ledgerTime } = plan;
  const corridor = corridorOf(context, group);
  const expiresAt = ledgerTime + settings.batch.holdSeconds;
  const { header } = buildBatch(taken, corridor, quote?.quote ?? NO_QUOTE, feeBps, expiresAt);
  const id = batchId(header, ledger.chain);
  const registry = ledger.chain.transferRegistry;
  // Where its target is asked about it first, it is signed after that.
  const send = (await isProposed(context, header)) ? undefined : await signAsSource(context, { id, registry, header });
  const batch = { id, registry, header, send, quote: quote?.authorization ?? NO_AUTHORIZATION };
  const seqs = taken.map(({ seq }) => seq);
  const isStored = await attempt(db, (tx) => insertBatch(tx, batch, seqs, clock.nowMs()));
  // One of the transfers has been cancelled meanwhile: nobody has heard of this batch, and the next one is without it.
  if (!isStored) {
    wake("batcher");
    return;
  }
  checkpoint("batcher.stored");
  if (send === undefined) wake("proposer");
  else tellSigned(context, batch);
}

/**
 * Puts transfers whose quote ends, or cannot be delivered, to others that can and give at least what was promised.
 * @param unsold those that the quote's provider lacks the money for: they go to other providers only
 * @returns whether any could be
 */
async function requote(
  context: RelayContext,
  group: WaitingGroup,
  { id: from, quote: { provider: seller } }: SignedQuote,
  unsold?: readonly WaitingTransfer[],
): Promise<boolean> {
  const { db, ledger, log, wake } = context;
  const offers = (await readBook(context, group)).filter(
    ({ id, quote, isViable }) => isViable && id !== from && (unsold === undefined || quote.provider !== seller),
  );
  const funds = await freeProviderMoney(db, ledger.addresses.treasury);
  const money = new Map(
    funds.filter(({ currency }) => currency === group.targetCurrency).map(({ provider, free }) => [provider, free]),
  );
  let hasMoved = false;
  let left = unsold ?? (await waitingTransfers(db, group, 0n, PAGE));
  for (const { id: to, quote, remaining } of offers) {
    const { provider } = quote;
    // What these transfers have reserved of their provider's money they take along to its next quote.
    const free = provider === 0 || provider === seller ? undefined : money.get(provider);
    const most = free === undefined || free > remaining ? remaining : free;
    const moved: WaitingTransfer[] = [];
    let reserved = 0n;
    for (const transfer of left) {
      if (reserved + transfer.targetAmount > most) continue;
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
    if (provider !== 0 && free !== undefined) money.set(provider, free - reserved);
    left = left.filter(({ seq }) => !seqs.includes(seq));
  }
  if (left.length > 0) wake("pricing");
  return hasMoved;
}

/** Fails those transfers of a group whose time is over. Returns false: for the others there is nothing to do now. */
async function failExpired(context: RelayContext, group: WaitingGroup, reason: ReasonCode): Promise<false> {
  const nowMs = waitingTimeOf(context);
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

async function failAll(
  { db, clock, log, metrics, wake }: Pick<RelayContext, "db" | "clock" | "log" | "metrics" | "wake">,
  failures: Selection["failed"],
): Promise<void> {
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
    log.info({ transfers: failed.length, reason }, "transfers that were waiting have failed");
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
