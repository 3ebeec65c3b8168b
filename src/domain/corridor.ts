import { currencyByNumeric, currencyOf, type CurrencyCode } from "./currency.ts";
import { InvalidInput } from "./errors.ts";
import { requireMinor } from "./money.ts";
import { parsePartnerId, type PartnerId } from "./partner.ts";
import { divideUp } from "./rate.ts";

/** A direction money moves in: whose customer pays in which currency, whose customer is paid in which. */
export interface Corridor {
  readonly source: PartnerId;
  readonly sourceCurrency: CurrencyCode;
  readonly target: PartnerId;
  readonly targetCurrency: CurrencyCode;
}

/** What is exchanged for what. */
export type CurrencyPair = Pick<Corridor, "sourceCurrency" | "targetCurrency">;

/** What the registry has agreed for a corridor. Limits are in source minor units, fees not included. */
export interface CorridorTerms {
  readonly open: boolean;
  /** Network fee on top of the source total, in basis points, 0…10000. */
  readonly feeBps: bigint;
  readonly maxPerBatch: bigint;
  readonly maxPerDay: bigint;
}

/** A corridor with its terms, as a registry has it, or is to. */
export interface RegisteredCorridor {
  readonly corridor: Corridor;
  readonly terms: CorridorTerms;
}

/** The greatest that a corridor's limit can be on the ledger (uint64): whoever sets it sets none. */
export const NO_LIMIT = 2n ** 64n - 1n;

const BPS_PER_ONE = 10_000n;

/** A corridor as text, for keys and logs: "1:CNY>4:PHP". */
export function corridorKey({ source, sourceCurrency, target, targetCurrency }: Corridor): string {
  return `${source}:${sourceCurrency}>${target}:${targetCurrency}`;
}

/** A corridor as the ledger's uint64: source ‖ source currency ‖ target ‖ target currency, 16 bits each. */
export function corridorId({ source, sourceCurrency, target, targetCurrency }: Corridor): bigint {
  return [source, currencyOf(sourceCurrency).numeric, target, currencyOf(targetCurrency).numeric].reduce(
    (id, part) => (id << 16n) | BigInt(part),
    0n,
  );
}

/**
 * Reads a corridor back from the ledger's uint64.
 * @throws InvalidInput when a part is no partner id or no currency
 */
export function corridorFromId(id: bigint): Corridor {
  if (id < 0n || id >> 64n !== 0n) throw new InvalidInput("corridor", "a uint64", id);
  const parts = new DataView(new ArrayBuffer(8));
  parts.setBigUint64(0, id);
  return {
    source: parsePartnerId(parts.getUint16(0), "corridor.source"),
    sourceCurrency: currencyByNumeric(parts.getUint16(2), "corridor.sourceCurrency").code,
    target: parsePartnerId(parts.getUint16(4), "corridor.target"),
    targetCurrency: currencyByNumeric(parts.getUint16(6), "corridor.targetCurrency").code,
  };
}

/** Whether both ends use one currency, so that no provider and no quote is needed. */
export function isSameCurrency({ sourceCurrency, targetCurrency }: Corridor): boolean {
  return sourceCurrency === targetCurrency;
}

/**
 * The network fee of a batch in source minor units, rounded up.
 * @throws InvalidInput when `sourceTotal` is not an amount or `feeBps` not 0…10000
 */
export function networkFeeUp(sourceTotal: bigint, feeBps: bigint): bigint {
  if (feeBps < 0n || feeBps > BPS_PER_ONE) throw new InvalidInput("feeBps", "from 0 to 10000", feeBps);
  return divideUp(requireMinor(sourceTotal, "sourceTotal") * feeBps, BPS_PER_ONE);
}

/**
 * The part of a batch's fee that is charged when only `settledSource` of `sourceTotal` settles, rounded up; the rest
 * goes back to the source partner. Never more than `fee`.
 * @throws InvalidInput when `settledSource` exceeds `sourceTotal`, or the total is zero
 */
export function feeForSettledUp(fee: bigint, settledSource: bigint, sourceTotal: bigint): bigint {
  requireMinor(fee, "fee");
  requireMinor(settledSource, "settledSource");
  if (requireMinor(sourceTotal, "sourceTotal") === 0n) throw new InvalidInput("sourceTotal", "more than zero");
  if (settledSource > sourceTotal) {
    throw new InvalidInput("settledSource", `at most the source total, ${sourceTotal}`, settledSource);
  }
  return divideUp(fee * settledSource, sourceTotal);
}
