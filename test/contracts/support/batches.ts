import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { ContractTransactionResponse } from "ethers";
import { batchId, buildBatch, type Batch, type BatchHeader } from "../../../src/domain/batch.ts";
import { toHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import { isSameCurrency, type Corridor } from "../../../src/domain/corridor.ts";
import { currencyOf } from "../../../src/domain/currency.ts";
import type { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { merkleProof } from "../../../src/domain/merkle.ts";
import { packHeader, type PackedHeader } from "../../../src/domain/packed-header.ts";
import { NO_QUOTE, type Quote } from "../../../src/domain/quote.ts";
import type { Authorization, Chain } from "../../../src/domain/typed-data.ts";
import {
  NO_AUTHORIZATION,
  signAcceptance as signAcceptanceFor,
  signBatch as signBatchFor,
  signQuote as signQuoteFor,
  signSettlement as signSettlementFor,
} from "../../../src/ledger/signing.ts";
import {
  makeQuote as makeQuoteUntil,
  makeTransfers,
  proveRefusals,
  refuseAll,
  type Refusals,
} from "../../support/transfers.ts";
import { multiProofStruct, rejectionStructs, type MultiProofStruct, type RejectionStruct } from "./abi.ts";
import { latestTimestamp, ledgerTime, runUntil } from "./clock.ts";
import { CNY, CORRIDORS, HKD, MYR, TERMS, fail, keysOf, type Network } from "./network.ts";

/** Seconds of ledger time until a batch expires, unless a test says otherwise. */
export const LIFETIME = 600;
export const QUOTE_LIFETIME = 3_600;

/** Philippine centavos for 10,000 minor units of the source currency. */
const RATES: ReadonlyMap<number, bigint> = new Map([
  [CNY, 80_123n],
  [HKD, 71_234n],
  [MYR, 130_456n],
]);
const RATE_DENOMINATOR = 10_000n;

export type OpenArgs = [header: PackedHeader, send: Authorization, quote: Authorization];
export type SettleArgs = [
  header: PackedHeader,
  rejections: RejectionStruct[],
  proof: MultiProofStruct,
  accept: Authorization,
];

/** What `openAndSettle` takes. */
export interface AcceptedBatch {
  readonly header: PackedHeader;
  readonly bySource: Authorization;
  readonly byProvider: Authorization;
  readonly acceptedUntil: number;
  readonly byTarget: Authorization;
}

export const NO_PROOF: MultiProofStruct = { siblings: [], flags: [] };

/** A quote of provider 11 that any source partner may draw on. */
export async function makeQuote(corridor: Corridor, given: Partial<Quote> = {}): Promise<Quote> {
  const sourceCurrency = currencyOf(corridor.sourceCurrency).numeric;
  return makeQuoteUntil(corridor, {
    rateNumerator: RATES.get(sourceCurrency) ?? fail(`no rate for ${sourceCurrency}`),
    rateDenominator: RATE_DENOMINATOR,
    validUntil: (await latestTimestamp()) + QUOTE_LIFETIME,
    ...given,
  });
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
  // Nobody opens their details here: any 32 bytes do for the hash.
  const transfers = makeTransfers(plan.count ?? 3, quote, plan.seed ?? "a batch").map(
    ({ uetr, sourceAmount, targetAmount, salt }) => ({ uetr, sourceAmount, targetAmount, detailsHash: salt }),
  );
  const expiresAt = plan.expiresAt ?? (await ledgerTime(network.transfers)) + LIFETIME;
  return buildBatch(transfers, corridor, quote, plan.feeBps ?? TERMS.feeBps, expiresAt);
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
  return signBatchFor(signer, chain, header);
}

export async function signQuote(
  { chain }: { readonly chain: Chain },
  quote: Quote,
  signer: HardhatEthersSigner,
): Promise<Authorization> {
  return signQuoteFor(signer, chain, quote);
}

export async function signSettlement(
  { chain }: { readonly chain: Chain },
  settlement: { readonly batchId: Hex; readonly rejectionsHash: Hex },
  signer: HardhatEthersSigner,
): Promise<Authorization> {
  return signSettlementFor(signer, chain, settlement);
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

export async function signAcceptance(
  { chain }: { readonly chain: Chain },
  acceptance: { readonly batchId: Hex; readonly validUntil: number },
  signer: HardhatEthersSigner,
): Promise<Authorization> {
  return signAcceptanceFor(signer, chain, acceptance);
}

export interface AcceptSigners extends OpenSigners {
  readonly accept?: HardhatEthersSigner;
  /** UTC seconds of block time; a minute ahead unless given. */
  readonly acceptedUntil?: number;
}

/** What `openAndSettle` takes: all signed by the partners they name, or by other keys. */
export async function acceptedBatch(
  network: Network,
  batch: Batch,
  signers: AcceptSigners = {},
): Promise<AcceptedBatch> {
  const [header, bySource, byProvider] = await openArgs(network, batch, signers);
  const acceptedUntil = signers.acceptedUntil ?? (await latestTimestamp()) + 60;
  const signer = signers.accept ?? keysOf(network, batch.header.target).accept;
  const acceptance = { batchId: idOf(network, batch), validUntil: acceptedUntil };
  const byTarget = await signAcceptance(network, acceptance, signer);
  return { header, bySource, byProvider, acceptedUntil, byTarget };
}

/** A courier opens and settles the batch in one step. */
export async function openAndSettleBatch(
  network: Network,
  batch: Batch,
  signers: AcceptSigners = {},
): Promise<ContractTransactionResponse> {
  const accepted = await acceptedBatch(network, batch, signers);
  return network.transfers.connect(network.cast.courier).openAndSettle(accepted);
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
