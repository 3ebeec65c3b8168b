import { isSameCurrency, type Corridor, type CurrencyPair } from "../../domain/corridor.ts";
import type { Alarm } from "../../kernel/telemetry/health.ts";
import type { RelayContext } from "../context.ts";
import { openCorridorsFrom } from "../partners/corridors.ts";
import { createProviderMoney, moneyKey, readBooks } from "./book.ts";

/** One of this partner's open corridors, and whether a price can be given in it now. */
export interface CorridorPrice {
  readonly corridor: Corridor;
  readonly isPriced: boolean;
}

type Needed = "db" | "ledger" | "clock" | "settings" | "registry" | "partner";

/**
 * Of each of this partner's open corridors, whether a price can be given in it: between two currencies, whether an offer
 * stands that can be delivered. Providers are not asked for one here: the pricing step keeps offers standing, so where
 * there is none, they have none.
 */
export async function corridorPrices(
  context: Pick<RelayContext, Needed>,
  money = createProviderMoney(context),
): Promise<readonly CorridorPrice[]> {
  const open = openCorridorsFrom(await context.registry.read(), context.partner).map(({ corridor }) => corridor);
  const exchanges = new Map(open.filter((corridor) => !isSameCurrency(corridor)).map((each) => [pairName(each), each]));
  const corridors = [...exchanges.values()];
  if (corridors.length > 0) await money.current();
  const books = corridors.length === 0 ? [] : await readBooks(context, corridors);
  const sold = new Set<string>();
  for (const [index, corridor] of corridors.entries()) {
    const isSold = books[index]?.some(({ isViable, quote: { provider } }) => {
      const free = money.get(moneyKey(provider, corridor.targetCurrency));
      return isViable && (free === undefined || free > 0n);
    });
    if (isSold === true) sold.add(pairName(corridor));
  }
  return open.map((corridor) => ({ corridor, isPriced: isSameCurrency(corridor) || sold.has(pairName(corridor)) }));
}

/** As it stands in metrics. */
export function pairName({ sourceCurrency, targetCurrency }: CurrencyPair): string {
  return `${sourceCurrency}>${targetCurrency}`;
}

/** Corridors that are named in a detail; the metric has all of them. */
const MOST_NAMED = 20;

/**
 * An alarm where corridors have no price. The relay stays ready even where none has one: it is paid by others, credits and
 * settles, and where a load balancer kept others' messages from it, a provider's silence would stop all that as well.
 */
export function priceAlarms(prices: readonly CorridorPrice[]): readonly Alarm[] {
  const unpriced = prices.filter(({ isPriced }) => !isPriced);
  if (unpriced.length === 0) return [];
  const named = unpriced
    .slice(0, MOST_NAMED)
    .map(({ corridor: { sourceCurrency, target, targetCurrency } }) => {
      return `${sourceCurrency} to ${targetCurrency} of partner ${target}`;
    })
    .join(", ");
  const more = unpriced.length > MOST_NAMED ? `, and ${unpriced.length - MOST_NAMED} more` : "";
  const where = unpriced.length === prices.length ? "for any open corridor" : "for some open corridors";
  const detail = `no offer of a liquidity provider stands ${where} that can be delivered: ${named}${more}`;
  return [{ code: "prices", detail }];
}
