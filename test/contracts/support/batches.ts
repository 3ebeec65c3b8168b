import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { ContractTransactionResponse } from "ethers";
import { batchId, buildBatch, type Batch, type BatchHeader } from "../../../src/domain/batch.ts";
import { toHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import { isSameCurrency, type Corridor } from "../../../src/domain/corridor.ts";
import { currencyOf } from "../../../src/domain/currency.ts";
import type { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { merkleProof } from "../../../src/domain/merkle.ts";
import { packHeader, type PackedHeader } from "../../../src/domain/packed-header.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import { NO_QUOTE, isNoQuote, quoteRate, type Quote } from "../../../src/domain/quote.ts";
import { convertDown } from "../../../src/domain/rate.ts";
import type { ReasonCode } from "../../../src/domain/reason.ts";
import { proveRejections, type ProvedRejections } from "../../../src/domain/settlement.ts";
import type { Transfer } from "../../../src/domain/transfer.ts";
import {
  BATCH_TYPES,
  QUOTE_TYPES,
  SETTLEMENT_TYPES,
  batchDomain,
  quoteDomain,
  typedDataDomain,
  type Chain,
} from "../../../src/domain/typed-data.ts";
import { uetrFromRandom } from "../../../src/domain/uetr.ts";
import { createRandom } from "../../../src/kernel/random.ts";
import { multiProofStruct, rejectionStructs, type MultiProofStruct, type RejectionStruct } from "./abi.ts";
import { latestTimestamp, ledgerTime, runUntil } from "./clock.ts";
import { CNY, CORRIDORS, HKD, MYR, TERMS, fail, keysOf, type Network } from "./network.ts";

/** Seconds of ledger time until a batch expires, unless a test says otherwise. */
export const LIFETIME = 600;
const MAX_HOLD = 3_600;
export const QUOTE_LIFETIME = 3_600;
export const PROVIDER = 11;

/** Philippine centavos for 10,000 minor units of the source currency. */
const RATES: ReadonlyMap<number, bigint> = new Map([
  [CNY, 80_123n],
  [HKD, 71_234n],
  [MYR, 130_456n],
]);
const RATE_DENOMINATOR = 10_000n;

/** A signature and the key said to have made it. */
export interface Authorization {
  readonly key: string;
  readonly signature: string;
}
export type OpenArgs = [header: PackedHeader, send: Authorization, quote: Authorization];
export type SettleArgs = [
  header: PackedHeader,
  rejections: RejectionStruct[],
  proof: MultiProofStruct,
  accept: Authorization,
];

export const NO_AUTHORIZATION: Authorization = { key: `0x${"00".repeat(20)}`, signature: "0x" };
export const NO_PROOF: MultiProofStruct = { siblings: [], flags: [] };

/** A quote of provider 11 that any source partner may draw on. */
export async function makeQuote(corridor: Corridor, given: Partial<Quote> = {}): Promise<Quote> {
  const sourceCurrency = currencyOf(corridor.sourceCurrency).numeric;
  return {
    provider: parsePartnerId(PROVIDER),
    taker: 0,
    sourceCurrency,
    targetCurrency: currencyOf(corridor.targetCurrency).numeric,
    rateNumerator: RATES.get(sourceCurrency) ?? fail(`no rate for ${sourceCurrency}`),
    rateDenominator: RATE_DENOMINATOR,
    capacity: 10n ** 11n,
    validUntil: (await latestTimestamp()) + QUOTE_LIFETIME,
    maxHold: MAX_HOLD,
    nonce: 1n,
    ...given,
  };
}

export interface BatchPlan {
  readonly corridor?: Corridor;
  /** Number of transfers; 3 by default. */
  readonly count?: number;
  readonly quote?: Quote;
  readonly feeBps?: bigint;
  /** UTC seconds of ledger time. */
  readonly expiresAt?: number;
  /** Batches of different seeds have different transfers. */
  readonly seed?: string;
}

/** A batch that the network takes: transfers of 1.00 to 1,000.00 in the source currency at the quote's rate. */
export async function makeBatch(network: Network, plan: BatchPlan = {}): Promise<Batch> {
  const corridor = plan.corridor ?? CORRIDORS.hkdToPhp;
  const quote = plan.quote ?? (isSameCurrency(corridor) ? NO_QUOTE : await makeQuote(corridor));
  const transfers = makeTransfers(plan.count ?? 3, quote, plan.seed ?? "a batch");
  const expiresAt = plan.expiresAt ?? (await ledgerTime(network.transfers)) + LIFETIME;
  return buildBatch(transfers, corridor, quote, plan.feeBps ?? TERMS.feeBps, expiresAt);
}

/** Transfers of 1.00 to 1,000.00 in the source currency, converted at the quote's rate. */
function makeTransfers(count: number, quote: Quote, seed: string): Transfer[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const sourceAmount = BigInt(100 + random.below(99_901));
    return {
      uetr: uetrFromRandom(random.bytes(16)),
      sourceAmount,
      targetAmount: isNoQuote(quote) ? sourceAmount : convertDown(sourceAmount, quoteRate(quote)),
      detailsHash: toHex(random.bytes(32)),
    };
  });
}

