import { isSameCurrency, type Corridor } from "../../domain/corridor.ts";
import type { Pair } from "../../store/provider-quotes.ts";
import type { RelayContext } from "../context.ts";
import { openCorridorsFrom } from "../corridors.ts";
import { createProviderMoney, moneyKey, readBook } from "./book.ts";

/** One of this partner's open corridors, and whether a price can be given in it now. */
export interface CorridorPrice {
  readonly corridor: Corridor;
  readonly isPriced: boolean;
}

type Needed = "db" | "clock" | "settings" | "registry" | "partner";

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
  if (exchanges.size > 0) await money.current();
  const sold = new Set<string>();
  for (const [pair, corridor] of exchanges) {
    const book = await readBook(context, corridor);
    const isSold = book.some(({ isViable, quote: { provider } }) => {
      const free = money.get(moneyKey(provider, corridor.targetCurrency));
      return isViable && (free === undefined || free > 0n);
    });
    if (isSold) sold.add(pair);
  }
  return open.map((corridor) => ({ corridor, isPriced: isSameCurrency(corridor) || sold.has(pairName(corridor)) }));
}

/** As it stands in metrics. */
export function pairName({ sourceCurrency, targetCurrency }: Pair): string {
  return `${sourceCurrency}>${targetCurrency}`;
}
