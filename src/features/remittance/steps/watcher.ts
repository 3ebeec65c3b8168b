import { FINAL_STATUSES, type FinalStatus } from "../../../domain/lifecycle.ts";
import { endQuotes } from "../../pricing/store/provider-quotes.ts";
import {
  forgetBalances,
  readBalances,
  writeBalances,
  type MoneyPlace,
  type ProjectedBalance,
} from "../../liquidity/store.ts";
import type { CurrencyCode } from "../../../domain/currency.ts";
import type { PartnerId } from "../../../domain/partner.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import { registryAt } from "../../../ledger/contracts.ts";
import { readEvents, type LedgerEvent } from "../../../ledger/events.ts";
import { balancesAt, blockHead, fromOneEndpoint, latestHead, type BlockHead } from "../../../ledger/state.ts";
import { transfersOfBatches } from "../store/batch-transfers.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { appendEvents, countOf, type NewEvent, type NewEvents } from "../../../kernel/store/events.ts";
import {
  advanceCursor,
  countOpenBatches,
  finishBatches,
  insertOpenedBatches,
  readCursor,
  type FinalBatch,
  type LedgerCursor,
  type LedgerPlace,
  type OpenedBatch,
} from "../store/ledger-projection.ts";
import {
  advanceRegistry,
  knownRegistries,
  laterRegistries,
  unreadRegistries,
  type KnownRegistry,
} from "../store/registries.ts";
import { markProviderFunds, type ProviderMoney } from "../../pricing/store/providers.ts";
import type { RelayContext, Step } from "../../context.ts";
import { FINAL_STATUS, finalEvents, heldEvents, type BatchEvent } from "../own-events.ts";
import { showUnknownSignatures, unknownSignatureEvents } from "../unknown-signatures.ts";

/**
 * The ledger's history is not what this relay has read, and acted on: a block that was final has another hash. Nothing
 * that runs can fix it, so everything stops; see docs/relay-operator.md.
 */
export class ForkDetected extends Error {
  readonly code = "FORK_DETECTED";
  readonly fatal = true;

  constructor(block: number, read: Hex, found: Hex) {
    super(`block ${block} was ${read} when it was read, and is ${found} now: the ledger's history has changed`);
    this.name = "ForkDetected";
  }
}

/**
 * Reads the ledger from where it stopped, a range of blocks at a time, and writes what it found in one transaction: every
 * batch, the own balances, an event for each own transfer concerned, and how far it has read.
 * @throws ForkDetected
 */
export const watcherStep: Step = async (context) => {
  const { ledger, watched, clock } = context;
  const { latest, more } = await fromOneEndpoint(ledger, async () => {
    const askedAtMs = clock.nowMs();
    const head = await latestHead(ledger);
    watched.latest.block = { head, atMs: askedAtMs };
    return { latest: head, more: head.hash === watched.caughtUpAt ? undefined : await readOn(context, head) };
  });
  const isDone = more === undefined || (await takeIn(context, more));
  watched.caughtUpAt = isDone ? latest.hash : undefined;
  await showUnknownSignatures(context);
  return !isDone;
};

/** Blocks that were read from a cursor on, or what one registry says up to there. */
type ReadOn = { readonly cursor: LedgerCursor | undefined; readonly range: BlockRange } | RegistryRange;

async function readOn(context: RelayContext, latest: BlockHead): Promise<ReadOn | undefined> {
  const cursor = context.watched.written?.cursor ?? (await readCursor(context.db));
  const ofRegistry = cursor === undefined ? undefined : await readNewRegistry(context, cursor, latest);
  if (ofRegistry !== undefined) return ofRegistry;
  const range = await readRange(context, cursor, latest);
  return range === undefined ? undefined : { cursor, range };
}

/** @returns whether nothing is left to be read */
async function takeIn(context: RelayContext, readOn: ReadOn): Promise<boolean> {
  if ("registry" in readOn) {
    await takeInRegistry(context, readOn);
    return false;
  }
  const { cursor, range: read } = readOn;
  const { db, settings, checkpoint, metrics, watched } = context;
  checkpoint("watcher.read");

  const written = await writeRange(context, cursor, read);
  if (written === undefined) return false;
  checkpoint("watcher.written");
  metrics.ledgerBlock.set(read.to.number);
  metrics.ledgerLagBlocks.set(Math.max(0, read.latest.number - settings.ledger.confirmations - read.to.number));
  countEnded(context, written);
  if (written.events.some(({ type }) => type === "signature.unknown")) watched.countedAtMs = undefined;
  // Before anything else: somebody waits for what they do.
  wakeOthers(context, read, written);
  if (written.asSource + written.asTarget > 0) metrics.openBatches.set(await countOpenBatches(db, context.partner));
  return read.isCaughtUp;
}

