import { normalizeHex, type Hex } from "../domain/bytes/hex.ts";
import { InvalidInput } from "../domain/errors.ts";
import { quoteId, type Quote } from "../domain/quote.ts";
import { cancelQuoteCall } from "./calls.ts";
import type { Ledger } from "./contracts.ts";
import type { Submitter } from "./submitter.ts";

/** A quote on which no batch can draw any more. */
export interface CancelledQuote {
  /** Its EIP-712 digest. */
  readonly id: Hex;
  readonly wasCancelledBefore: boolean;
  /** Target minor units that batches had drawn just before, and keep; undefined where it was cancelled already. */
  readonly drawn: bigint | undefined;
  readonly block: number;
  readonly transaction: Hex;
}

/** `drawnOf` a quote that was cancelled. */
const CANCELLED = 2n ** 128n - 1n;

/**
 * Cancels a quote for good: on the ledger, so that it holds for whoever has the quote. What batches have drawn on it stays
 * theirs. It can be repeated.
 * @param submitter of a key with the purpose QUOTE of the quote's provider
 * @throws InvalidInput where there is no quote book at the ledger's address
 * @throws LedgerError as PartnerRegistry_KeyNotAuthorized, when the key is another's
 * @throws SubmissionError
 */
export async function cancelQuote(ledger: Ledger, submitter: Submitter, quote: Quote): Promise<CancelledQuote> {
  const { quoteBook, provider, addresses } = ledger;
  // A call to an address without code does nothing, and succeeds.
  if ((await provider.getCode(addresses.quoteBook)) === "0x") {
    throw new InvalidInput("addresses.quoteBook", "a contract on this ledger", addresses.quoteBook);
  }
  const id = quoteId(quote, ledger.chain);
  const before = await quoteBook.drawnOf(id);
  const { hash, blockNumber } = await submitter.submit(cancelQuoteCall(ledger, quote));
  const wasCancelledBefore = before === CANCELLED;
  return {
    id,
    wasCancelledBefore,
    drawn: wasCancelledBefore ? undefined : before,
    block: blockNumber,
    transaction: normalizeHex(hash, 32),
  };
}
