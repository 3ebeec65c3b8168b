import type { Hex } from "../../domain/bytes/hex.ts";
import type { CurrencyCode } from "../../domain/currency.ts";
import type { PartnerId } from "../../domain/partner.ts";
import type { Ledger } from "../../ledger/contracts.ts";
import { readEvents, type LedgerEvent } from "../../ledger/events.ts";

/** A partner's money in one currency, in minor units. */
export interface ReplayedBalance {
  readonly available: bigint;
  /** By all modules together. */
  readonly held: bigint;
  /** By module: what it holds by the treasury's events. */
  readonly heldBy: ReadonlyMap<Hex, bigint>;
}

/** A partner's money as each treasury's events alone make it; nothing for a currency that nothing happened in. */
export type Replayed = ReadonlyMap<Hex, ReadonlyMap<CurrencyCode, ReplayedBalance>>;

export interface ReplayOptions {
  readonly from: number;
  readonly to: number;
  /** The most blocks in one request. */
  readonly maxBlockRange: number;
}

/**
 * Goes through all events of a ledger, a range of blocks at a time, and adds up for one partner what each treasury says
 * that it moved.
 * @param look is shown each range before the next one is read
 */
export async function replay(
  ledger: Ledger,
  partner: PartnerId,
  { from, to, maxBlockRange }: ReplayOptions,
  look: (events: readonly LedgerEvent[]) => Promise<void>,
): Promise<Replayed> {
  const books = new Map([...ledger.treasuries.keys()].map((treasury) => [treasury, openBooks(partner)]));
  for (let block = from; block <= to; block += maxBlockRange) {
    const events = await readEvents(ledger, block, Math.min(to, block + maxBlockRange - 1));
    for (const event of events) books.get(event.contract)?.post(event);
    await look(events);
  }
  return new Map([...books].map(([treasury, { balances }]) => [treasury, balances]));
}

/** Of one treasury. */
interface Books {
  readonly balances: ReadonlyMap<CurrencyCode, ReplayedBalance>;
  post(event: LedgerEvent): void;
}

const NO_MONEY: ReplayedBalance = { available: 0n, held: 0n, heldBy: new Map() };

function openBooks(partner: PartnerId): Books {
  const balances = new Map<CurrencyCode, ReplayedBalance>();
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
      default:
      // Moves no money.
    }
  };
  return { balances, post };
}
