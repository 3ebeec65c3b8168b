import { parseCurrency, type CurrencyCode } from "../../domain/currency.ts";
import type { Queryable } from "../../kernel/store/database.ts";
import { numberOf, recordset } from "../../kernel/store/values.ts";

/** Money as read at a block, in minor units. */
export interface ProjectedBalance {
  readonly currency: CurrencyCode;
  readonly available: bigint;
  readonly held: bigint;
  readonly block: number;
}

export async function writeBalances(tx: Queryable, balances: readonly ProjectedBalance[]): Promise<void> {
  if (balances.length === 0) return;
  await tx.query(
    `INSERT INTO balances (currency, available, held, block)
     SELECT b.currency, b.available, b.held, b.block
     FROM jsonb_to_recordset($1::jsonb) AS b(currency text, available numeric, held numeric, block bigint)
     ON CONFLICT (currency) DO UPDATE
       SET available = excluded.available, held = excluded.held, block = excluded.block`,
    [recordset(balances)],
  );
}

/** Forgets balances that have changed in blocks whose state is not read any more; they are read once caught up. */
export async function forgetBalances(tx: Queryable, currencies: readonly CurrencyCode[]): Promise<void> {
  if (currencies.length === 0) return;
  await tx.query("DELETE FROM balances WHERE currency = ANY ($1::text[])", [currencies]);
}

export async function readBalances(db: Queryable): Promise<readonly ProjectedBalance[]> {
  const rows = await db.query<{ currency: string; available: bigint; held: bigint; block: bigint }>(
    "SELECT currency, available, held, block FROM balances ORDER BY currency",
  );
  return rows.map(({ currency, available, held, block }) => ({
    currency: parseCurrency(currency).code,
    available,
    held,
    block: numberOf(block),
  }));
}

/** A currency's money on the ledger, and what is promised of it; minor units. */
export interface Funds {
  readonly currency: CurrencyCode;
  readonly available: bigint;
  readonly held: bigint;
  /** What transfers need that are accepted and not on the ledger yet: waiting, or in a batch that is not open. */
  readonly committed: bigint;
  readonly block: number;
}

/** What each signed batch that is not on the ledger yet will take of its currency. */
const UNOPENED = `SELECT (SELECT t.source_currency FROM transfers t WHERE t.batch = b.id LIMIT 1) AS currency,
    (b.header->>'sourceTotal')::numeric + (b.header->>'fee')::numeric AS minor
  FROM batches b WHERE b.voided_at IS NULL AND NOT b.on_ledger`;

/** Every currency that the partner has a balance in. */
export async function readFunds(db: Queryable): Promise<readonly Funds[]> {
  const rows = await db.query<{
    currency: CurrencyCode;
    available: bigint;
    held: bigint;
    committed: bigint;
    block: bigint;
  }>(
    `WITH waiting AS (SELECT source_currency AS currency, sum(source_minor) AS minor FROM waiting_sums
                      GROUP BY source_currency),
          unopened AS (SELECT b.currency, sum(b.minor) AS minor FROM (${UNOPENED}) AS b GROUP BY b.currency)
     SELECT b.currency, b.available, b.held, b.block, coalesce(w.minor, 0) + coalesce(u.minor, 0) AS committed
     FROM balances b LEFT JOIN waiting w ON w.currency = b.currency LEFT JOIN unopened u ON u.currency = b.currency
     ORDER BY b.currency`,
  );
  return rows.map(({ block, ...rest }) => ({ ...rest, block: numberOf(block) }));
}

export type LiquidityAlarm = "liquidity.low" | "liquidity.restored";

/** What is free of a currency, in minor units, locked until the transaction ends; undefined where it is not known. */
export async function lockBalance(tx: Queryable, currency: CurrencyCode): Promise<bigint | undefined> {
  const [row] = await tx.query<{ available: bigint }>("SELECT available FROM balances WHERE currency = $1 FOR UPDATE", [
    currency,
  ]);
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
