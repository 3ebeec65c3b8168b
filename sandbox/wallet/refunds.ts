import type { Uetr } from "../../src/domain/uetr.ts";
import type { WalletBooks } from "./books.ts";

/** Events after which a customer has the money back, and what the history says then. */
const REFUNDED: ReadonlyMap<string, string> = new Map([
  ["transfer.rejected", "rejected"],
  ["transfer.expired", "expired"],
  ["transfer.failed", "failed"],
  ["transfer.cancelled", "cancelled"],
]);

/** The types of events that a wallet must hear of to give customers their money back. */
export const ENDINGS: readonly string[] = [...REFUNDED.keys()];

/**
 * Gives a customer the money back where an event says that the transfer did not go through; however often it is told.
 * @param reason ISO 20022, where the event has one
 */
export function refundAfter(books: WalletBooks, uetr: Uetr, type: string, reason: unknown): void {
  const ending = REFUNDED.get(type);
  // A relay may send for other systems of the wallet, too, which debit by themselves.
  if (ending === undefined || !books.debits.has(uetr)) return;
  books.refund(uetr, typeof reason === "string" ? `${ending} ${reason}` : ending);
}
