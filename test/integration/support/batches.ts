import { batchId, buildBatch, type Batch } from "../../../src/domain/batch.ts";
import type { Hex } from "../../../src/domain/bytes/hex.ts";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { isSameCurrency, type Corridor } from "../../../src/domain/corridor.ts";
import { currencyOf } from "../../../src/domain/currency.ts";
import { hashDetails } from "../../../src/domain/details.ts";
import { NO_QUOTE, quoteRate, type Quote } from "../../../src/domain/quote.ts";
import { convertDown } from "../../../src/domain/rate.ts";
import type { ReasonCode } from "../../../src/domain/reason.ts";
import { proveRejections, type ProvedRejections } from "../../../src/domain/settlement.ts";
import type { PayloadTransfer } from "../../../src/domain/payload.ts";
import { uetrFromRandom } from "../../../src/domain/uetr.ts";
import { beatCall, openCall, settleCall } from "../../../src/ledger/calls.ts";
import { NO_AUTHORIZATION, signBatch, signQuote, signSettlement } from "../../../src/ledger/signing.ts";
import type { Call } from "../../../src/ledger/submitter.ts";
import { createRandom } from "../../../src/kernel/random.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { HKD_TO_PHP, networkHelpers, PROVIDER } from "./chain.ts";

export const FEE_BPS = 5n;
const HOLD_SECONDS = 300;

/** A batch with the call that opens it. */
export interface OpenableBatch extends Batch {
  /** With what opens their details. */
  readonly transfers: readonly PayloadTransfer[];
  readonly id: Hex;
  readonly open: Call;
}

export interface BatchPlan {
  readonly corridor?: Corridor;
  /** Number of transfers; 3 by default. */
  readonly count?: number;
  /** Batches of different seeds have different transfers. */
  readonly seed?: string;
}

/** A quote of the first provider, 7.25 target for 10 source minor units. */
export async function makeQuote(corridor: Corridor): Promise<Quote> {
  return {
    provider: PROVIDER,
    taker: 0,
    sourceCurrency: currencyOf(corridor.sourceCurrency).numeric,
    targetCurrency: currencyOf(corridor.targetCurrency).numeric,
    rateNumerator: 725n,
    rateDenominator: 1_000n,
    capacity: 10n ** 11n,
    validUntil: (await networkHelpers.time.latest()) + 3_600,
    maxHold: 3_600,
    nonce: 1n,
  };
}

/** A batch that the ledger takes, signed by its source partner and its provider. */
export async function makeBatch({ ledger, keys }: Sandbox, plan: BatchPlan = {}): Promise<OpenableBatch> {
  const { corridor = HKD_TO_PHP, count = 3, seed = "a batch" } = plan;
  const quote = isSameCurrency(corridor) ? NO_QUOTE : await makeQuote(corridor);
  const random = createRandom(seed);
  const transfers = Array.from({ length: count }, (): PayloadTransfer => {
    const sourceAmount = BigInt(10_000 + random.below(100_000));
    const targetAmount = isSameCurrency(corridor) ? sourceAmount : convertDown(sourceAmount, quoteRate(quote));
    const uetr = uetrFromRandom(random.bytes(16));
    const salt = toHex(random.bytes(32));
    const alias = (value: string) => ({ type: "MSISDN", value });
    const details = {
      debtor: { name: "Chan Tai Man", alias: alias("+85291234567") },
      creditor: { name: "Maria Dela Cruz", alias: alias("+639171234567") },
      remittance: { purpose: "FAMI" },
    };
    return { uetr, sourceAmount, targetAmount, detailsHash: hashDetails(details, salt), details, salt };
  });
  const expiresAt = Number.parseInt(String(await ledger.transferRegistry.time()), 10) + HOLD_SECONDS;
  const batch = buildBatch(transfers, corridor, quote, FEE_BPS, expiresAt);
  const operator = (partner: typeof PROVIDER) => keys.walletOf({ kind: "operator", partner });
  const send = await signBatch(operator(corridor.source), ledger.chain, batch.header);
  const offer = isSameCurrency(corridor)
    ? NO_AUTHORIZATION
    : await signQuote(operator(PROVIDER), ledger.chain, batch.header.quote);
  return {
    ...batch,
    transfers,
    id: batchId(batch.header, ledger.chain),
    open: openCall(ledger, batch.header, send, offer),
  };
}

/** Why which transfers are refused, by their index in the batch. */
export type Refusals = Readonly<Record<number, ReasonCode>>;

export function prove(batch: Batch, refusals: Refusals): ProvedRejections {
  const reasons = batch.transfers.flatMap(({ uetr }, index) => {
    const reason = refusals[index];
    return reason === undefined ? [] : [[uetr, reason] as const];
  });
  return proveRejections(batch, new Map(reasons));
}

/** The call that settles a batch, signed by its target partner. */
export async function makeSettlement(
  { ledger, keys }: Sandbox,
  batch: Batch & Pick<OpenableBatch, "id">,
  refusals: Refusals = {},
): Promise<Call> {
  const proved = prove(batch, refusals);
  const accept = await signSettlement(keys.walletOf({ kind: "operator", partner: batch.header.target }), ledger.chain, {
    batchId: batch.id,
    rejectionsHash: proved.rejectionsHash,
  });
  return settleCall(ledger, batch.header, proved, accept);
}

/** Lets the ledger run, beating, until a batch is past its expiry. */
export async function runPastExpiry({ ledger, submitterOf }: Sandbox, batch: Batch): Promise<void> {
  const anyone = await submitterOf({ kind: "courier" });
  for (let rounds = 0; rounds < 30; rounds++) {
    if ((await ledger.transferRegistry.time()) >= BigInt(batch.header.expiresAt)) return;
    await networkHelpers.time.increase(25);
    await anyone.submit(beatCall(ledger));
  }
  throw new Error("ledger time stands still");
}
