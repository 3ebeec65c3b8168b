import type { Authorization } from "../../../domain/typed-data.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import type { CurrencyCode } from "../../../domain/currency.ts";
import type { CurrencyPair } from "../../../domain/corridor.ts";
import type { Quote } from "../../../domain/quote.ts";
import { authorizationSchema, parseWire, quoteSchema, toJson } from "../../../domain/wire.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { bytesList, bytesOf, hexDigits, hexOf, numberOf, recordset } from "../../../kernel/store/values.ts";

/** A liquidity provider's quote that transfers can be priced on. */
export interface StandingQuote {
  /** Its EIP-712 digest. */
  readonly id: Hex;
  readonly quote: Quote;
  /** The key that has signed it. */
  readonly key: Hex;
  /** Its provider has failed to deliver, and is left alone for a while. */
  readonly isPassedOver: boolean;
  /** Target minor units of it that no transfer of this relay has reserved. */
  readonly remaining: bigint;
}

export interface NewProviderQuote extends CurrencyPair {
  readonly id: Hex;
  readonly quote: Quote;
  readonly authorization: { readonly key: Hex; readonly signature: Hex };
}

/** Keeps quotes as their providers signed them. One that is there already stays as it is. */
export async function insertProviderQuotes(
  db: Queryable,
  quotes: readonly NewProviderQuote[],
  nowMs: number,
): Promise<void> {
  const rows = quotes.map(({ id, quote, authorization, sourceCurrency, targetCurrency }) => ({
    id: hexDigits(id),
    source: sourceCurrency,
    target: targetCurrency,
    body: toJson(quote),
    signature: authorization,
    capacity: quote.capacity,
    valid_until: quote.validUntil,
  }));
  await db.query(
    `INSERT INTO provider_quotes
       (id, source_currency, target_currency, body, signature, capacity, valid_until_s, received_at)
     SELECT decode(q.id, 'hex'), q.source, q.target, q.body, q.signature, q.capacity, q.valid_until, $2
     FROM jsonb_to_recordset($1::jsonb) AS q(id text, source text, target text, body jsonb, signature jsonb,
       capacity numeric, valid_until bigint)
     ON CONFLICT (id) DO NOTHING`,
    [recordset(rows), nowMs],
  );
}

/** What prices are judged by, and when they were. */
export interface StandingQuotes {
  readonly quotes: readonly StandingQuote[];
  /** Seconds of block time: that of the latest block read, or the clock's where no block has been made for a while. */
  readonly nowSeconds: number;
}

/** The latest: a provider whose quotes never end must not make the list of them any longer. */
const MOST_STANDING = 200;

/** The quotes for each of the pairs that are valid for some seconds yet, and not used up; in the order of the pairs. */
export async function standingQuotes(
  db: Queryable,
  pairs: readonly CurrencyPair[],
  clockMs: number,
  leastValiditySeconds: number,
): Promise<readonly StandingQuotes[]> {
  const rows = await db.query<{
    place: bigint;
    now_s: bigint;
    id: Uint8Array | null;
    body: unknown;
    signature: unknown;
    remaining: bigint | null;
    passed_over: boolean;
  }>(
    `SELECT pair.place, time.now_s, q.id, q.body, q.signature, q.remaining, coalesce(q.passed_over, false) AS passed_over
     FROM (SELECT greatest($3::bigint, (SELECT block_time_s FROM ledger_cursor)) AS now_s) AS time
     CROSS JOIN unnest($1::text[], $2::text[]) WITH ORDINALITY AS pair(source, target, place)
     LEFT JOIN LATERAL (
       SELECT p.id, p.body, p.signature, p.capacity - p.reserved AS remaining, p.received_at,
         f.passed_over_until > $5 AS passed_over
       FROM provider_quotes p LEFT JOIN provider_failures f ON f.provider = (p.body->>'provider')::integer
         AND f.source_currency = pair.source AND f.target_currency = pair.target
       WHERE p.source_currency = pair.source AND p.target_currency = pair.target
         AND p.valid_until_s >= time.now_s + $4::bigint AND p.reserved < p.capacity
       ORDER BY p.received_at DESC LIMIT ${MOST_STANDING}
     ) AS q ON true
     ORDER BY q.received_at DESC`,
    [
      pairs.map(({ sourceCurrency }) => sourceCurrency),
      pairs.map(({ targetCurrency }) => targetCurrency),
      Math.floor(clockMs / 1_000),
      leastValiditySeconds,
      clockMs,
    ],
  );
  const byPlace = Map.groupBy(rows, ({ place }) => numberOf(place));
  return pairs.map((_, index) => {
    const ofPair = byPlace.get(index + 1) ?? [];
    const quotes = ofPair.flatMap(({ id, body, signature, remaining, passed_over: isPassedOver }) =>
      id === null || remaining === null
        ? []
        : [{ id: hexOf(id), quote: quoteOf(body), key: keyOf(signature), remaining, isPassedOver }],
    );
    return { quotes, nowSeconds: numberOf(ofPair[0]?.now_s ?? 0n) };
  });
}

