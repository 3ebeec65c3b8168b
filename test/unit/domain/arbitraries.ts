import * as fc from "fast-check";
import { buildBatch, type Batch, type BatchHeader } from "../../../src/domain/batch.ts";
import { toHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import type { Corridor } from "../../../src/domain/corridor.ts";
import { CURRENCIES, currencyOf, parseCurrency, type Currency } from "../../../src/domain/currency.ts";
import { MAX_MINOR } from "../../../src/domain/money.ts";
import { parsePartnerId, type PartnerId } from "../../../src/domain/partner.ts";
import { NO_QUOTE, type Quote } from "../../../src/domain/quote.ts";
import { rateOfRatio, type Rate } from "../../../src/domain/rate.ts";
import type { Transfer } from "../../../src/domain/transfer.ts";
import type { Chain } from "../../../src/domain/typed-data.ts";
import { uetrFromRandom, type Uetr } from "../../../src/domain/uetr.ts";

export const anyBytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
export const anyHash: fc.Arbitrary<Hex> = anyBytes(32).map(toHex);
export const anyUint = (bits: number): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n });
const anySmallUint = (bits: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** bits - 1 });

/** Amounts at every magnitude: a uniform draw would nearly always have 38 digits. */
export const anyMinor: fc.Arbitrary<bigint> = fc.oneof(
  anyUint(8),
  anyUint(40),
  anyUint(128),
  fc.constantFrom(0n, 1n, MAX_MINOR - 1n, MAX_MINOR),
);
export const anyPositiveMinor = anyMinor.filter((minor) => minor > 0n);
export const anyCurrency: fc.Arbitrary<Currency> = fc.constantFrom(...CURRENCIES);
export const anyRate: fc.Arbitrary<Rate> = fc
  .tuple(anyPositiveMinor, anyPositiveMinor)
  .map(([numerator, denominator]) => rateOfRatio(numerator, denominator));
/** Rates as the ten countries' currencies have them, so that ordinary amounts come out as ordinary amounts. */
const anyOrdinaryRate: fc.Arbitrary<Rate> = fc
  .tuple(fc.bigInt({ min: 1n, max: 10n ** 9n }), fc.bigInt({ min: 1n, max: 10n ** 9n }))
  .map(([numerator, denominator]) => rateOfRatio(numerator, denominator));
export const anyUetr: fc.Arbitrary<Uetr> = anyBytes(16).map(uetrFromRandom);
export const anyPartner: fc.Arbitrary<PartnerId> = fc.integer({ min: 1, max: 65_535 }).map((id) => parsePartnerId(id));

export const anyChain: fc.Arbitrary<Chain> = fc.record({
  chainId: anyUint(256),
  transferRegistry: anyBytes(20).map(toHex),
  quoteBook: anyBytes(20).map(toHex),
});

export const anyQuote: fc.Arbitrary<Quote> = fc.record({
  provider: anyPartner,
  taker: fc.oneof(anyPartner, fc.constant(0 as const)),
  sourceCurrency: anySmallUint(16),
  targetCurrency: anySmallUint(16),
  rateNumerator: anyUint(128),
  rateDenominator: anyUint(128),
  capacity: anyUint(128),
  validUntil: anySmallUint(48),
  maxHold: anySmallUint(32),
  nonce: anyUint(64),
});

export const anyHeader: fc.Arbitrary<BatchHeader> = fc.record({
  source: anyPartner,
  target: anyPartner,
  sourceCurrency: anySmallUint(16),
  targetCurrency: anySmallUint(16),
  count: anySmallUint(32),
  sourceTotal: anyUint(128),
  targetTotal: anyUint(128),
  fee: anyUint(128),
  expiresAt: anySmallUint(48),
  root: anyHash,
  quote: fc.oneof(anyQuote, fc.constant(NO_QUOTE)),
});

export const anyTransfer: fc.Arbitrary<Transfer> = fc.record({
  uetr: anyUetr,
  sourceAmount: anyMinor,
  targetAmount: anyMinor,
  detailsHash: anyHash,
});

export const CNY_TO_PHP: Corridor = {
  source: parsePartnerId(1),
  sourceCurrency: parseCurrency("CNY").code,
  target: parsePartnerId(4),
  targetCurrency: parseCurrency("PHP").code,
};
export const HKD_TO_HKD: Corridor = {
  source: parsePartnerId(7),
  sourceCurrency: parseCurrency("HKD").code,
  target: parsePartnerId(1),
  targetCurrency: parseCurrency("HKD").code,
};

/** A quote that fits `CNY_TO_PHP`: 7.81 pesos a yuan, room for everything. */
export const CNY_PHP_QUOTE: Quote = {
  provider: parsePartnerId(11),
  taker: 0,
  sourceCurrency: currencyOf(CNY_TO_PHP.sourceCurrency).numeric,
  targetCurrency: currencyOf(CNY_TO_PHP.targetCurrency).numeric,
  rateNumerator: 781n,
  rateDenominator: 100n,
  capacity: MAX_MINOR,
  validUntil: 2_000_000_000,
  maxHold: 3_600,
  nonce: 1n,
};

/** Valid batches of 1…12 transfers, with an exchange or of a same-currency corridor. */
export const anyBatch: fc.Arbitrary<Batch> = fc
  .record({
    sameCurrency: fc.boolean(),
    rate: anyOrdinaryRate,
    feeBps: fc.bigInt({ min: 0n, max: 1_000n }),
    salt: anyBytes(14),
    amounts: fc.array(fc.tuple(fc.bigInt({ min: 1n, max: 10n ** 27n }), fc.bigInt({ min: 0n, max: 3n })), {
      minLength: 1,
      maxLength: 12,
    }),
  })
  .map(({ sameCurrency, rate, feeBps, salt, amounts }) => {
    const transfers = amounts.map(([drawn, less], index): Transfer => {
      // Enough source for three target units, so that some targets can be below the rate's floor by a little.
      const sourceAmount = sameCurrency ? drawn : drawn + (4n * rate.denominator) / rate.numerator + 1n;
      const floor = (sourceAmount * rate.numerator) / rate.denominator;
      return {
        uetr: uetrFromRandom(Uint8Array.of(index, ...salt, 0)),
        sourceAmount,
        targetAmount: sameCurrency ? sourceAmount : floor - less,
        detailsHash: toHex(new Uint8Array(32).fill(index)),
      };
    });
    const quote: Quote = { ...CNY_PHP_QUOTE, rateNumerator: rate.numerator, rateDenominator: rate.denominator };
    return sameCurrency
      ? buildBatch(transfers, HKD_TO_HKD, NO_QUOTE, feeBps, 1_900_000_000)
      : buildBatch(transfers, CNY_TO_PHP, quote, feeBps, 1_900_000_000);
  });
