import { currencyByNumeric } from "../../domain/currency.ts";
import { parsePartnerId } from "../../domain/partner.ts";
import type { OrderCount } from "../../domain/order-success.ts";
import type { LedgerOutcome, OutcomeCount } from "../../domain/success.ts";
import type { Queryable } from "../../kernel/store/database.ts";
import { numberOf } from "../../kernel/store/values.ts";
import type { CountedSuccess, DayRange } from "./success-json.ts";

interface SumRow {
  readonly day: number | null;
  readonly source: number | null;
  readonly target: number | null;
  readonly source_currency: number | null;
  readonly target_currency: number | null;
  readonly outcome: string | null;
  readonly transfers: bigint | null;
}

/**
 * What is kept of some days, and the block up to which it is: of one moment, as both are read at once. Triggers keep it
 * (migration 0018).
 * @returns undefined before the ledger has been read
 */
export async function readSuccessSums(db: Queryable, { from, to }: DayRange): Promise<CountedSuccess | undefined> {
  const rows = await db.query<SumRow & { readonly block: bigint; readonly block_time_s: bigint }>(
    `SELECT c.block, c.block_time_s, s.day, s.source, s.target, s.source_currency, s.target_currency, s.outcome, s.transfers
     FROM ledger_cursor c LEFT JOIN success_sums s ON s.day BETWEEN $1::integer AND $2::integer`,
    [from, to],
  );
  const [first] = rows;
  if (first === undefined) return undefined;
  return { block: numberOf(first.block), timeSeconds: numberOf(first.block_time_s), counts: rows.flatMap(countOf) };
}

/** None where there was nothing on those days. */
function countOf({
  day,
  source,
  target,
  source_currency,
  target_currency,
  outcome,
  transfers,
}: SumRow): OutcomeCount[] {
  if (day === null || source_currency === null || target_currency === null || transfers === null) return [];
  return [
    {
      day,
      source: parsePartnerId(source ?? 0),
      target: parsePartnerId(target ?? 0),
      sourceCurrency: currencyByNumeric(source_currency).code,
      targetCurrency: currencyByNumeric(target_currency).code,
      // As the migration's function writes them.
      outcome: outcome as LedgerOutcome,
      transfers: numberOf(transfers),
    },
  ];
}

/** What is kept of orders besides what the ledger tells; see the migrations 0019 and 0024 for who keeps it. */
export async function readOrderSums(db: Queryable, { from, to }: DayRange): Promise<readonly OrderCount[]> {
  const rows = await db.query<{
    day: number;
    target: number;
    outcome: OrderCount["outcome"];
    reason: string;
    orders: bigint;
  }>("SELECT day, target, outcome, reason, orders FROM order_sums WHERE day BETWEEN $1::integer AND $2::integer", [
    from,
    to,
  ]);
  return rows.map(({ target, orders, ...row }) => ({
    ...row,
    target: target === 0 ? undefined : parsePartnerId(target),
    orders: numberOf(orders),
  }));
}