/** How far a pair is covered by quotes: by the one that is valid longest. */
export interface Coverage extends CurrencyPair {
  /** Seconds of block time. */
  readonly validUntil: number;
  /** How much of it is left, in percent. */
  readonly leftPercent: number;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** The most that is reserved of any of the pair's quotes, in target minor units. */
  readonly reserved: bigint;
}

/** Covers each pair for which quotes were received since a time, of providers that are not passed over. */
export async function quoteCoverage(
  db: Queryable,
  receivedSinceMs: number,
  nowMs: number,
): Promise<readonly Coverage[]> {
  const rows = await db.query<{
    source_currency: CurrencyCode;
    target_currency: CurrencyCode;
    valid_until_s: bigint;
    left_percent: number;
    received_at: bigint;
    reserved: bigint;
  }>(
    `SELECT DISTINCT ON (source_currency, target_currency) source_currency, target_currency, valid_until_s, received_at,
       (100 * (capacity - reserved) / greatest(capacity, 1))::integer AS left_percent,
       max(reserved) OVER (PARTITION BY source_currency, target_currency) AS reserved
     FROM provider_quotes q WHERE received_at >= $1
       AND NOT EXISTS (SELECT FROM provider_failures f WHERE f.provider = (q.body->>'provider')::integer
         AND f.source_currency = q.source_currency AND f.target_currency = q.target_currency
         AND f.passed_over_until > $2)
     ORDER BY source_currency, target_currency, valid_until_s DESC, capacity - reserved DESC`,
    [receivedSinceMs, nowMs],
  );
  return rows.map((row) => ({
    sourceCurrency: row.source_currency,
    targetCurrency: row.target_currency,
    validUntil: numberOf(row.valid_until_s),
    leftPercent: row.left_percent,
    receivedAt: numberOf(row.received_at),
    reserved: row.reserved,
  }));
}

/** The store holds what this relay has verified and written itself. */
function quoteOf(body: unknown): Quote {
  return parseWire(quoteSchema, body, "provider_quotes.body");
}

function keyOf(signature: unknown): Hex {
  return parseWire(authorizationSchema, signature, "provider_quotes.signature").key;
}

/** A provider's quote as it was signed. */
export interface SignedQuote {
  readonly id: Hex;
  readonly quote: Quote;
  readonly authorization: Authorization;
  /** Seconds of block time: that of the quote, or when it was withdrawn. */
  readonly validUntil: number;
  /** Target minor units of it that no transfer of this relay has reserved. */
  readonly remaining: bigint;
}

interface QuoteRow {
  readonly id: Uint8Array;
  readonly body: unknown;
  readonly signature: unknown;
  readonly valid_until_s: bigint;
  readonly remaining: bigint;
}

export async function readSignedQuote(db: Queryable, id: Hex): Promise<SignedQuote | undefined> {
  const [row] = await db.query<QuoteRow>(
    "SELECT id, body, signature, valid_until_s, capacity - reserved AS remaining FROM provider_quotes WHERE id = $1",
    [bytesOf(id)],
  );
  return row === undefined ? undefined : signedQuoteOf(row);
}

/** Ends the validity of quotes that their providers have withdrawn on the ledger. */
export async function endQuotes(tx: Queryable, ids: readonly Hex[], atSeconds: number): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `UPDATE provider_quotes SET valid_until_s = least(valid_until_s, $2::bigint - 1)
     WHERE id = ANY ($1::bytea[])`,
    [bytesList(ids), atSeconds],
  );
}

function signedQuoteOf({ id, body, signature, valid_until_s, remaining }: QuoteRow): SignedQuote {
  return {
    id: hexOf(id),
    quote: parseWire(quoteSchema, body, "provider_quotes.body"),
    authorization: parseWire(authorizationSchema, signature, "provider_quotes.signature"),
    validUntil: numberOf(valid_until_s),
    remaining,
  };
}
