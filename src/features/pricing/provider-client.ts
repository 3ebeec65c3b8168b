import type { Authorization } from "../../domain/typed-data.ts";
import { z } from "zod/v4";
import type { Hex } from "../../domain/bytes/hex.ts";
import { currencyByNumeric } from "../../domain/currency.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { quoteId, quoteMismatch, quoteRate, type Exchange, type Quote } from "../../domain/quote.ts";
import { CONNECTOR_VERSION } from "../../domain/versions.ts";
import { authorizationSchema, parseWire, quoteSchema } from "../../domain/wire.ts";
import type { Ledger } from "../../ledger/contracts.ts";
import { isQuoteSigned } from "../../ledger/signed-by.ts";
import { latestHead } from "../../ledger/state.ts";
import { holdsKey, type RegisteredPartner, type Registry } from "../../ledger/registry.ts";
import type { Clock } from "../../kernel/clock/clock.ts";
import type { Logger } from "../../kernel/telemetry/logger.ts";
import type { Metrics } from "../../kernel/telemetry/metrics.ts";
import type { Tracer } from "../../kernel/telemetry/tracing.ts";
import { parseJson } from "../../kernel/http/body.ts";
import type { Outside } from "../../kernel/outside/outside.ts";

/** A quote as its provider hands it out, with the signature that the ledger asks for. */
export interface Offer {
  /** The quote's id: its EIP-712 digest. */
  readonly id: Hex;
  readonly quote: Quote;
  readonly authorization: Authorization;
}

/** What providers are asked to quote for: the source is the taker, so that what is offered is its alone. */
export interface OfferNeed extends Exchange {
  /** Source minor units that are to be exchanged, fee not included. */
  readonly sourceTotal: bigint;
  /** Target minor units that the quote must be good for at least. */
  readonly targetTotal: bigint;
}

/** The liquidity providers of the network. */
export interface ProviderClient {
  /**
   * Asks every active provider at the same time. Those that fail, are late, or offer what was not asked for or is not
   * signed by a key of theirs, are left out and logged.
   */
  quotes(need: OfferNeed): Promise<readonly Offer[]>;
}

export interface ProviderClientOptions {
  readonly ledger: Ledger;
  readonly registry: Registry;
  readonly outside: Outside;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** How long a batch holds a provider's money at most, in seconds: one that lets it be held for less cannot deliver. */
  readonly holdSeconds: number;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
}

const answerSchema = z.object({ quote: quoteSchema, signature: authorizationSchema });
const MAX_ANSWER_BYTES = 16_384;
/** Who quotes for longer would be the last to be asked for that exchange. */
const MAX_VALIDITY_SECONDS = 86_400;

/** Asks providers over HTTP, at the URLs that they have set in the registry: POST `<url>/quotes`. */
export function httpProviders(options: ProviderClientOptions): ProviderClient {
  const { registry, log, metrics } = options;
  return {
    async quotes(need) {
      const { partners } = await registry.read();
      const providers = [...partners.values()].filter(
        ({ roles, status, url }) => roles.includes("liquidityProvider") && status === "active" && url !== "",
      );
      const answers = await Promise.all(
        providers.map(async (provider) => {
          try {
            const offer = await ask(provider, need, options);
            metrics.providerQuotes.inc({ outcome: "offered" });
            return [offer];
          } catch (error) {
            metrics.providerQuotes.inc({ outcome: "failed" });
            log.warn({ provider: provider.id, error }, "a provider gave no usable quote");
            return [];
          }
        }),
      );
      return answers.flat();
    },
  };
}

async function ask(provider: RegisteredPartner, need: OfferNeed, options: ProviderClientOptions): Promise<Offer> {
  const { outside, timeoutMs, tracer } = options;
  const body = {
    version: CONNECTOR_VERSION,
    taker: need.source,
    sourceCurrency: currencyByNumeric(need.sourceCurrency).code,
    targetCurrency: currencyByNumeric(need.targetCurrency).code,
    sourceTotalMinor: String(need.sourceTotal),
    targetCapacityMinor: String(need.targetTotal),
  };
  return tracer.span("provider.quote", { provider: provider.id }, async () => {
    const response = await outside.post(`${provider.url.replace(/\/+$/, "")}/quotes`, {
      headers: tracer.inject({ "content-type": "application/json", accept: "application/json" }),
      body: JSON.stringify(body),
      timeoutMs,
      maxAnswerBytes: MAX_ANSWER_BYTES,
    });
    if (response.status !== 200) throw new Error(`answered ${response.status}`);
    const { quote, signature } = parseWire(answerSchema, parseJson(response.body, "answer"), "answer");
    await requireUsable(provider, quote, signature, need, options);
    return { id: quoteId(quote, options.ledger.chain), quote, authorization: signature };
  });
}

/** What the ledger would refuse, or would let others use up, is no offer. */
async function requireUsable(
  provider: RegisteredPartner,
  quote: Quote,
  authorization: Authorization,
  need: OfferNeed,
  { ledger, clock, holdSeconds }: ProviderClientOptions,
): Promise<void> {
  if (quote.provider !== provider.id) throw new InvalidInput("quote.provider", String(provider.id), quote.provider);
  if (quote.taker !== need.source) throw new InvalidInput("quote.taker", String(need.source), quote.taker);
  const mismatch = quoteMismatch(quote, need);
  if (mismatch !== undefined) throw new InvalidInput(`quote.${mismatch}`, "as asked for", quote[mismatch]);
  quoteRate(quote);
  if (quote.maxHold < holdSeconds) {
    throw new InvalidInput(
      "quote.maxHold",
      `at least ${holdSeconds}, for so long batches hold the money`,
      quote.maxHold,
    );
  }
  if (quote.capacity === 0n) throw new InvalidInput("quote.capacity", "more than zero");
  const nowSeconds = Math.floor(clock.nowMs() / 1_000);
  const latest = quote.validUntil - MAX_VALIDITY_SECONDS;
  // Of the clock and block time, which ends it, the later one.
  if (latest > nowSeconds && latest > (await latestHead(ledger)).timeSeconds) {
    throw new InvalidInput("quote.validUntil", "at most a day from now", quote.validUntil);
  }
  if (!holdsKey(provider, authorization.key, "quote", nowSeconds)) {
    throw new InvalidInput("signature.key", "a key that the registry has for the provider's quotes", authorization.key);
  }
  if (!(await isQuoteSigned(ledger, quote, authorization))) {
    throw new InvalidInput("signature", `made with ${authorization.key} over the quote`);
  }
}
