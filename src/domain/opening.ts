import { exceedsRate, type BatchHeader } from "./batch.ts";
import { networkFeeUp, type CorridorTerms } from "./corridor.ts";
import { isNoQuote, quoteMismatch } from "./quote.ts";

/** The longest the ledger lets a batch hold money, in seconds of ledger time. */
export const MAX_HOLD_SECONDS = 86_400;

/** What `open` on the ledger looks at besides the header, signatures and the partners' standing. */
export interface OpeningContext {
  readonly terms: CorridorTerms;
  /** Sum of source totals that were drawn on the corridor this UTC day. */
  readonly openedToday: bigint;
  /** Target minor units that earlier batches drew on the quote. */
  readonly drawn: bigint;
  /** UTC seconds of ledger time, which stands still while the ledger is halted. */
  readonly ledgerTime: number;
  /** UTC seconds of block time. */
  readonly blockTime: number;
}

/** In the order in which the ledger looks. */
export type OpeningRefusal =
  | "EMPTY_BATCH"
  | "EXPIRED"
  | "HOLD_TOO_LONG"
  | "CORRIDOR_CLOSED"
  | "BATCH_LIMIT_EXCEEDED"
  | "DAY_LIMIT_EXCEEDED"
  | "FEE_MISMATCH"
  | "QUOTE_MISMATCH"
  | "RATE_EXCEEDED"
  | "QUOTE_NOT_NEEDED"
  | "QUOTE_EXPIRED"
  | "QUOTE_HOLD_TOO_LONG"
  | "QUOTE_USED_UP";

/**
 * The first rule by which the ledger would refuse to open this batch now; undefined when there is none. The ledger has the
 * last word: the contracts' tests play random histories on this and on it.
 */
export function whyNotOpen(header: BatchHeader, context: OpeningContext): OpeningRefusal | undefined {
  const holdSeconds = header.expiresAt - context.ledgerTime;
  const least = BigInt(header.count);
  if (header.count === 0 || header.sourceTotal < least || header.targetTotal < least) return "EMPTY_BATCH";
  if (holdSeconds <= 0) return "EXPIRED";
  if (holdSeconds > MAX_HOLD_SECONDS) return "HOLD_TOO_LONG";
  return brokenTerm(header, context) ?? brokenQuote(header, context, holdSeconds);
}

function brokenTerm(
  { sourceTotal, fee }: BatchHeader,
  { terms, openedToday }: OpeningContext,
): OpeningRefusal | undefined {
  if (!terms.open) return "CORRIDOR_CLOSED";
  if (sourceTotal > terms.maxPerBatch) return "BATCH_LIMIT_EXCEEDED";
  if (openedToday + sourceTotal > terms.maxPerDay) return "DAY_LIMIT_EXCEEDED";
  if (fee !== networkFeeUp(sourceTotal, terms.feeBps)) return "FEE_MISMATCH";
  return undefined;
}

function brokenQuote(
  header: BatchHeader,
  { drawn, blockTime }: OpeningContext,
  holdSeconds: number,
): OpeningRefusal | undefined {
  const { quote, sourceTotal, targetTotal, sourceCurrency, targetCurrency } = header;
  const exchanges = sourceCurrency !== targetCurrency;
  if (exchanges && quoteMismatch(quote, header) !== undefined) return "QUOTE_MISMATCH";
  if (exceedsRate(header, sourceTotal, targetTotal)) return "RATE_EXCEEDED";
  if (!exchanges) return isNoQuote(quote) ? undefined : "QUOTE_NOT_NEEDED";
  if (blockTime > quote.validUntil) return "QUOTE_EXPIRED";
  if (holdSeconds > quote.maxHold) return "QUOTE_HOLD_TOO_LONG";
  if (drawn + targetTotal > quote.capacity) return "QUOTE_USED_UP";
  return undefined;
}
