import type { BatchHeader } from "../../domain/batch.ts";
import type { Hex } from "../../domain/bytes/hex.ts";
import { currencyByNumeric, type CurrencyCode } from "../../domain/currency.ts";
import type { PartnerId } from "../../domain/partner.ts";
import type { Ledger } from "../../ledger/contracts.ts";
import { HUB } from "../../ledger/deployment/config.ts";
import { readEvents, type LedgerEvent } from "../../ledger/events.ts";
import type { FinalStatus, PublishedRejection } from "../remittance/store/ledger-projection.ts";
import { FINAL_STATUS, type BatchEnd } from "../remittance/own-events.ts";

/** A partner's money in one currency, in minor units. */
export interface ReplayedBalance {
  readonly available: bigint;
  readonly held: bigint;
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
  /** Most blocks asked for at once. */
  readonly maxBlockRange: number;
}

/**
 * Goes through all events of a ledger, a range of blocks at a time, and does for one partner what the contracts did. It
 * remembers the batches that are open, and no others.
 * @param look is shown each range before the next one is read
 * @returns the partner's money, as the events alone make it; nothing for a currency that nothing happened in
 * @throws Error when they contradict each other, as when a batch ends that was never opened
 */
export async function replay(
  ledger: Ledger,
  partner: PartnerId,
  { from, to, maxBlockRange }: ReplayOptions,
  look: (range: ReplayedRange) => Promise<void>,
): Promise<ReadonlyMap<CurrencyCode, ReplayedBalance>> {
  const books = openBooks(partner);
  for (let block = from; block <= to; block += maxBlockRange) {
    for (const event of await readEvents(ledger, block, Math.min(to, block + maxBlockRange - 1))) books.post(event);
    await look(books.takeRange());
  }
  return books.balances;
}

interface Books {
  readonly balances: ReadonlyMap<CurrencyCode, ReplayedBalance>;
  post(event: LedgerEvent): void;
  /** What was posted since the last time. */
  takeRange(): ReplayedRange;
}

function openBooks(partner: PartnerId): Books {
  const balances = new Map<CurrencyCode, ReplayedBalance>();
  let opened: ReplayedOpening[] = [];
  let ended: ReplayedEnd[] = [];
  /** Of open batches only: there may be many that have ended. */
  const headers = new Map<Hex, BatchHeader>();

  const add = (owner: PartnerId | 0, currency: CurrencyCode, available: bigint, held: bigint): void => {
    if (owner !== partner) return;
    const before = balances.get(currency) ?? { available: 0n, held: 0n };
    balances.set(currency, { available: before.available + available, held: before.held + held });
  };

  const end = (event: BatchEnd, paid: bigint): BatchHeader => {
    const { kind, batchId: id, cursor: at } = event;
    const header = headers.get(id);
    if (header === undefined) throw new Error(`batch ${id} ends on the ledger without being open`);
    headers.delete(id);
    const rejected = kind === "Expired" ? [] : event.rejected.map(({ leaf, code }) => ({ leaf, code }));
    ended.push({ id, header, at, status: FINAL_STATUS[kind], rejected, paid });
    return header;
  };

  /** Takes both sides' money out of what is held, and gives back what does not go to the other. */
  const release = (header: BatchHeader, sourcePaid: bigint, targetPaid: bigint): void => {
    const { source, target, quote, sourceTotal, targetTotal, fee } = header;
    const [sourceCurrency, targetCurrency] = currenciesOf(header);
    add(source, sourceCurrency, sourceTotal + fee - sourcePaid, -(sourceTotal + fee));
    if (quote.provider !== 0) add(quote.provider, targetCurrency, targetTotal - targetPaid, -targetTotal);
    add(target, targetCurrency, targetPaid, 0n);
  };

  const post = (event: LedgerEvent): void => {
    switch (event.kind) {
      case "Deposited":
        add(event.partner, event.currency, event.amount, 0n);
        break;
      case "Withdrawn":
        add(event.partner, event.currency, -event.amount, 0n);
        break;
      case "Opened": {
        const { batchId, header, cursor } = event;
        const [sourceCurrency, targetCurrency] = currenciesOf(header);
        const taken = header.sourceTotal + header.fee;
        add(header.source, sourceCurrency, -taken, taken);
        if (header.quote.provider !== 0) {
          add(header.quote.provider, targetCurrency, -header.targetTotal, header.targetTotal);
        }
        headers.set(batchId, header);
        opened.push({ id: batchId, header, at: cursor });
        break;
      }
      case "Settled": {
        const { settledSource, settledTarget, fee } = event;
        const header = end(event, settledTarget);
        const [sourceCurrency] = currenciesOf(header);
        release(header, settledSource + fee, settledTarget);
        add(header.quote.provider, sourceCurrency, settledSource, 0n);
        add(HUB, sourceCurrency, fee, 0n);
        break;
      }
      case "Rejected":
      case "Expired":
        release(end(event, 0n), 0n, 0n);
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
  return { balances, post, takeRange };
}

function currenciesOf({ sourceCurrency, targetCurrency }: BatchHeader): readonly [CurrencyCode, CurrencyCode] {
  return [currencyByNumeric(sourceCurrency).code, currencyByNumeric(targetCurrency).code];
}