/** A range of blocks, as it is to be written. */
interface BlockRange {
  readonly to: BlockHead;
  readonly latest: BlockHead;
  /** Whether there is no later block to be read. */
  readonly isCaughtUp: boolean;
  readonly opened: readonly OpenedBatch[];
  readonly finished: readonly FinalBatch[];
  /** Quotes that their providers have withdrawn. */
  readonly cancelledQuotes: readonly Hex[];
  /** Where the own money may have changed. */
  readonly touched: readonly MoneyPlace[];
  /** Money of whoever else may have sold some. */
  readonly moved: readonly ProviderMoney[];
  /** The own money at the last block; nothing while there is more to read. */
  readonly balances: readonly ProjectedBalance[];
}

async function readRange(
  context: RelayContext,
  cursor: LedgerCursor | undefined,
  latest: BlockHead,
): Promise<BlockRange | undefined> {
  const { ledger, partner, settings } = context;
  const { fromBlock, confirmations, maxBlockRange } = settings.ledger;
  await requireSameHistory(context, cursor, latest);
  const from = cursor === undefined ? fromBlock : cursor.block + 1;
  const last = latest.number - confirmations;
  // Money that is not known, as in a treasury that the configuration has just named, waits for no block.
  const isReRead = from > last && cursor?.block === last && (await unreadPlaces(context, [])).length > 0;
  if (from > last && !isReRead) return undefined;

  const toNumber = Math.min(last, from + maxBlockRange - 1);
  // Asked for before the logs: a node that has a block has the logs of it and of all before.
  const to = toNumber === latest.number ? latest : await blockHead(ledger, toNumber);
  if (to === undefined) throw new Error(`the ledger's node does not have block ${toNumber} any more`);
  const events = isReRead ? [] : await readEvents(ledger, from, toNumber);
  const isCaughtUp = toNumber === last;
  const moved = movedMoney(events);
  const touched = moved.filter(({ provider }) => provider === partner);
  const unread = isCaughtUp ? await unreadPlaces(context, touched) : [];
  const [balances, batches] = await Promise.all([
    ownMoneyAt(context, unread, toNumber),
    batchesOf(context, events, to),
  ]);
  const cancelledQuotes = events.flatMap((event) => (event.kind === "QuoteCancelled" ? [event.quoteId] : []));
  return { to, latest, isCaughtUp, ...batches, cancelledQuotes, touched, moved, balances };
}

async function requireSameHistory(
  { ledger, metrics, log }: Pick<RelayContext, "ledger" | "metrics" | "log">,
  cursor: LedgerCursor | undefined,
  latest: BlockHead,
): Promise<void> {
  if (cursor === undefined) return;
  // Most often the latest block is the next one, and says itself which one it is built on.
  if (cursor.block === latest.number - 1 && cursor.hash === latest.parent) return;
  const found = cursor.block === latest.number ? latest : await blockHead(ledger, cursor.block);
  if (found === undefined) {
    // A node that lags behind, or one that has lost its blocks: once it is there, the hash decides.
    log.warn({ block: cursor.block, latest: latest.number }, "the ledger's node is behind what was read before");
    return;
  }
  if (found.hash === cursor.hash) return;
  metrics.forkDetected.set(1);
  const fork = new ForkDetected(cursor.block, cursor.hash, found.hash);
  log.fatal({ error: fork, block: cursor.block }, "the ledger has forked");
  throw fork;
}

function batchEvents(events: readonly LedgerEvent[]): readonly BatchEvent[] {
  return events.filter((event): event is BatchEvent => "batchId" in event);
}

async function batchesOf(
  { ledger }: Pick<RelayContext, "ledger">,
  events: readonly LedgerEvent[],
  to: BlockHead,
): Promise<Pick<BlockRange, "opened" | "finished">> {
  const ofBatches = batchEvents(events);
  const numbers = [...new Set(ofBatches.map(({ cursor }) => cursor.block))];
  const times = new Map([[to.number, to.timeSeconds]]);
  for (const number of numbers.filter((each) => each !== to.number)) {
    const head = await blockHead(ledger, number);
    if (head === undefined) throw new Error(`the ledger's node does not have block ${number} any more`);
    times.set(number, head.timeSeconds);
  }
  const placeOf = ({ cursor, transactionHash }: LedgerEvent): LedgerPlace => ({
    ...cursor,
    timeSeconds: times.get(cursor.block) ?? 0,
    transaction: transactionHash,
  });
  return {
    opened: ofBatches.flatMap((event) =>
      event.kind === "Opened"
        ? [{ id: event.batchId, registry: event.contract, header: event.header, at: placeOf(event) }]
        : [],
    ),
    finished: ofBatches.flatMap((event) => {
      if (event.kind === "Opened") return [];
      const rejected = event.kind === "Expired" ? [] : event.rejected.map(({ leaf, code }) => ({ leaf, code }));
      return [{ id: event.batchId, status: FINAL_STATUS[event.kind], rejected, at: placeOf(event) }];
    }),
  };
}

