import type { CurrencyCode } from "../../domain/currency.ts";
import { parsePartnerId, type PartnerId } from "../../domain/partner.ts";

/** What a transfer costs and brings, in minor units. */
export interface Amounts {
  readonly sourceAmount: bigint;
  readonly targetAmount: bigint;
  /** On top of the source amount. */
  readonly fee: bigint;
}

/** Amounts that a customer has been promised, by a quote or by an acceptance; it never changes. */
export interface PricePromise extends Amounts {
  readonly target: PartnerId;
  readonly sourceCurrency: CurrencyCode;
  readonly targetCurrency: CurrencyCode;
}

/** As `quotes` and `transfers` have it. */
export interface PromiseRow {
  readonly target: number;
  readonly source_currency: CurrencyCode;
  readonly target_currency: CurrencyCode;
  readonly source_amount: bigint;
  readonly target_amount: bigint;
  readonly fee: bigint;
}

export function promiseOf(row: PromiseRow): PricePromise {
  return {
    target: parsePartnerId(row.target),
    sourceCurrency: row.source_currency,
    targetCurrency: row.target_currency,
    sourceAmount: row.source_amount,
    targetAmount: row.target_amount,
    fee: row.fee,
  };
}
