import type { CurrencyCode } from "../../src/domain/currency.ts";
import { parseCurrency } from "../../src/domain/currency.ts";
import { convertDown } from "../../src/domain/rate.ts";
import type { Random } from "../../src/kernel/random.ts";
import type { AccountHolder } from "../wallet/books.ts";
import { makeCustomers } from "../wallet/customers.ts";
import type { Movement } from "../funding.ts";
import { PROVIDERS } from "../network.ts";
import type { DailyRates } from "../provider/rates.ts";
import { WALLETS, type Wallet } from "../wallet/wallets.ts";

const USD = parseCurrency("USD");
const WALLET_USD_CENTS = 100_000_000n;
const PROVIDER_USD_CENTS = 1_000_000_000n;
const CUSTOMER_USD_CENTS = 100_000n;
const CUSTOMERS_PER_WALLET = 20;

/** What partners of a network to play with have on the ledger: a million dollars each wallet, ten in each currency each provider. */
export function playDeposits(rates: DailyRates): readonly Movement[] {
  const minorOf = (currency: Wallet["currency"], cents: bigint) => convertDown(cents, rates.rate(USD, currency));
  const of = (partner: Movement["partner"], currency: CurrencyCode, amountMinor: bigint) => ({
    partner,
    currency,
    amountMinor,
  });
  return WALLETS.flatMap(({ id, currency }) => [
    of(id, currency.code, minorOf(currency, WALLET_USD_CENTS)),
    ...PROVIDERS.map((provider) => of(provider.id, currency.code, minorOf(currency, PROVIDER_USD_CENTS))),
  ]);
}

/** The customers of a network to play with: the same twenty of each wallet for the same seed, with a thousand dollars each. */
export function playCustomers(rates: DailyRates, random: Random): (wallet: Wallet) => readonly AccountHolder[] {
  const made = new Map(
    WALLETS.map((wallet) => [wallet.id, makeCustomers(wallet, CUSTOMERS_PER_WALLET, random.fork(String(wallet.id)))]),
  );
  return ({ id, currency }) => {
    const openingMinor = convertDown(CUSTOMER_USD_CENTS, rates.rate(USD, currency));
    return (made.get(id) ?? []).map((customer) => ({ ...customer, openingMinor }));
  };
}
