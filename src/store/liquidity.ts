import type { CurrencyCode } from "../domain/currency.ts";
import type { Queryable } from "./database.ts";

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
