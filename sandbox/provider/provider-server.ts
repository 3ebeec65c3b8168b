import Fastify from "fastify";
import { z } from "zod/v4";
import { currencyOf, parseCurrency } from "../../src/domain/currency.ts";
import { InvalidInput } from "../../src/domain/errors.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import { minorUnits, parsedBy, parseWire, partnerNumber, toJson } from "../../src/domain/wire.ts";
import { requireVersion, UnsupportedVersion } from "../connector-version.ts";
import { listenLocally } from "../listen.ts";
import type { LiquidityProvider } from "./liquidity-provider.ts";

/** A liquidity provider's desk: whoever asks is handed a firm, signed quote. */
export interface ProviderServer {
  readonly id: PartnerId;
  readonly url: string;
  stop(): Promise<void>;
}

export interface ProviderServerOptions {
  readonly provider: LiquidityProvider;
  /** Block time, which the ledger judges quotes by, in seconds. */
  readonly blockTime: () => Promise<number>;
  /** Any free one by default. */
  readonly port?: number;
}

const currency = parsedBy(z.string(), (text) => parseCurrency(text).code);
const quotesBody = z.object({
  taker: partnerNumber,
  sourceCurrency: currency,
  targetCurrency: currency,
  sourceTotalMinor: minorUnits,
  targetCapacityMinor: minorUnits.optional(),
});

/** Starts a liquidity provider's desk on this machine. Its quotes are for the taker who asks, and nobody else. */
export async function startProviderServer({
  provider,
  blockTime,
  port,
}: ProviderServerOptions): Promise<ProviderServer> {
  const app = Fastify({ forceCloseConnections: true });
  app.post("/quotes", async (request) => {
    requireVersion(request.body);
    const asked = parseWire(quotesBody, request.body, "body");
    const exchange = {
      source: asked.taker,
      sourceCurrency: currencyOf(asked.sourceCurrency).numeric,
      targetCurrency: currencyOf(asked.targetCurrency).numeric,
    };
    const offered = await provider.offer(
      exchange,
      asked.sourceTotalMinor,
      await blockTime(),
      asked.targetCapacityMinor,
    );
    const { quote, authorization } = offered;
    return { quote: toJson(quote), signature: authorization };
  });
  app.setErrorHandler((failure, _request, reply) => {
    if (failure instanceof UnsupportedVersion) return reply.code(400).send(failure.answer);
    return reply
      .code(failure instanceof InvalidInput ? 400 : 500)
      .send({ error: failure instanceof Error ? failure.message : "failed" });
  });
  return { id: provider.id, url: await listenLocally(app, port), stop: () => app.close() };
}
