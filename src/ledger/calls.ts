import type { TransactionReceipt } from "ethers";
import type { Authorization, SignedAcceptance } from "../domain/typed-data.ts";
import type { BatchHeader } from "../domain/batch.ts";
import { normalizeHex, toHex, type Hex } from "../domain/bytes/hex.ts";
import { InvalidInput } from "../domain/errors.ts";
import { packHeader } from "../domain/packed-header.ts";
import { reasonToBytes4 } from "../domain/reason.ts";
import type { Quote } from "../domain/quote.ts";
import type { ProvedRejections } from "../domain/settlement.ts";
import type { Transfer } from "../domain/transfer.ts";
import { uetrToBytes16 } from "../domain/uetr.ts";
import { ABI, type ContractName } from "./abi.ts";
import type { BatchRegistry } from "./contracts.ts";
import { decodeRevert } from "./errors.ts";
import type { Call } from "./submitter.ts";

/** `open`: holds the money of a batch. Any courier may submit it. */
export function openCall(
  registry: BatchRegistry,
  header: BatchHeader,
  send: Authorization,
  quote: Authorization,
): Call {
  return call(registry, "open", [packHeader(header), send, quote]);
}

/** `openAndSettle`: what the target partner has accepted beforehand, in one step. Any courier may submit it. */
export function openAndSettleCall(
  registry: BatchRegistry,
  header: BatchHeader,
  { send, quote, acceptance }: Signatures,
): Call {
  const { validUntil, ...byTarget } = acceptance;
  const batch = { header: packHeader(header), bySource: send, byProvider: quote, acceptedUntil: validUntil, byTarget };
  return call(registry, "openAndSettle", [batch]);
}

interface Signatures {
  readonly send: Authorization;
  readonly quote: Authorization;
  readonly acceptance: SignedAcceptance;
}

/** `settle`: pays a batch out and refunds what is rejected. Any courier may submit it. */
export function settleCall(
  registry: BatchRegistry,
  header: BatchHeader,
  { rejections, multiproof }: ProvedRejections,
  accept: Authorization,
): Call {
  const rejected = rejections.map(({ transfer, reason }) => ({
    transfer: transferStruct(transfer),
    reason: reasonToBytes4(reason),
  }));
  const proof = { siblings: multiproof?.proof.map(toHex) ?? [], flags: multiproof?.proofFlags ?? [] };
  return call(registry, "settle", [packHeader(header), rejected, proof, accept]);
}

/** `expire`: refunds a batch past its expiry. Anyone may submit it. */
export function expireCall(registry: BatchRegistry, header: BatchHeader): Call {
  return call(registry, "expire", [packHeader(header)]);
}

/** `cancelQuote`: withdraws a quote. Only a QUOTE key of its provider may submit it. */
export function cancelQuoteCall({ chain }: Pick<BatchRegistry, "chain">, quote: Quote): Call {
  return encodeCall("quoteBook", chain.quoteBook, "cancelQuote", [quote]);
}

/** `beat`: advances ledger time. Anyone may submit it. */
export function beatCall(registry: BatchRegistry): Call {
  return call(registry, "beat", []);
}

/**
 * Several calls of one transfer registry in one transaction, all or nothing.
 * @throws InvalidInput for a call of another contract
 */
export function multicall(registry: BatchRegistry, calls: readonly Call[]): Call {
  const other = calls.findIndex(({ to }) => to !== registry.chain.transferRegistry);
  if (other !== -1) throw new InvalidInput(`calls[${other}].to`, "the transfer registry", calls[other]?.to);
  return call(registry, "multicall", [calls.map(({ data }) => data)]);
}

/** `callEach`: several calls of one transfer registry in one transaction; those that fail are skipped, see `failedCalls`. */
export function callEach(registry: BatchRegistry, calls: readonly Call[]): Call {
  return call(registry, "callEach", [calls.map(({ data }) => data)]);
}

/** Which of the calls of a `callEach` have failed in its transaction, and with what, by their place. */
export function failedCalls(
  { chain }: Pick<BatchRegistry, "chain">,
  { logs }: Pick<TransactionReceipt, "logs">,
): ReadonlyMap<number, Error> {
  const failed = new Map<number, Error>();
  for (const log of logs) {
    const event = normalizeHex(log.address) === chain.transferRegistry ? ABI.transferRegistry.parseLog(log) : null;
    if (event?.name !== "CallFailed") continue;
    // As the event declares them.
    const { index, reason } = event.args.toObject() as { readonly index: bigint; readonly reason: string };
    const error = decodeRevert(reason) ?? new Error(`a call failed without a reason of the ledger's: ${reason}`);
    failed.set(Number.parseInt(String(index), 10), error);
  }
  return failed;
}

/** A transfer as the contracts take it: with its UETR as bytes16. */
export type TransferStruct = Omit<Transfer, "uetr"> & { readonly uetr: Hex };

export function transferStruct({ uetr, sourceAmount, targetAmount, detailsHash }: Transfer): TransferStruct {
  return { uetr: toHex(uetrToBytes16(uetr)), sourceAmount, targetAmount, detailsHash };
}

/** A call of any contract of the ledger. The arguments are checked against the ABI when they are encoded. */
export function encodeCall(contract: ContractName, to: Hex, name: string, args: readonly unknown[]): Call {
  // encodeFunctionData returns hexadecimal text by its contract.
  return { to, data: ABI[contract].encodeFunctionData(name, args) as Hex };
}

function call(registry: BatchRegistry, name: string, args: readonly unknown[]): Call {
  return encodeCall("transferRegistry", registry.chain.transferRegistry, name, args);
}