/** Whose money a treasury has moved, and in which currency. */
function movedMoney(events: readonly LedgerEvent[]): readonly ProviderMoney[] {
  const moved = new Map<string, ProviderMoney>();
  const add = (treasury: Hex, provider: PartnerId, currency: CurrencyCode) => {
    moved.set(`${treasury} ${provider} ${currency}`, { treasury, provider, currency });
  };
  for (const event of events) {
    if (!("currency" in event)) continue;
    add(event.contract, event.partner, event.currency);
    if (event.kind === "Moved") add(event.contract, event.to, event.currency);
  }
  return [...moved.values()];
}

/** What has changed, and what was never read, or has been forgotten while the relay had to catch up. */
async function unreadPlaces(
  { ledger, ...context }: Pick<RelayContext, "db" | "ledger" | "watched">,
  touched: readonly MoneyPlace[],
): Promise<readonly MoneyPlace[]> {
  const known = await knownPlaces(context);
  const all = [...ledger.treasuries.keys()].flatMap((treasury) =>
    [...ledger.tokens.keys()].map((currency) => ({ treasury, currency })),
  );
  return all.filter((place) => hasPlace(touched, place) || !hasPlace(known, place));
}

function hasPlace(places: readonly MoneyPlace[], { treasury, currency }: MoneyPlace): boolean {
  return places.some((each) => each.treasury === treasury && each.currency === currency);
}

async function ownMoneyAt(
  { ledger, partner }: Pick<RelayContext, "ledger" | "partner">,
  places: readonly MoneyPlace[],
  block: number,
): Promise<readonly ProjectedBalance[]> {
  const money = [...ledger.treasuries].map(async ([address, treasury]) => {
    const currencies = places.filter((place) => place.treasury === address).map(({ currency }) => currency);
    const balances = await balancesAt({ treasury }, partner, currencies, block);
    return balances.map((balance) => ({ ...balance, treasury: address, block }));
  });
  return (await Promise.all(money)).flat();
}

async function knownPlaces({ db, watched }: Pick<RelayContext, "db" | "watched">): Promise<readonly MoneyPlace[]> {
  return watched.written?.places ?? (await readBalances(db));
}

/** @returns undefined when another process has read on meanwhile, and nothing was done */
async function writeRange(
  context: RelayContext,
  cursor: LedgerCursor | undefined,
  { to, opened, finished, cancelledQuotes, touched, moved, balances }: BlockRange,
): Promise<WrittenBatches | undefined> {
  const { db, ledger, watched } = context;
  const block = to.number;
  const next = { block, hash: to.hash, timeSeconds: to.timeSeconds };
  const unread = touched.filter((place) => !hasPlace(balances, place));
  const known = (await knownPlaces(context)).filter((place) => !hasPlace(unread, place) && !hasPlace(balances, place));
  // Whether what fails has been written is for the store to tell.
  watched.written = undefined;
  const batches = await db.transaction(async (tx) => {
    if (!(await advanceCursor(tx, cursor, next))) return undefined;
    // From the first block on all of them are read.
    const joining = cursor === undefined ? laterRegistries(ledger) : [];
    for (const address of joining) await advanceRegistry(tx, undefined, { address, nextBlock: undefined });
    await endQuotes(tx, cancelledQuotes, to.timeSeconds);
    await markProviderFunds(tx, moved, block);
    await forgetBalances(tx, unread);
    await writeBalances(tx, balances);
    return writeBatches(tx, context, { opened, finished });
  });
  if (batches !== undefined) {
    watched.written = { cursor: next, places: [...known, ...balances] };
  }
  return batches;
}

type BatchChanges = Pick<BlockRange, "opened" | "finished">;

/** What was written of batches. */
interface WrittenBatches {
  /** Those that were appended. */
  readonly events: readonly (NewEvent | NewEvents)[];
  /** How many of the batches are from this partner, and how many to it. */
  readonly asSource: number;
  readonly asTarget: number;
}

