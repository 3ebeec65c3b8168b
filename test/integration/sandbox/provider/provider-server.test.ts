import { expect } from "chai";
import { recoverAddress } from "ethers";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import { quoteId, quoteRate, type Quote } from "../../../../src/domain/quote.ts";
import { convertDown } from "../../../../src/domain/rate.ts";
import { authorizationSchema, parseWire, quoteSchema } from "../../../../src/domain/wire.ts";
import { createRandom } from "../../../../src/kernel/random.ts";
import { createLiquidityProvider } from "../../../../sandbox/provider/liquidity-provider.ts";
import { PROVIDERS, sandboxKeys } from "../../../../sandbox/network.ts";
import { startProviderServer, type ProviderServer } from "../../../../sandbox/provider/provider-server.ts";
import { loadRateBook } from "../../../../sandbox/provider/rates.ts";

const [{ id }] = PROVIDERS;
const signer = sandboxKeys().walletOf({ kind: "operator", partner: id });
const chain = {
  chainId: 31_337n,
  transferRegistry: `0x${"11".repeat(20)}`,
  quoteBook: `0x${"12".repeat(20)}`,
} as const;
const NOW = 1_800_000_000;
const TAKER = parsePartnerId(7);

describe("the sandbox's liquidity provider", () => {
  const nonces: bigint[] = [];
  let server: ProviderServer;

  before(async () => {
    const rates = (await loadRateBook()).on();
    const drawNonce = () => {
      nonces.push(BigInt(nonces.length) + 2n ** 63n);
      return nonces.at(-1) ?? 0n;
    };
    const random = createRandom("provider");
    const provider = createLiquidityProvider({ id, signer, ledger: { chain }, rates, random, drawNonce });
    server = await startProviderServer({ provider, blockTime: () => Promise.resolve(NOW) });
  });
  after(() => server.stop());

  const ask = (change: object = {}) =>
    fetch(`${server.url}/quotes`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        taker: TAKER,
        sourceCurrency: "HKD",
        targetCurrency: "PHP",
        sourceTotalMinor: "150000",
        ...change,
      }),
    });
  const quoted = async (change: object = {}): Promise<{ readonly quote: Quote; readonly signature: string }> => {
    const response = await ask(change);
    expect(response.status).to.equal(200);
    const { quote, signature } = (await response.json()) as Record<string, unknown>; // parsed just below
    const authorization = parseWire(authorizationSchema, signature, "signature");
    expect(authorization.key).to.equal(signer.address.toLowerCase());
    return { quote: parseWire(quoteSchema, quote, "quote"), signature: authorization.signature };
  };

  it("offers whoever asks a firm quote of its own, signed for the ledger", async () => {
    const { quote, signature } = await quoted();
    expect(quote).to.deep.include({
      provider: id,
      taker: TAKER,
      sourceCurrency: parseCurrency("HKD").numeric,
      targetCurrency: parseCurrency("PHP").numeric,
      validUntil: NOW + 600,
      maxHold: 900,
    });
    expect(recoverAddress(quoteId(quote, chain), signature)).to.equal(signer.address);
    const worth = convertDown(150_000n, quoteRate(quote));
    // A dollar buys some 60 pesos and just under 8 Hong Kong dollars, on whatever day the rates package is of.
    expect(worth >= 800_000n && worth <= 1_600_000n, String(worth)).to.equal(true);
    expect(quote.capacity >= 100n * worth).to.equal(true);
  });

  it("sells as much as is asked for, by either amount", async () => {
    const { quote } = await quoted({ sourceTotalMinor: "1", targetCapacityMinor: "123456789" });
    expect(quote.capacity >= 123_456_789n).to.equal(true);
  });

  it("uses no nonce twice", async () => {
    const quotes = await Promise.all(Array.from({ length: 5 }, () => quoted()));
    expect(new Set(quotes.map(({ quote }) => quote.nonce)).size).to.equal(5);
    expect(nonces).to.include.members(quotes.map(({ quote }) => quote.nonce));
  });

  it("refuses what it cannot quote for", async () => {
    const wrong = [
      { taker: 0 },
      { sourceCurrency: "XXX" },
      { targetCurrency: 608 },
      { sourceTotalMinor: 1_500 },
      { sourceTotalMinor: "-1" },
      // A currency that it has no rates of.
      { targetCurrency: "EUR" },
    ];
    for (const change of wrong) {
      const response = await ask(change);
      expect([JSON.stringify(change), response.status]).to.deep.equal([JSON.stringify(change), 400]);
    }
  });
});
