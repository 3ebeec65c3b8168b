import type { Signer } from "ethers";
import { batchId, buildBatch, type Batch } from "../../../src/domain/batch.ts";
import { toHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import { isSameCurrency, type Corridor } from "../../../src/domain/corridor.ts";
import { currencyOf } from "../../../src/domain/currency.ts";
import { NO_QUOTE, quoteRate, type Quote } from "../../../src/domain/quote.ts";
import { convertDown } from "../../../src/domain/rate.ts";
import type { ReasonCode } from "../../../src/domain/reason.ts";
import { proveRejections, type ProvedRejections } from "../../../src/domain/settlement.ts";
import type { Transfer } from "../../../src/domain/transfer.ts";
import { uetrFromRandom } from "../../../src/domain/uetr.ts";
import { openCall, settleCall } from "../../../src/ledger/calls.ts";
import { NO_AUTHORIZATION, signBatch, signQuote, signSettlement } from "../../../src/ledger/signing.ts";
import { latestHead, ledgerTimeAt } from "../../../src/ledger/state.ts";
import type { Call } from "../../../src/ledger/submitter.ts";
import { createRandom } from "../../../src/kernel/random.ts";
import { drawSecurely } from "../../../src/kernel/secure-random.ts";
import { PROVIDER } from "./accounts.ts";
import { HKD_TO_PHP, TERMS, type Network } from "./network.ts";

/** A batch with the call that opens it. */
export interface OpenableBatch extends Batch {
  readonly id: Hex;
  readonly open: Call;
}

export interface BatchPlan {
  readonly corridor?: Corridor;
  /** 3 transfers unless given. */
  readonly count?: number;
  /** Seconds of ledger time; 600 unless given. */
  readonly holdSeconds?: number;
  /** Whose signature opens it; the source partner's operator unless given. */
  readonly signer?: Signer;
}

/** A quote that no other is like, 7.25 target for 10 source minor units. */
async function makeQuote({ first: { ledger } }: Network, corridor: Corridor): Promise<Quote> {
  return {
    provider: PROVIDER,
    taker: corridor.source,
    sourceCurrency: currencyOf(corridor.sourceCurrency).numeric,
    targetCurrency: currencyOf(corridor.targetCurrency).numeric,
    rateNumerator: 725n,
    rateDenominator: 1_000n,
    capacity: 10n ** 11n,
    validUntil: (await latestHead(ledger)).timeSeconds + 3_600,
    maxHold: 3_600,
    nonce: BigInt(toHex(drawSecurely(8))),
  };
}

/** A batch that the ledger takes, signed by its source partner and its provider; no two are alike. */
export async function makeBatch(network: Network, plan: BatchPlan = {}): Promise<OpenableBatch> {
  const { corridor = HKD_TO_PHP, count = 3, holdSeconds = 600 } = plan;
  const { ledger } = network.first;
  const { keys } = network.accounts;
  const isSame = isSameCurrency(corridor);
  const quote = isSame ? NO_QUOTE : await makeQuote(network, corridor);
  const random = createRandom(toHex(drawSecurely(16)));
  const transfers = Array.from({ length: count }, (): Transfer => {
    const sourceAmount = BigInt(10_000 + random.below(100_000));
    const targetAmount = isSame ? sourceAmount : convertDown(sourceAmount, quoteRate(quote));
    const detailsHash = `0x${"d".repeat(64)}` as const;
    return { uetr: uetrFromRandom(random.bytes(16)), sourceAmount, targetAmount, detailsHash };
  });
  const expiresAt = (await ledgerTimeAt(ledger, "latest")) + holdSeconds;
  const batch = buildBatch(transfers, corridor, quote, TERMS.feeBps, expiresAt);
  const signer = plan.signer ?? keys.walletOf({ kind: "operator", partner: corridor.source });
  const send = await signBatch(signer, ledger.chain, batch.header);
  const offer = isSame
    ? NO_AUTHORIZATION
    : await signQuote(keys.walletOf({ kind: "operator", partner: PROVIDER }), ledger.chain, quote);
  return { ...batch, id: batchId(batch.header, ledger.chain), open: openCall(ledger, batch.header, send, offer) };
}

/** Why which transfers are refused, by their index in the batch. */
export type Refusals = Readonly<Record<number, ReasonCode>>;

export interface PlannedSettlement extends ProvedRejections {
  readonly settle: Call;
}

/** The call that settles a batch, signed by its target partner. */
export async function makeSettlement(
  { first: { ledger }, accounts: { keys } }: Network,
  batch: OpenableBatch,
  refusals: Refusals = {},
): Promise<PlannedSettlement> {
  const reasons = batch.transfers.flatMap(({ uetr }, index) => {
    const reason = refusals[index];
    return reason === undefined ? [] : [[uetr, reason] as const];
  });
  const proved = proveRejections(batch, new Map(reasons));
  const accept = await signSettlement(keys.walletOf({ kind: "operator", partner: batch.header.target }), ledger.chain, {
    batchId: batch.id,
    rejectionsHash: proved.rejectionsHash,
  });
  return { ...proved, settle: settleCall(ledger, batch.header, proved, accept) };
}
