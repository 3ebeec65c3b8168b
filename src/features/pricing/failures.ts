import type { BatchHeader } from "../../domain/batch.ts";
import type { Corridor, CurrencyPair } from "../../domain/corridor.ts";
import { currencyByNumeric, currencyOf } from "../../domain/currency.ts";
import type { PartnerId } from "../../domain/partner.ts";
import type { Quote } from "../../domain/quote.ts";
import type { LedgerError } from "../../ledger/errors.ts";
import { whyNotSellAt, type BlockHead } from "../../ledger/state.ts";
import { backoffMs } from "../../kernel/retry.ts";
import type { Queryable } from "../../kernel/store/database.ts";
import { appendEvents } from "../../kernel/store/events.ts";
import {
  lockProviderFailure,
  providersPassedOver,
  writeProviderFailure,
  type ProviderFailure,
} from "./store/providers.ts";
import type { SignedQuote } from "./store/provider-quotes.ts";
import type { RelayContext } from "../context.ts";

/** How long a provider that could not deliver is passed over: the first time, and at most. */
const PASSED_OVER = { firstDelayMs: 60_000, maxDelayMs: 3_600_000 };
/** So long after its last failure it is as if there had been none. Deliveries in between forgive nothing. */
const FORGIVEN_AFTER_MS = 6 * 3_600_000;

/** The ledger's errors that are about a quote as its provider has signed or withdrawn it. */
const OF_THE_QUOTE: ReadonlySet<string> = new Set([
  "QuoteBook_UsedUp",
  "QuoteBook_Mismatch",
  "QuoteBook_HoldTooLong",
  "QuoteBook_InvalidSignature",
]);

/**
 * Whether the ledger refuses a batch for a reason that lies with its liquidity provider: the error's name, or undefined.
 * That a quote has ended is nobody's fault.
 */
export function providerFault(
  { code, values }: Pick<LedgerError, "code" | "values">,
  { quote, source, targetCurrency }: Pick<BatchHeader, "quote" | "source" | "targetCurrency">,
): string | undefined {
  if (quote.provider === 0) return undefined;
  if (OF_THE_QUOTE.has(code)) return code;
  if (String(values["partner"]) !== String(quote.provider)) return undefined;
  // A partner that sells to itself: what it lacks as the sender is its own affair.
  const isOfTheSender = quote.provider === source && String(values["currency"]) !== String(targetCurrency);
  return isOfTheSender ? undefined : code;
}

export function pairOf({
  sourceCurrency,
  targetCurrency,
}: Pick<BatchHeader, "sourceCurrency" | "targetCurrency">): CurrencyPair {
  return {
    sourceCurrency: currencyByNumeric(sourceCurrency).code,
    targetCurrency: currencyByNumeric(targetCurrency).code,
  };
}

/**
 * Writes down that a provider did not deliver, and has it passed over for a while that doubles each time. Batches that
 * fail while it is passed over already had been signed before, and count as one.
 * @param tx a transaction; this is its last statement
 * @returns undefined when it was passed over already
 */
export async function recordProviderFailure(
  tx: Queryable,
  provider: PartnerId,
  pair: CurrencyPair,
  reason: string,
  nowMs: number,
): Promise<ProviderFailure | undefined> {
  const before = await lockProviderFailure(tx, provider, pair);
  // As `providersPassedOver` has it.
  const isKnown = before !== undefined && before.failedAt <= nowMs;
  if (isKnown && before.passedOverUntil > nowMs) return undefined;
  const isForgiven = !isKnown || nowMs - before.failedAt > FORGIVEN_AFTER_MS;
  const failures = isForgiven ? 1 : before.failures + 1;
  const failure = {
    ...pair,
    provider,
    reason,
    failures,
    passedOverUntil: nowMs + backoffMs(failures, PASSED_OVER),
  };
  await writeProviderFailure(tx, failure, nowMs);
  const until = new Date(failure.passedOverUntil).toISOString();
  await appendEvents(tx, [
    { type: "provider.failed", at: nowMs, data: { ...pair, provider, reason, failures, until } },
  ]);
  return failure;
}

/** What a provider that has withdrawn its money is passed over for, by the ledger's name. */
export const LACKS_MONEY = "Treasury_InsufficientAvailable";
const HOLDS_TOO_SHORTLY = "QuoteBook_HoldTooLong";

/**
 * Whether the ledger would refuse to open a batch on a quote for what lies with its provider; the provider is then passed
 * over. Looked at before a batch is signed: once it is, its transfers are in it until the ledger can never open it any
 * more. How much money the provider has is looked at with that of the batch.
 */
export async function cannotDeliver(
  context: RelayContext,
  corridor: Corridor,
  { quote, authorization }: SignedQuote,
  block: BlockHead,
): Promise<boolean> {
  const { db, ledger, clock, settings } = context;
  const { sourceCurrency, targetCurrency } = corridor;
  const passedOver = await providersPassedOver(db, clock.nowMs());
  const isPassedOver = passedOver.some(
    (failure) =>
      failure.provider === quote.provider &&
      failure.sourceCurrency === sourceCurrency &&
      failure.targetCurrency === targetCurrency,
  );
  if (isPassedOver) return true;
  let fault: string | undefined;
  if (quote.maxHold < settings.batch.holdSeconds) {
    fault = HOLDS_TOO_SHORTLY;
  } else {
    const refusal = await whyNotSellAt(ledger, quote.provider, authorization.key, block);
    const ofBatch = { quote, source: corridor.source, targetCurrency: currencyOf(targetCurrency).numeric };
    fault = refusal === undefined ? undefined : providerFault(refusal, ofBatch);
  }
  if (fault === undefined) return false;
  await blameProvider(context, quote.provider, corridor, fault);
  return true;
}

/** Has a provider passed over that could not deliver if a batch were signed on its quote now. */
export async function blameProvider(
  context: RelayContext,
  provider: Quote["provider"],
  { sourceCurrency, targetCurrency }: CurrencyPair,
  fault: string,
): Promise<void> {
  if (provider === 0) return;
  const pair = { sourceCurrency, targetCurrency };
  const failure = await context.db.transaction((tx) =>
    recordProviderFailure(tx, provider, pair, fault, context.clock.nowMs()),
  );
  tellProviderFailure(context, failure);
}

/** Counts and logs what `recordProviderFailure` has written, once that is stored. */
export function tellProviderFailure(
  { metrics, log, wake }: Pick<RelayContext, "metrics" | "log" | "wake">,
  failure: ProviderFailure | undefined,
): void {
  if (failure === undefined) return;
  const { provider, reason } = failure;
  metrics.providerFailures.inc({ provider: String(provider), reason });
  log.error({ ...failure }, "a liquidity provider did not deliver what it had quoted, and is passed over for a while");
  wake("notifier");
  wake("pricing");
}
