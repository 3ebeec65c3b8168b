import { exceedsRate } from "../../src/domain/batch.ts";
import { feeForSettledUp, networkFeeUp } from "../../src/domain/corridor.ts";
import { BATCH_OPERATIONS, BatchStatus, transition } from "../../src/domain/lifecycle.ts";
import { MAX_MINOR } from "../../src/domain/money.ts";
import { parsePartnerId } from "../../src/domain/partner.ts";
import { NO_QUOTE } from "../../src/domain/quote.ts";
import { convertDown, rateOfRatio, sourceForTargetUp } from "../../src/domain/rate.ts";

/** Rounding at its edges, the limit of 128 bits among them, and the life cycle in full. */
export function arithmeticVectors() {
  return {
    convertDown: rateCases().map(([amount, numerator, denominator]) => ({
      sourceMinor: String(amount),
      rateNumerator: String(numerator),
      rateDenominator: String(denominator),
      targetMinor: String(convertDown(amount, rateOfRatio(numerator, denominator))),
    })),
    sourceForTargetUp: rateCases().map(([amount, numerator, denominator]) => ({
      targetMinor: String(amount),
      rateNumerator: String(numerator),
      rateDenominator: String(denominator),
      sourceMinor: String(sourceForTargetUp(amount, rateOfRatio(numerator, denominator))),
    })),
    exceedsRate: rateCases().flatMap(exceedsRateVectors),
    networkFeeUp: networkFeeVectors(),
    feeForSettledUp: settledFeeVectors(),
    transitions: transitionVectors(),
  };
}

function rateCases(): readonly (readonly [amount: bigint, numerator: bigint, denominator: bigint])[] {
  const amounts = [0n, 1n, 2n, 99n, 100n, 101n, 12_345_678_901n, 2n ** 64n, MAX_MINOR - 1n, MAX_MINOR];
  const rates = [
    [1n, 1n],
    [1n, 3n],
    [2n, 3n],
    [19_231n, 10_000n],
    [1n, MAX_MINOR],
    [MAX_MINOR, 1n],
    [MAX_MINOR - 1n, MAX_MINOR],
    [MAX_MINOR, MAX_MINOR - 1n],
  ] as const;
  return rates.flatMap(([numerator, denominator]) =>
    amounts.map((amount) => [amount, numerator, denominator] as const),
  );
}

function exceedsRateVectors([sourceAmount, rateNumerator, rateDenominator]: readonly [bigint, bigint, bigint]) {
  const floor = (sourceAmount * rateNumerator) / rateDenominator;
  const quote = { ...NO_QUOTE, provider: parsePartnerId(11), rateNumerator, rateDenominator };
  return [floor, floor + 1n]
    .filter((targetAmount) => targetAmount <= MAX_MINOR)
    .map((targetAmount) => ({
      sourceAmount: String(sourceAmount),
      targetAmount: String(targetAmount),
      rateNumerator: String(rateNumerator),
      rateDenominator: String(rateDenominator),
      exceeds: exceedsRate({ sourceCurrency: 156, targetCurrency: 608, quote }, sourceAmount, targetAmount),
    }));
}

function networkFeeVectors() {
  const totals = [0n, 1n, 9_999n, 10_000n, 10_001n, 123_456_789n, 2n ** 112n - 1n, MAX_MINOR];
  return totals.flatMap((sourceTotal) =>
    [0n, 1n, 30n, 1_000n, 10_000n].map((feeBps) => ({
      sourceTotal: String(sourceTotal),
      feeBps: String(feeBps),
      fee: String(networkFeeUp(sourceTotal, feeBps)),
    })),
  );
}

function settledFeeVectors() {
  return [1n, 3n, 10_000n, 2n ** 112n - 1n, MAX_MINOR].flatMap((sourceTotal) =>
    [0n, 1n, 7n, MAX_MINOR].flatMap((fee) =>
      [...new Set([0n, 1n, sourceTotal / 2n, sourceTotal - 1n, sourceTotal])].map((settledSource) => ({
        fee: String(fee),
        settledSource: String(settledSource),
        sourceTotal: String(sourceTotal),
        feeCharged: String(feeForSettledUp(fee, settledSource, sourceTotal)),
      })),
    ),
  );
}

function transitionVectors() {
  return Object.values(BatchStatus).flatMap((status) =>
    BATCH_OPERATIONS.map((operation) => {
      const result = transition(status, operation);
      return {
        status: String(status),
        operation,
        allowed: result.kind === "moved",
        next: String(result.kind === "moved" ? result.status : status),
      };
    }),
  );
}
