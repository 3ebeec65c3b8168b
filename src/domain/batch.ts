import { toHex, type Hex } from "./bytes/hex.ts";
import { networkFeeUp, type Corridor } from "./corridor.ts";
import { currencyOf } from "./currency.ts";
import { InvalidInput } from "./errors.ts";
import { buildMerkleTree, merkleRoot, type MerkleTree } from "./merkle.ts";
import { requireMinor } from "./money.ts";
import type { PartnerId } from "./partner.ts";
import { isNoQuote, quoteMismatch, quoteRate, type Exchange, type Quote } from "./quote.ts";
import { transferLeaf, type Transfer } from "./transfer.ts";
import { batchDomain, hashBatch, typedDataDigest, type Chain } from "./typed-data.ts";

const MAX_COUNT = 2 ** 32 - 1;
const MAX_TIME = 2 ** 48 - 1;

/** What the source partner signs and the ledger acts on: the EIP-712 struct `Batch`. */
export interface BatchHeader {
  readonly source: PartnerId;
  readonly target: PartnerId;
  /** ISO 4217 numeric. */
  readonly sourceCurrency: number;
  /** ISO 4217 numeric. */
  readonly targetCurrency: number;
  /** Number of transfers (pacs.008 NbOfTxs). */
  readonly count: number;
  /** Sum of the source amounts, in source minor units. */
  readonly sourceTotal: bigint;
  /** Sum of the target amounts, in target minor units (pacs.008 TtlIntrBkSttlmAmt). */
  readonly targetTotal: bigint;
  /** Network fee on top of `sourceTotal`, in source minor units. */
  readonly fee: bigint;
  /** UTC seconds of ledger time from which the batch can only be expired. */
  readonly expiresAt: number;
  readonly root: Hex;
  /** The quote drawn on; `NO_QUOTE` where both currencies are the same. */
  readonly quote: Quote;
}

type ExchangeTerms = Pick<BatchHeader, "sourceCurrency" | "targetCurrency" | "quote">;

/** A batch with all that is needed to prove its transfers. */
export interface Batch {
  readonly header: BatchHeader;
  readonly transfers: readonly Transfer[];
  /** Its leaves are those of `transfers`, in that order. */
  readonly tree: MerkleTree;
}

/**
 * Builds a batch that the ledger will take, as far as that depends on the batch alone; `whyNotOpen` judges it against
 * the ledger's state.
 * @param quote `NO_QUOTE` for a same-currency corridor
 * @param feeBps the corridor's network fee in basis points
 * @param expiresAt UTC seconds of ledger time
 * @throws InvalidInput naming the field, down to the transfer: no transfers; an amount not positive; a UETR twice; a
 * target amount above what its source amount buys at the quote; a quote for other currencies or another taker; totals
 * above 2^128-1 or the quote's capacity
 */
export function buildBatch(
  transfers: readonly Transfer[],
  corridor: Corridor,
  quote: Quote,
  feeBps: bigint,
  expiresAt: number,
): Batch {
  const exchange = {
    source: corridor.source,
    target: corridor.target,
    sourceCurrency: currencyOf(corridor.sourceCurrency).numeric,
    targetCurrency: currencyOf(corridor.targetCurrency).numeric,
    quote,
  };
  requireExchange(exchange);
  requireTransfers(transfers, exchange);
  const sourceTotal = requireMinor(sum(transfers.map(({ sourceAmount }) => sourceAmount)), "sourceTotal");
  const targetTotal = requireMinor(sum(transfers.map(({ targetAmount }) => targetAmount)), "targetTotal");
  const fee = networkFeeUp(sourceTotal, feeBps);
  requireMinor(sourceTotal + fee, "sourceTotal + fee");
  if (!isNoQuote(quote) && targetTotal > quote.capacity) {
    throw new InvalidInput("targetTotal", `at most the quote's capacity, ${quote.capacity}`, targetTotal);
  }
  if (!Number.isSafeInteger(expiresAt) || expiresAt < 1 || expiresAt > MAX_TIME) {
    throw new InvalidInput("expiresAt", "UTC seconds, from 1 to 2^48-1", expiresAt);
  }
  const tree = buildMerkleTree(transfers.map(transferLeaf));
  const header: BatchHeader = {
    ...exchange,
    count: transfers.length,
    sourceTotal,
    targetTotal,
    fee,
    expiresAt,
    root: toHex(merkleRoot(tree)),
  };
  return { header, transfers, tree };
}

/** The batch's id: the EIP-712 digest that its source partner signs. Throws InvalidInput when a member does not fit. */
export function batchId(header: BatchHeader, chain: Omit<Chain, "quoteBook">): Hex {
  return typedDataDigest(batchDomain(chain), hashBatch(header));
}

/**
 * Whether `targetAmount` is more than `sourceAmount` pays for: above the quote's floor, or, where both currencies are
 * the same, any other amount. The ledger asks this of a batch's totals and again of what is left after rejections.
 */
export function exceedsRate(
  { sourceCurrency, targetCurrency, quote }: ExchangeTerms,
  sourceAmount: bigint,
  targetAmount: bigint,
): boolean {
  if (sourceCurrency === targetCurrency) return sourceAmount !== targetAmount;
  return targetAmount * quote.rateDenominator > sourceAmount * quote.rateNumerator;
}

const QUOTE_RULES: Partial<Record<keyof Quote, string>> = {
  provider: "a provider where currencies differ, and no quote where they are the same",
  taker: "the batch's source partner, or 0",
  sourceCurrency: "the batch's source currency",
  targetCurrency: "the batch's target currency",
  rateDenominator: "more than zero",
};

function requireExchange(exchange: Exchange & ExchangeTerms & Pick<BatchHeader, "target">): void {
  const { source, target, quote } = exchange;
  if (source === target) throw new InvalidInput("corridor.target", "another partner than the source", target);
  const mismatch = quoteMismatch(quote, exchange);
  if (mismatch !== undefined) {
    throw new InvalidInput(`quote.${mismatch}`, QUOTE_RULES[mismatch] ?? "as the batch has it", quote[mismatch]);
  }
  if (!isNoQuote(quote)) quoteRate(quote);
}

function requireTransfers(transfers: readonly Transfer[], exchange: ExchangeTerms): void {
  if (transfers.length === 0) throw new InvalidInput("transfers", "at least one");
  if (transfers.length > MAX_COUNT) throw new InvalidInput("transfers", `at most ${MAX_COUNT}`, transfers.length);
  const seen = new Map<string, number>();
  for (const [index, { uetr, sourceAmount, targetAmount }] of transfers.entries()) {
    const earlier = seen.get(uetr);
    if (earlier !== undefined) {
      throw new InvalidInput(`transfers[${index}].uetr`, `another than that of transfers[${earlier}]`, uetr);
    }
    seen.set(uetr, index);
    if (sourceAmount <= 0n) throw new InvalidInput(`transfers[${index}].sourceAmount`, "more than zero", sourceAmount);
    if (targetAmount <= 0n) throw new InvalidInput(`transfers[${index}].targetAmount`, "more than zero", targetAmount);
    // Held to the rate one by one, so that whatever is rejected, what is left keeps to it.
    if (exceedsRate(exchange, sourceAmount, targetAmount)) {
      const { quote } = exchange;
      const rule = isNoQuote(quote)
        ? `the source amount, ${sourceAmount}, in a same-currency corridor`
        : `at most ${sourceAmount} converted at ${quote.rateNumerator}/${quote.rateDenominator} and rounded down`;
      throw new InvalidInput(`transfers[${index}].targetAmount`, rule, targetAmount);
    }
  }
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
