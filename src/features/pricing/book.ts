import type { CurrencyPair } from "../../domain/corridor.ts";
import type { Hex } from "../../domain/bytes/hex.ts";
import type { CurrencyCode } from "../../domain/currency.ts";
import { quoteRate, type Quote } from "../../domain/quote.ts";
import { compareRates, type Rate } from "../../domain/rate.ts";
import { holdsKey, type RegistryView } from "../../ledger/registry.ts";
import { balancesAt, latestHead } from "../../ledger/state.ts";
import { standingQuotes, type StandingQuote } from "./store/provider-quotes.ts";
import { freeProviderMoney, providerFundsToRead, writeProviderFunds, type ProviderFunds } from "./store/providers.ts";
import type { RelayContext } from "../context.ts";
import { createEstimate, type Estimate } from "./estimate.ts";

/** An offer that stands. */
export interface Entry {
  readonly id: Hex;
  readonly quote: Quote;
  readonly rate: Rate;
  /**
   * Whether the ledger would take it, as far as is known: its provider is active, its key has not been revoked, it lets
   * its money be held for as long as a batch lives, and it has not just failed to deliver. Such things pass.
   */
  readonly isViable: boolean;
  remaining: bigint;
}

type Reading = Pick<RelayContext, "db" | "clock" | "settings" | "registry">;

/** The standing quotes for a pair, the best for the customer first; what is priced on one is taken off here. */
export async function readBook(context: Reading, pair: CurrencyPair): Promise<readonly Entry[]> {
  const [book] = await readBooks(context, [pair]);
  return book ?? [];
}

/** The same for several pairs, in their order. */
export async function readBooks(
  { db, clock, settings, registry }: Reading,
  pairs: readonly CurrencyPair[],
): Promise<readonly (readonly Entry[])[]> {
  const view = await registry.read();
  const standing = await standingQuotes(db, pairs, clock.nowMs(), settings.quote.leastValiditySeconds);
  return standing.map(({ quotes, nowSeconds }) =>
    quotes
      .map((each): Entry => {
        const { id, quote, remaining } = each;
        const isViable =
          !each.isPassedOver && quote.maxHold >= settings.batch.holdSeconds && maySell(view, each, nowSeconds);
        return { id, quote, rate: quoteRate(quote), isViable, remaining };
      })
      .sort(byPreference),
  );
}

function maySell({ partners }: RegistryView, { quote, key }: StandingQuote, nowSeconds: number): boolean {
  const provider = quote.provider === 0 ? undefined : partners.get(quote.provider);
  if (provider?.status !== "active" || !provider.roles.includes("liquidityProvider")) return false;
  return holdsKey(provider, key, "quote", nowSeconds);
}

function byPreference(left: Entry, right: Entry): number {
  return (
    compareRates(right.rate, left.rate) || left.quote.provider - right.quote.provider || (left.id < right.id ? -1 : 1)
  );
}

/** What providers have on the ledger, less what has been promised of it, by `moneyKey`. */
export function createProviderMoney({
  db,
  clock,
  ledger,
}: Pick<RelayContext, "db" | "clock" | "ledger">): Estimate<string> {
  return createEstimate(clock, async () => {
    const rows = await freeProviderMoney(db, ledger.addresses.treasury);
    return new Map(rows.map(({ provider, currency, free }) => [moneyKey(provider, currency), free]));
  });
}

export function moneyKey(provider: number, currency: CurrencyCode): string {
  return `${provider} ${currency}`;
}

/** Balances that are read at once. */
const MOST_AT_ONCE = 64;

/** Reads what providers have where new batches open of the money that they sell, where it is not known or has been moved. */
export async function readProviderFunds({
  db,
  clock,
  ledger,
}: Pick<RelayContext, "db" | "clock" | "ledger">): Promise<void> {
  const { treasury } = ledger.addresses;
  const due = await providerFundsToRead(db, treasury, clock.nowMs(), MOST_AT_ONCE);
  if (due.length === 0) return;
  const { number: block } = await latestHead(ledger);
  const funds = await Promise.all(
    due.map(async ({ provider, currency }): Promise<ProviderFunds[]> => {
      const balances = await balancesAt(ledger, provider, [currency], block);
      return balances.map(({ available }) => ({ treasury, provider, currency, available, block }));
    }),
  );
  await writeProviderFunds(db, funds.flat());
}
