import type { BatchHeader } from "../domain/batch.ts";
import type { Hex } from "../domain/bytes/hex.ts";
import { currencyByNumeric, type CurrencyCode } from "../domain/currency.ts";
import type { PartnerId } from "../domain/partner.ts";
import type { Ledger } from "../ledger/contracts.ts";
import { HUB } from "../ledger/deployment/config.ts";
import { readEvents, type LedgerEvent } from "../ledger/events.ts";

/** A partner's money in one currency, in minor units. */
export interface ReplayedBalance {
  readonly available: bigint;
  readonly held: bigint;
}

/** What the ledger's events alone make of a partner's money and of every batch. */
export interface Replay {
  /** Nothing for a currency that nothing happened in. */
  readonly balances: ReadonlyMap<CurrencyCode, ReplayedBalance>;
  readonly statuses: ReadonlyMap<Hex, "open" | "settled" | "rejected" | "expired">;
  /** What settled batches paid to the partner as their target, in target minor units. */
  readonly received: ReadonlyMap<Hex, bigint>;
}

export interface ReplayOptions {
  readonly from: number;
  readonly to: number;
  /** Most blocks asked for at once. */
  readonly maxBlockRange: number;
}

/**
 * Goes through all events of a ledger, and does for one partner what the contracts did.
 * @throws Error when they contradict each other, as when a batch ends that was never opened
 */
export async function replay(
  ledger: Ledger,
  partner: PartnerId,
  { from, to, maxBlockRange }: ReplayOptions,
): Promise<Replay> {
  const books = openBooks(partner);
  for (let block = from; block <= to; block += maxBlockRange) {
    for (const event of await readEvents(ledger, block, Math.min(to, block + maxBlockRange - 1))) books.post(event);
  }
  return books;
}

interface Books extends Replay {
  post(event: LedgerEvent): void;
}

function openBooks(partner: PartnerId): Books {
  const balances = new Map<CurrencyCode, ReplayedBalance>();
  const statuses = new Map<Hex, "open" | "settled" | "rejected" | "expired">();
  const received = new Map<Hex, bigint>();
  /** Of open batches only: there may be many that have ended. */
  const headers = new Map<Hex, BatchHeader>();

  const add = (owner: PartnerId | 0, currency: CurrencyCode, available: bigint, held: bigint): void => {
    if (owner !== partner) return;
    const before = balances.get(currency) ?? { available: 0n, held: 0n };
    balances.set(currency, { available: before.available + available, held: before.held + held });
  };

  const endOf = (id: Hex): BatchHeader => {
    const header = headers.get(id);
    if (header === undefined) throw new Error(`batch ${id} ends on the ledger without being open`);
    headers.delete(id);
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
        const { batchId, header } = event;
        const [sourceCurrency, targetCurrency] = currenciesOf(header);
        const taken = header.sourceTotal + header.fee;
        add(header.source, sourceCurrency, -taken, taken);
        if (header.quote.provider !== 0) {
          add(header.quote.provider, targetCurrency, -header.targetTotal, header.targetTotal);
        }
        headers.set(batchId, header);
        statuses.set(batchId, "open");
        break;
      }
      case "Settled": {
        const { batchId, settledSource, settledTarget, fee } = event;
        const header = endOf(batchId);
        const [sourceCurrency] = currenciesOf(header);
        release(header, settledSource + fee, settledTarget);
        add(header.quote.provider, sourceCurrency, settledSource, 0n);
        add(HUB, sourceCurrency, fee, 0n);
        statuses.set(batchId, "settled");
        if (header.target === partner) received.set(batchId, settledTarget);
        break;
      }
      case "Rejected":
      case "Expired":
        release(endOf(event.batchId), 0n, 0n);
        statuses.set(event.batchId, event.kind === "Rejected" ? "rejected" : "expired");
        break;
      default:
      // Moves no money.
    }
  };
  return { balances, statuses, received, post };
}

function currenciesOf({ sourceCurrency, targetCurrency }: BatchHeader): readonly [CurrencyCode, CurrencyCode] {
  return [currencyByNumeric(sourceCurrency).code, currencyByNumeric(targetCurrency).code];
}