/** The same transfers and tree under a header that may not fit them. */
export function withHeader(batch: Batch, changes: Partial<BatchHeader>): Batch {
  return { ...batch, header: { ...batch.header, ...changes } };
}

export function idOf(network: Network, { header }: Batch): Hex {
  return batchId(header, network.chain);
}

/** Signs a header as the key that `signer` is, for the network's chain or another. */
export async function signBatch(
  { chain }: { readonly chain: Chain },
  header: BatchHeader,
  signer: HardhatEthersSigner,
): Promise<Authorization> {
  return {
    key: signer.address,
    signature: await signer.signTypedData(typedDataDomain(batchDomain(chain)), BATCH_TYPES, header),
  };
}

export async function signQuote(
  { chain }: { readonly chain: Chain },
  quote: Quote,
  signer: HardhatEthersSigner,
): Promise<Authorization> {
  return {
    key: signer.address,
    signature: await signer.signTypedData(typedDataDomain(quoteDomain(chain)), QUOTE_TYPES, quote),
  };
}

export async function signSettlement(
  { chain }: { readonly chain: Chain },
  settlement: { readonly batchId: Hex; readonly rejectionsHash: Hex },
  signer: HardhatEthersSigner,
): Promise<Authorization> {
  const signature = await signer.signTypedData(typedDataDomain(batchDomain(chain)), SETTLEMENT_TYPES, settlement);
  return { key: signer.address, signature };
}

export interface OpenSigners {
  readonly send?: HardhatEthersSigner;
  readonly quote?: HardhatEthersSigner;
}

/** What `open` takes: header and quote signed by the partners they name, or by other keys. */
export async function openArgs(network: Network, { header }: Batch, signers: OpenSigners = {}): Promise<OpenArgs> {
  const { provider } = header.quote;
  const send = await signBatch(network, header, signers.send ?? keysOf(network, header.source).send);
  const packed = packHeader(header);
  if (provider === 0) return [packed, send, NO_AUTHORIZATION];
  return [packed, send, await signQuote(network, header.quote, signers.quote ?? keysOf(network, provider).quote)];
}

/** A courier opens the batch. */
export async function openBatch(
  network: Network,
  batch: Batch,
  signers: OpenSigners = {},
): Promise<ContractTransactionResponse> {
  return network.transfers.connect(network.cast.courier).open(...(await openArgs(network, batch, signers)));
}

/** Makes a batch and opens it. */
export async function openedBatch(network: Network, plan: BatchPlan = {}): Promise<Batch> {
  const batch = await makeBatch(network, plan);
  await openBatch(network, batch);
  return batch;
}

/** Why which transfers are refused, by their index in the batch. */
export type Refusals = Readonly<Record<number, ReasonCode>>;

/** Every transfer of a batch refused, for a missing account. */
export function refuseAll({ transfers }: Batch): Refusals {
  return Object.fromEntries(transfers.map((_, index) => [index, "AC03" as const]));
}

export function proveRefusals(batch: Batch, refusals: Refusals): ProvedRejections {
  const reasons = Object.entries(refusals).map(
    ([index, reason]) =>
      [batch.transfers[Number.parseInt(index, 10)]?.uetr ?? fail(`no transfer ${index}`), reason] as const,
  );
  return proveRejections(batch, new Map(reasons));
}

/** What `settle` takes, signed by the target partner, or by another key. */
export async function settleArgs(
  network: Network,
  batch: Batch,
  refusals: Refusals = {},
  signer: HardhatEthersSigner = keysOf(network, batch.header.target).accept,
): Promise<SettleArgs> {
  const { rejections, multiproof, rejectionsHash } = proveRefusals(batch, refusals);
  const accept = await signSettlement(network, { batchId: idOf(network, batch), rejectionsHash }, signer);
  return [packHeader(batch.header), rejectionStructs(rejections), multiProofStruct(multiproof), accept];
}

/** A courier settles the batch. */
export async function settleBatch(
  network: Network,
  batch: Batch,
  refusals: Refusals = {},
): Promise<ContractTransactionResponse> {
  return network.transfers.connect(network.cast.courier).settle(...(await settleArgs(network, batch, refusals)));
}

/** Lets the ledger run until the batch is past its expiry, and a courier expires it. */
export async function expireBatch(network: Network, { header }: Batch): Promise<ContractTransactionResponse> {
  await runUntil(network.transfers, header.expiresAt);
  return network.transfers.connect(network.cast.courier).expire(packHeader(header));
}

/** Makes the batch go through its life until it has this status. */
export async function bringTo(network: Network, batch: Batch, status: keyof typeof BatchStatus): Promise<void> {
  if (status !== "None") await openBatch(network, batch);
  if (status === "Settled") await settleBatch(network, batch);
  if (status === "Rejected") await settleBatch(network, batch, refuseAll(batch));
  if (status === "Expired") await expireBatch(network, batch);
}

/** The proof of one transfer, as `verify` takes it. */
export function proofOf({ tree }: Batch, index: number): Hex[] {
  return merkleProof(tree, index).map(toHex);
}
