import type { Hex } from "../../../domain/bytes/hex.ts";
import type { Quote } from "../../../domain/quote.ts";
import { parseWire, quoteSchema } from "../../../domain/wire.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { bytesOf, hexOf, numberOf } from "../../../kernel/store/values.ts";
import { promiseOf, type PricePromise, type PromiseRow } from "../promise.ts";

export interface CustomerQuote extends PricePromise {
  /** UUID. */
  readonly id: string;
  /** Undefined where both currencies are the same. */
  readonly providerQuote: Hex | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

export async function insertQuote(db: Queryable, quote: CustomerQuote): Promise<void> {
  await db.query(
    `INSERT INTO quotes (id, target, source_currency, target_currency, source_amount, target_amount, fee,
       provider_quote, created_at, expires_at)
     VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      quote.id,
      quote.target,
      quote.sourceCurrency,
      quote.targetCurrency,
      quote.sourceAmount,
      quote.targetAmount,
      quote.fee,
      quote.providerQuote === undefined ? null : bytesOf(quote.providerQuote),
      quote.createdAt,
      quote.expiresAt,
    ],
  );
}

interface QuoteRow extends PromiseRow {
  readonly id: string;
  readonly provider_quote: Uint8Array | null;
  readonly created_at: bigint;
  readonly expires_at: bigint;
  readonly body: unknown;
}

/** A quote with that of the provider behind it. */
export type QuoteWithProvider = CustomerQuote & { readonly provider: Quote | undefined };

/** Quotes by their ids; those that there are. */
export async function findQuotes(db: Queryable, ids: readonly string[]): Promise<readonly QuoteWithProvider[]> {
  const rows = await db.query<QuoteRow>(
    `SELECT q.id, q.target, q.source_currency, q.target_currency, q.source_amount, q.target_amount, q.fee,
       q.provider_quote, q.created_at, q.expires_at, p.body
     FROM quotes q LEFT JOIN provider_quotes p ON p.id = q.provider_quote
     WHERE q.id = ANY ($1::uuid[])`,
    [ids],
  );
  return rows.map((row) => ({
    ...promiseOf(row),
    id: row.id,
    providerQuote: row.provider_quote === null ? undefined : hexOf(row.provider_quote),
    createdAt: numberOf(row.created_at),
    expiresAt: numberOf(row.expires_at),
    provider: row.body === null ? undefined : parseWire(quoteSchema, row.body, "provider_quotes.body"),
  }));
}
