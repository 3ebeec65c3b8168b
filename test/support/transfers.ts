import type { Batch } from "../../src/domain/batch.ts";
import { toHex, type Hex } from "../../src/domain/bytes/hex.ts";
import type { Corridor } from "../../src/domain/corridor.ts";
import { currencyOf, parseCurrency } from "../../src/domain/currency.ts";
import { hashDetails, type TransferDetails } from "../../src/domain/details.ts";
import { parsePartnerId, type PartnerId } from "../../src/domain/partner.ts";
import type { PayloadTransfer } from "../../src/domain/payload.ts";
import { isNoQuote, quoteRate, type Quote } from "../../src/domain/quote.ts";
import { convertDown } from "../../src/domain/rate.ts";
import type { ReasonCode } from "../../src/domain/reason.ts";
import { proveRejections, type ProvedRejections } from "../../src/domain/settlement.ts";
import type { Transfer } from "../../src/domain/transfer.ts";
import { parseUetr, uetrFromRandom } from "../../src/domain/uetr.ts";
import { createRandom } from "../../src/kernel/random.ts";

// The one library of what tests put into batches: quotes, transfers, refusals. `batches.ts` signs them for a ledger.

const HKD = parseCurrency("HKD").code;
const [HUB, GCASH, ALIPAY_HK] = [1, 4, 7].map((id) => parsePartnerId(id)) as [PartnerId, PartnerId, PartnerId]; // three
export const HKD_TO_PHP: Corridor = {
  source: ALIPAY_HK,
  sourceCurrency: HKD,
  target: GCASH,
  targetCurrency: parseCurrency("PHP").code,
};
/** Needs no exchange. */
export const HKD_TO_HKD: Corridor = { source: ALIPAY_HK, sourceCurrency: HKD, target: HUB, targetCurrency: HKD };

/** The provider whose quotes batches carry, unless a test says otherwise. */
export const PROVIDER = parsePartnerId(11);

/** A quote of the first provider that any source partner may draw on: 7.25 target for 10 source minor units. */
export function makeQuote(corridor: Corridor, given: Pick<Quote, "validUntil"> & Partial<Quote>): Quote {
  return {
    provider: PROVIDER,
    taker: 0,
    sourceCurrency: currencyOf(corridor.sourceCurrency).numeric,
    targetCurrency: currencyOf(corridor.targetCurrency).numeric,
    rateNumerator: 725n,
    rateDenominator: 1_000n,
    capacity: 10n ** 11n,
    maxHold: 3_600,
    nonce: 1n,
    ...given,
  };
}

const alias = (value: string) => ({ type: "MSISDN", value });
const DETAILS: TransferDetails = {
  debtor: { name: "Chan Tai Man", alias: alias("+85291234567") },
  creditor: { name: "Maria Dela Cruz", alias: alias("+639171234567") },
  remittance: { purpose: "FAMI", unstructured: "For Mum" },
};

/** A transfer with what opens its details: those of two persons, unless given. */
export function openable(
  transfer: Omit<Transfer, "detailsHash">,
  salt: Hex,
  details: TransferDetails = DETAILS,
): PayloadTransfer {
  return { ...transfer, details, salt, detailsHash: hashDetails(details, salt) };
}

/** Transfers of 1.00 to 1,000.00 in the source currency, converted at the quote's rate. Other seeds, other transfers. */
export function makeTransfers(count: number, quote: Quote, seed: string): PayloadTransfer[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const sourceAmount = BigInt(100 + random.below(99_901));
    const targetAmount = isNoQuote(quote) ? sourceAmount : convertDown(sourceAmount, quoteRate(quote));
    const uetr = uetrFromRandom(random.bytes(16));
    return openable({ uetr, sourceAmount, targetAmount }, toHex(random.bytes(32)));
  });
}

/** A transfer of these amounts, told from others by a number. */
export function transferOf(number: number, sourceAmount: bigint, targetAmount: bigint): Transfer {
  const uetr = parseUetr(`97ed4827-7b6f-4491-a06f-${String(number).padStart(12, "0")}`);
  return { uetr, sourceAmount, targetAmount, detailsHash: `0x${"ab".repeat(32)}` };
}

/** Why which transfers are refused, by their index in the batch. */
export type Refusals = Readonly<Record<number, ReasonCode>>;

/** Every transfer of a batch refused, for a missing account. */
export function refuseAll({ transfers }: Pick<Batch, "transfers">): Refusals {
  return Object.fromEntries(transfers.map((_, index) => [index, "AC03" as const]));
}

/** @throws RangeError when there is no such transfer */
export function proveRefusals(batch: Batch, refusals: Refusals): ProvedRejections {
  const reasons = new Map(
    Object.entries(refusals).map(([index, reason]) => {
      const transfer = batch.transfers[Number.parseInt(index, 10)];
      if (transfer === undefined) throw new RangeError(`the batch has no transfer ${index}`);
      return [transfer.uetr, reason] as const;
    }),
  );
  return proveRejections(batch, reasons);
}
