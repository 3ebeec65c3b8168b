import type { BatchHeader } from "../../domain/batch.ts";
import type { Hex } from "../../domain/bytes/hex.ts";
import { currencyByNumeric, type CurrencyCode } from "../../domain/currency.ts";
import type { PartnerId } from "../../domain/partner.ts";
import type { Ledger } from "../../ledger/contracts.ts";
import { readEvents, type LedgerEvent } from "../../ledger/events.ts";
import type { FinalStatus, PublishedRejection } from "../../domain/lifecycle.ts";
import { FINAL_STATUS, type BatchEnd } from "../remittance/own-events.ts";

/** A partner's money in one currency, in minor units. */
export interface ReplayedBalance {
  readonly available: bigint;
  /** By all modules together. */
  readonly held: bigint;
  /** By module: what it holds by the treasury's events. */
  readonly heldBy: ReadonlyMap<Hex, bigint>;
}

/** What the ledger's events come to for one partner. */
export interface Replayed {
  /** Its money as the treasury's events alone make it; nothing for a currency that nothing happened in. */
  readonly balances: ReadonlyMap<CurrencyCode, ReplayedBalance>;
  /** What the batches that are open hold of it, in minor units. */
  readonly heldByBatches: ReadonlyMap<CurrencyCode, bigint>;
}

/** Where an event stands on the ledger. */
export type ReplayedPlace = LedgerEvent["cursor"];

export interface ReplayedOpening {
  readonly id: Hex;
  readonly header: BatchHeader;
  readonly at: ReplayedPlace;
}

export interface ReplayedEnd extends ReplayedOpening {
  readonly status: FinalStatus;
  readonly rejected: readonly PublishedRejection[];
  /** What it paid to its target partner, in target minor units. */
  readonly paid: bigint;
}

/** What became of batches in a range of blocks, in the ledger's order. */
export interface ReplayedRange {
  readonly opened: readonly ReplayedOpening[];
  readonly ended: readonly ReplayedEnd[];
}

export interface ReplayOptions {
  readonly from: number;
  readonly to: number;
  /** The most blocks in one request. */
  readonly maxBlockRange: number;
}

/**
 * Goes through all events of a ledger, a range of blocks at a time, and adds up for one partner what the treasury says
 * that it moved. It remembers the batches that are open, and no others.
 * @param look is shown each range before the next one is read
 * @throws Error when they contradict each other, as when a batch ends that was never opened
 */
export async function replay(
  ledger: Ledger,
  partner: PartnerId,
  { from, to, maxBlockRange }: ReplayOptions,
  look: (range: ReplayedRange) => Promise<void>,
): Promise<Replayed> {
  const books = openBooks(partner);
  for (let block = from; block <= to; block += maxBlockRange) {
    for (const event of await readEvents(ledger, block, Math.min(to, block + maxBlockRange - 1))) books.post(event);
    await look(books.takeRange());
  }
  return books.close();
}

interface Books {
  post(event: LedgerEvent): void;
  /** What was posted since the last time. */
  takeRange(): ReplayedRange;
  close(): Replayed;
}

const NO_MONEY: ReplayedBalance = { available: 0n, held: 0n, heldBy: new Map() };

function openBooks(partner: PartnerId): Books {
  const balances = new Map<CurrencyCode, ReplayedBalance>();
  let opened: ReplayedOpening[] = [];
  let ended: ReplayedEnd[] = [];
  /** Of open batches only: there may be many that have ended. */
  const headers = new Map<Hex, BatchHeader>();

  const credit = (owner: PartnerId, currency: CurrencyCode, amount: bigint): void => {
    if (owner !== partner) return;
    const before = balances.get(currency) ?? NO_MONEY;
    balances.set(currency, { ...before, available: before.available + amount });
  };

  const hold = (owner: PartnerId, currency: CurrencyCode, module: Hex, amount: bigint): void => {
    if (owner !== partner) return;
    const before = balances.get(currency) ?? NO_MONEY;
    const heldBy = new Map(before.heldBy).set(module, (before.heldBy.get(module) ?? 0n) + amount);
    balances.set(currency, { ...before, held: before.held + amount, heldBy });
  };

  const end = (event: BatchEnd, paid: bigint): void => {
    const { kind, batchId: id, cursor: at } = event;
    const header = headers.get(id);
    if (header === undefined) throw new Error(`batch ${id} ends on the ledger without being open`);
    headers.delete(id);
    const rejected = kind === "Expired" ? [] : event.rejected.map(({ leaf, code }) => ({ leaf, code }));
    ended.push({ id, header, at, status: FINAL_STATUS[kind], rejected, paid });
  };

  const post = (event: LedgerEvent): void => {
    switch (event.kind) {
      case "Deposited":
        credit(event.partner, event.currency, event.amount);
        break;
      case "Withdrawn":
        credit(event.partner, event.currency, -event.amount);
        break;
      case "Held":
        credit(event.partner, event.currency, -event.amount);
        hold(event.partner, event.currency, event.module, event.amount);
        break;
      case "Released":
        hold(event.partner, event.currency, event.module, -event.amount);
        credit(event.partner, event.currency, event.amount);
        break;
      case "Moved":
        hold(event.partner, event.currency, event.module, -event.amount);
        credit(event.to, event.currency, event.amount);
        break;
      case "Opened": {
        const { batchId, header, cursor } = event;
        headers.set(batchId, header);
        opened.push({ id: batchId, header, at: cursor });
        break;
      }
      case "Settled":
        end(event, event.settledTarget);
        break;
      case "Rejected":
      case "Expired":
        end(event, 0n);
        break;
      default:
      // Moves no money.
    }
  };
  const takeRange = (): ReplayedRange => {
    const range = { opened, ended };
    [opened, ended] = [[], []];
    return range;
  };
  return { post, takeRange, close: () => ({ balances, heldByBatches: heldOf(partner, headers.values()) }) };
}

/** What open batches hold of a partner's money. */
function heldOf(partner: PartnerId, headers: Iterable<BatchHeader>): ReadonlyMap<CurrencyCode, bigint> {
  const held = new Map<CurrencyCode, bigint>();
  const add = (numeric: number, amount: bigint): void => {
    const { code } = currencyByNumeric(numeric);
    held.set(code, (held.get(code) ?? 0n) + amount);
  };
  for (const { source, sourceCurrency, sourceTotal, fee, quote, targetCurrency, targetTotal } of headers) {
    if (source === partner) add(sourceCurrency, sourceTotal + fee);
    if (quote.provider === partner) add(targetCurrency, targetTotal);
  }
  return held;
}
