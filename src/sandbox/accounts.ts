import type { PartnerId } from "../domain/partner.ts";
import type { Uetr } from "../domain/uetr.ts";

/** What a wallet did with its customers' money for one transfer, in minor units of its own currency. */
export interface Postings {
  /** Taken from the debtor: amount and fee. */
  readonly debits: ReadonlyMap<Uetr, bigint>;
  /** Given back to the debtor. */
  readonly refunds: ReadonlyMap<Uetr, bigint>;
  /** Given to the creditor. */
  readonly credits: ReadonlyMap<Uetr, bigint>;
}

/**
 * A wallet's own books. Every posting is made once per transfer, however often it is asked for; asked for with another
 * amount it is a fault, and throws RangeError.
 */
export interface WalletBooks extends Postings {
  debit(uetr: Uetr, amountMinor: bigint): void;
  /** Gives back all that was debited. */
  refund(uetr: Uetr): void;
  credit(uetr: Uetr, amountMinor: bigint): void;
}

export function openBooks(wallet: PartnerId): WalletBooks {
  const debits = new Map<Uetr, bigint>();
  const refunds = new Map<Uetr, bigint>();
  const credits = new Map<Uetr, bigint>();
  const post = (book: Map<Uetr, bigint>, uetr: Uetr, amountMinor: bigint) => {
    const posted = book.get(uetr) ?? amountMinor;
    if (posted !== amountMinor) {
      throw new RangeError(`wallet ${wallet} has posted ${posted} for ${uetr}, and now ${amountMinor}`);
    }
    book.set(uetr, posted);
  };
  return {
    debits,
    refunds,
    credits,
    debit: (uetr, amountMinor) => post(debits, uetr, amountMinor),
    refund: (uetr) => {
      const debited = debits.get(uetr);
      if (debited === undefined) throw new RangeError(`wallet ${wallet} has not debited ${uetr}: nothing to refund`);
      post(refunds, uetr, debited);
    },
    credit: (uetr, amountMinor) => post(credits, uetr, amountMinor),
  };
}