async function writeBatches(
  tx: Queryable,
  context: RelayContext,
  { opened, finished }: BatchChanges,
): Promise<WrittenBatches> {
  const { partner, clock } = context;
  const nowMs = clock.nowMs();
  await insertOpenedBatches(tx, opened, partner);
  const ended = await finishBatches(tx, finished);
  const all = [...opened.map(({ id, header: { source, target } }) => ({ id, source, target })), ...ended];
  // Most are other partners': nothing else in the store is about them.
  const asSource = new Set(all.filter(({ source }) => source === partner).map(({ id }) => id));
  const asTarget = new Set(all.filter(({ target }) => target === partner).map(({ id }) => id));
  const transfers = await transfersOfBatches(tx, [...asSource]);
  const unknown = await unknownSignatureEvents(
    tx,
    context,
    opened,
    finished.filter(({ id }) => asTarget.has(id)),
  );
  const told = [
    ...opened.map((batch) => ({ at: batch.at, list: [heldEvents(batch, transfers.get(batch.id) ?? [], nowMs)] })),
    ...finished.map((batch) => ({ at: batch.at, list: finalEvents(batch, transfers.get(batch.id) ?? [], nowMs) })),
  ]
    .sort((left, right) => left.at.block - right.at.block || left.at.logIndex - right.at.logIndex)
    .flatMap(({ list }) => list)
    .filter(({ uetrs }) => uetrs.length > 0);
  const events = [...told, ...unknown];
  await appendEvents(tx, events);
  return { events, asSource: asSource.size, asTarget: asTarget.size };
}

/** What a registry has said in blocks that had been read without it. */
interface RegistryRange extends BatchChanges {
  readonly registry: Hex;
  readonly before: KnownRegistry | undefined;
  readonly from: number;
  readonly to: number;
  /** Undefined where nothing is left to be read of it alone. */
  readonly nextBlock: number | undefined;
}

/**
 * Reads what a registry says that the configuration has named since the ledger was read without it, a range of blocks at
 * a time, up to where everything else has been read. Nothing is read on before: from there they are read together.
 * @returns undefined where there is none
 * @throws UnknownRegistry where the store has batches of one that the configuration does not name any more
 */
async function readNewRegistry(
  context: RelayContext,
  cursor: LedgerCursor,
  latest: BlockHead,
): Promise<RegistryRange | undefined> {
  const { db, ledger, settings, watched } = context;
  if (watched.hasAllRegistries) return undefined;
  const known = await knownRegistries(db);
  for (const { address } of known) registryAt(ledger, address);
  const [registry] = unreadRegistries(ledger, known);
  if (registry === undefined) {
    watched.hasAllRegistries = true;
    return undefined;
  }
  await requireSameHistory(context, cursor, latest);
  const before = known.find(({ address }) => address === registry);
  const from = before?.nextBlock ?? settings.ledger.fromBlock;
  const to = Math.min(cursor.block, from + settings.ledger.maxBlockRange - 1);
  const head = await blockHead(ledger, to);
  if (head === undefined) throw new Error(`the ledger's node does not have block ${to} any more`);
  const events = await readEvents(ledger, from, to, new Map([[registry, "transferRegistry"]]));
  const nextBlock = to < cursor.block ? to + 1 : undefined;
  return { registry, before, from, to, nextBlock, ...(await batchesOf(context, events, head)) };
}

async function takeInRegistry(context: RelayContext, range: RegistryRange): Promise<void> {
  const { db, checkpoint, log, wake, watched } = context;
  const { registry: address, before, from, to, nextBlock } = range;
  checkpoint("watcher.registryRead");
  const written = await db.transaction(async (tx) => {
    if (!(await advanceRegistry(tx, before, { address, nextBlock }))) return undefined;
    return writeBatches(tx, context, range);
  });
  checkpoint("watcher.registryWritten");
  if (written === undefined) return;
  countEnded(context, written);
  watched.countedAtMs = undefined;
  log.info({ registry: address, from, to }, "read what a registry that is new to this relay has said before");
  for (const step of ["responder", "crediter", "notifier"] as const) wake(step);
}

const ENDED = new Map<string, FinalStatus>(FINAL_STATUSES.map((status) => [`transfer.${status}`, status]));

function countEnded({ metrics }: Pick<RelayContext, "metrics">, { events }: Pick<WrittenBatches, "events">): void {
  for (const event of events) {
    const status = ENDED.get(event.type);
    if (status !== undefined) metrics.transfersEnded.inc({ status }, countOf(event));
  }
}

function wakeOthers(
  { wake, partner, watched }: Pick<RelayContext, "wake" | "partner" | "watched">,
  { opened, finished, touched, balances }: BlockRange,
  { events, asTarget }: WrittenBatches,
): void {
  if (opened.some(({ header }) => header.target === partner)) wake("responder");
  if (finished.length > 0 && asTarget > 0) {
    wake("crediter");
    wake("settler");
  }
  if (touched.length + balances.length > 0) {
    wake("batcher");
    wake("liquidity");
  }
  if (events.length > 0) wake("notifier");
  // Time has passed on the ledger: signed batches may have lost their chance, open ones may have expired.
  if (watched.awaitsOpening !== false) wake("opener");
}
