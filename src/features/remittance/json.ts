import { moneyJson, type MoneyJson } from "../../schema/fields.ts";
import type { Acceptance, QuoteResponse } from "../../schema/transfers.ts";
import { currencyOf } from "../../domain/currency.ts";
import { formatInstant as instant } from "../../domain/instant.ts";
import { quoteRate } from "../../domain/quote.ts";
import { formatRate } from "../../domain/rate.ts";
import type { PricePromise } from "../pricing/promise.ts";
import type { QuoteWithProvider } from "../pricing/store/quotes.ts";
import type { AcceptedTransfer } from "./store/transfers.ts";

// How what is stored is told to wallets.

const RATE_DIGITS = 10;

export function amountsJson({ sourceCurrency, targetCurrency, sourceAmount, targetAmount, fee }: PricePromise): {
  readonly send: MoneyJson;
  readonly fee: MoneyJson;
  readonly total: MoneyJson;
  readonly receive: MoneyJson;
} {
  return {
    send: moneyJson(sourceAmount, sourceCurrency),
    fee: moneyJson(fee, sourceCurrency),
    total: moneyJson(sourceAmount + fee, sourceCurrency),
    receive: moneyJson(targetAmount, targetCurrency),
  };
}

/** Made of nothing that can change. */
export function acceptanceJson(transfer: AcceptedTransfer): Acceptance {
  return {
    uetr: transfer.uetr,
    target: transfer.target,
    ...amountsJson(transfer),
    acceptedAt: instant(transfer.acceptedAt),
    expiresAt: instant(transfer.expiresAt),
  };
}

export function quoteJson(quote: QuoteWithProvider): QuoteResponse {
  return {
    id: quote.id,
    target: quote.target,
    ...amountsJson(quote),
    ...providerJson(quote),
    createdAt: instant(quote.createdAt),
    expiresAt: instant(quote.expiresAt),
  };
}

function providerJson({
  provider,
  sourceCurrency,
  targetCurrency,
}: QuoteWithProvider): Pick<QuoteResponse, "rate" | "provider"> {
  if (provider === undefined || provider.provider === 0) return {};
  const rate = quoteRate(provider);
  return {
    provider: provider.provider,
    rate: {
      numerator: String(rate.numerator),
      denominator: String(rate.denominator),
      decimal: formatRate(rate, currencyOf(sourceCurrency), currencyOf(targetCurrency), RATE_DIGITS),
    },
  };
}
