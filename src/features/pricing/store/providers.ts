import type { CurrencyCode } from "../../../domain/currency.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import { parsePartnerId, type PartnerId } from "../../../domain/partner.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import type { CurrencyPair } from "../../../domain/corridor.ts";
import { bytesOf, hexDigits, numberOf, recordset } from "../../../kernel/store/values.ts";

// What this relay knows of liquidity providers besides their quotes: what they have, and where they have failed.

/** A provider's money in one currency, in one of the ledger's treasuries. */
export interface ProviderMoney {
  readonly treasury: Hex;
  readonly provider: PartnerId;
  readonly currency: CurrencyCode;
}

export interface ProviderFunds extends ProviderMoney {
  /** Minor units that are free on the ledger. */
  readonly available: bigint;
  readonly block: number;
}

interface MoneyRow {
  readonly provider: number;
  readonly currency: CurrencyCode;
}

/** Of the providers whose quotes stand: money that has not been read, or has been moved since. */
export async function providerFundsToRead(
  db: Queryable,
  treasury: Hex,
  clockMs: number,
  limit: number,
): Promise<readonly ProviderMoney[]> {
  const rows = await db.query<MoneyRow>(
    `SELECT DISTINCT (q.body->>'provider')::integer AS provider, q.target_currency AS currency
     FROM provider_quotes q LEFT JOIN provider_funds f
       ON f.treasury = $3 AND f.provider = (q.body->>'provider')::integer AND f.currency = q.target_currency
     WHERE q.valid_until_s >= $1 AND (f.block IS NULL OR f.changed_block > f.block) LIMIT $2`,
    [Math.floor(clockMs / 1_000), limit, bytesOf(treasury)],
  );
  return rows.map((row) => ({ ...row, treasury, provider: parsePartnerId(row.provider) }));
}

/** Keeps what was read; what has been read of a later block stays. */
export async function writeProviderFunds(db: Queryable, funds: readonly ProviderFunds[]): Promise<void> {
  if (funds.length === 0) return;
  await db.query(
    `INSERT INTO provider_funds (treasury, provider, currency, available, block)
     SELECT decode(f.treasury, 'hex'), f.provider, f.currency, f.available, f.block
     FROM jsonb_to_recordset($1::jsonb)
       AS f(treasury text, provider integer, currency text, available numeric, block bigint)
     ON CONFLICT (treasury, provider, currency) DO UPDATE SET available = excluded.available, block = excluded.block
       WHERE excluded.block >= provider_funds.block`,
    [recordset(funds.map(withDigits))],
  );
}

/** The watcher has seen something move this money. */
export async function markProviderFunds(tx: Queryable, moved: readonly ProviderMoney[], block: number): Promise<void> {
  if (moved.length === 0) return;
  await tx.query(
    `UPDATE provider_funds f SET changed_block = $2
     FROM jsonb_to_recordset($1::jsonb) AS m(treasury text, provider integer, currency text)
     WHERE f.treasury = decode(m.treasury, 'hex') AND f.provider = m.provider AND f.currency = m.currency`,
    [recordset(moved.map(withDigits)), block],
  );
}

function withDigits<Money extends ProviderMoney>(money: Money): Money & { readonly treasury: string } {
  return { ...money, treasury: hexDigits(money.treasury) };
}

/**
 * What is free of each provider's money in a treasury, less what this relay has promised of it and the ledger does not
 * hold yet: wherever it is promised, for it may have to be sent again from here.
 */
export async function freeProviderMoney(
  db: Queryable,
  treasury: Hex,
): Promise<readonly (ProviderMoney & { readonly free: bigint })[]> {
  const rows = await db.query<MoneyRow & { readonly free: bigint }>(
    `WITH promised AS (
       SELECT provider, target_currency AS currency, target_minor AS minor FROM waiting_sums
       UNION ALL
       SELECT (b.header->'quote'->>'provider')::integer,
         (SELECT t.target_currency FROM batch_ranges r JOIN transfers t ON t.seq = r.first_seq
          WHERE r.batch = b.id LIMIT 1), (b.header->>'targetTotal')::numeric
       FROM batches b WHERE NOT b.on_ledger AND b.voided_at IS NULL
     ), of_provider AS (
       SELECT provider, currency, sum(minor) AS minor FROM promised GROUP BY 1, 2
     )
     SELECT f.provider, f.currency, f.available - coalesce(p.minor, 0) AS free
     FROM provider_funds f LEFT JOIN of_provider p ON p.provider = f.provider AND p.currency = f.currency
     WHERE f.treasury = $1`,
    [bytesOf(treasury)],
  );
  return rows.map((row) => ({ ...row, treasury, provider: parsePartnerId(row.provider) }));
}

/** Where a provider did not deliver. */
export interface ProviderFailure extends CurrencyPair {
  readonly provider: PartnerId;
  /** The ledger's name for what was wrong. */
  readonly reason: string;
  /** How many in a row, from 1. */
  readonly failures: number;
  /** Milliseconds since the epoch. */
  readonly passedOverUntil: number;
}

interface FailureRow {
  readonly provider: number;
  readonly source_currency: CurrencyCode;
  readonly target_currency: CurrencyCode;
  readonly failures: number;
  readonly reason: string;
  readonly failed_at: bigint;
  readonly passed_over_until: bigint;
}

/** Locked until the transaction ends, so that of two that fail at once one counts. */
export async function lockProviderFailure(
  tx: Queryable,
  provider: PartnerId,
  { sourceCurrency, targetCurrency }: CurrencyPair,
): Promise<(ProviderFailure & { readonly failedAt: number }) | undefined> {
  await tx.query("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.provider ' || $1, 0))", [
    `${provider} ${sourceCurrency}>${targetCurrency}`,
  ]);
  const [row] = await tx.query<FailureRow>(
    "SELECT * FROM provider_failures WHERE provider = $1 AND source_currency = $2 AND target_currency = $3",
    [provider, sourceCurrency, targetCurrency],
  );
  return row === undefined ? undefined : { ...failureOf(row), failedAt: numberOf(row.failed_at) };
}

export async function writeProviderFailure(tx: Queryable, failure: ProviderFailure, nowMs: number): Promise<void> {
  await tx.query(
    `INSERT INTO provider_failures
       (provider, source_currency, target_currency, failures, reason, failed_at, passed_over_until)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (provider, source_currency, target_currency) DO UPDATE
       SET failures = excluded.failures, reason = excluded.reason, failed_at = excluded.failed_at,
         passed_over_until = excluded.passed_over_until`,
    [
      failure.provider,
      failure.sourceCurrency,
      failure.targetCurrency,
      failure.failures,
      failure.reason,
      nowMs,
      failure.passedOverUntil,
    ],
  );
}

/** Who is passed over now, and where. What failed in a time to come, by a clock that was set back, is over. */
export async function providersPassedOver(db: Queryable, nowMs: number): Promise<readonly ProviderFailure[]> {
  const rows = await db.query<FailureRow>(
    "SELECT * FROM provider_failures WHERE passed_over_until > $1 AND failed_at <= $1",
    [nowMs],
  );
  return rows.map(failureOf);
}

function failureOf(row: FailureRow): ProviderFailure {
  return {
    provider: parsePartnerId(row.provider),
    sourceCurrency: row.source_currency,
    targetCurrency: row.target_currency,
    failures: row.failures,
    reason: row.reason,
    passedOverUntil: numberOf(row.passed_over_until),
  };
}
