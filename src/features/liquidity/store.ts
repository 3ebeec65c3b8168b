import { parseCurrency, type CurrencyCode } from "../../domain/currency.ts";
import type { Queryable } from "../../kernel/store/database.ts";
import { bytesOf, hexDigits, hexOf, numberOf, recordset } from "../../kernel/store/values.ts";
import type { Hex } from "../../domain/bytes/hex.ts";

/** Where money of the partner's may lie: in one currency in one of the ledger's treasuries. */
export interface MoneyPlace {
  readonly treasury: Hex;
  readonly currency: CurrencyCode;
}

/** Money as read at a block, in minor units. */
export interface ProjectedBalance extends MoneyPlace {
  readonly available: bigint;
  readonly held: bigint;
  readonly block: number;
}

export async function writeBalances(tx: Queryable, balances: readonly ProjectedBalance[]): Promise<void> {
  if (balances.length === 0) return;
  await tx.query(
    `INSERT INTO balances (treasury, currency, available, held, block)
     SELECT decode(b.treasury, 'hex'), b.currency, b.available, b.held, b.block
     FROM jsonb_to_recordset($1::jsonb)
       AS b(treasury text, currency text, available numeric, held numeric, block bigint)
     ON CONFLICT (treasury, currency) DO UPDATE
       SET available = excluded.available, held = excluded.held, block = excluded.block`,
    [recordset(balances.map((each) => ({ ...each, treasury: hexDigits(each.treasury) })))],
  );
}

/** Forgets balances that have changed in blocks whose state is not read any more; they are read once caught up. */
export async function forgetBalances(tx: Queryable, places: readonly MoneyPlace[]): Promise<void> {
  if (places.length === 0) return;
  await tx.query(
    `DELETE FROM balances b USING jsonb_to_recordset($1::jsonb) AS p(treasury text, currency text)
     WHERE b.treasury = decode(p.treasury, 'hex') AND b.currency = p.currency`,
    [recordset(places.map(({ treasury, currency }) => ({ treasury: hexDigits(treasury), currency })))],
  );
}

/** In all treasuries. */
export async function readBalances(db: Queryable): Promise<readonly ProjectedBalance[]> {
  const rows = await db.query<{
    treasury: Uint8Array;
    currency: string;
    available: bigint;
    held: bigint;
    block: bigint;
  }>("SELECT treasury, currency, available, held, block FROM balances ORDER BY currency, treasury");
  return rows.map(({ treasury, currency, available, held, block }) => ({
    treasury: hexOf(treasury),
    currency: parseCurrency(currency).code,
    available,
    held,
    block: numberOf(block),
  }));
}

/** A currency's money in a treasury, and what is promised of it; minor units. */
export interface Funds {
  readonly currency: CurrencyCode;
  readonly available: bigint;
  readonly held: bigint;
  /**
   * What transfers need that are accepted and not on the ledger yet: waiting, or in a batch that is not open. That batch
   * may be another treasury's: should it not be opened there, its transfers wait again, and need money here.
   */
  readonly committed: bigint;
  /** In all other treasuries together. */
  readonly elsewhere: { readonly available: bigint; readonly held: bigint };
  readonly block: number;
}

/** What each signed batch that is not on the ledger yet will take of its currency. */
const UNOPENED = `SELECT (SELECT t.source_currency FROM batch_ranges r JOIN transfers t ON t.seq = r.first_seq
      WHERE r.batch = b.id LIMIT 1) AS currency,
    (b.header->>'sourceTotal')::numeric + (b.header->>'fee')::numeric AS minor
  FROM batches b WHERE b.voided_at IS NULL AND NOT b.on_ledger`;

/**
 * Every currency that the partner has a balance in.
 * @param treasury the one where new batches take their money from
 */
export async function readFunds(db: Queryable, treasury: Hex): Promise<readonly Funds[]> {
  const rows = await db.query<{
    currency: CurrencyCode;
    available: bigint;
    held: bigint;
    committed: bigint;
    elsewhere_available: bigint;
    elsewhere_held: bigint;
    block: bigint;
  }>(
    `WITH waiting AS (SELECT source_currency AS currency, sum(source_minor) AS minor FROM waiting_sums
                      GROUP BY source_currency),
          unopened AS (SELECT b.currency, sum(b.minor) AS minor FROM (${UNOPENED}) AS b GROUP BY b.currency),
          elsewhere AS (SELECT currency, sum(available) AS available, sum(held) AS held FROM balances
                        WHERE treasury <> $1 GROUP BY currency)
     SELECT b.currency, b.available, b.held, b.block, coalesce(w.minor, 0) + coalesce(u.minor, 0) AS committed,
       coalesce(e.available, 0) AS elsewhere_available, coalesce(e.held, 0) AS elsewhere_held
     FROM balances b LEFT JOIN waiting w ON w.currency = b.currency LEFT JOIN unopened u ON u.currency = b.currency
       LEFT JOIN elsewhere e ON e.currency = b.currency
     WHERE b.treasury = $1 ORDER BY b.currency`,
    [bytesOf(treasury)],
  );
  return rows.map(({ block, elsewhere_available, elsewhere_held, ...rest }) => ({
    ...rest,
    elsewhere: { available: elsewhere_available, held: elsewhere_held },
    block: numberOf(block),
  }));
}

export type LiquidityAlarm = "liquidity.low" | "liquidity.restored";

/** What is free in a place, in minor units, locked until the transaction ends; undefined where it is not known. */
export async function lockBalance(tx: Queryable, { treasury, currency }: MoneyPlace): Promise<bigint | undefined> {
  const [row] = await tx.query<{ available: bigint }>(
    "SELECT available FROM balances WHERE treasury = $1 AND currency = $2 FOR UPDATE",
    [bytesOf(treasury), currency],
  );
  return row?.available;
}

/** The last alarm of a currency; undefined where there has been none. */
export async function lastAlarm(db: Queryable, currency: CurrencyCode): Promise<LiquidityAlarm | undefined> {
  const [row] = await db.query<{ type: LiquidityAlarm }>(
    `SELECT type FROM events WHERE type IN ('liquidity.low', 'liquidity.restored') AND data->>'currency' = $1
     ORDER BY seq DESC LIMIT 1`,
    [currency],
  );
  return row?.type;
}
