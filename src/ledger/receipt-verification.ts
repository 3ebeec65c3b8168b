import {
  Contract,
  FetchRequest,
  isCallException,
  isError,
  JsonRpcApiProvider,
  JsonRpcProvider,
  Network,
  type Provider,
} from "ethers";
import type { TransferRegistry } from "../../types/ethers-contracts/index.ts";
import type { Hex } from "../domain/bytes/hex.ts";
import { currencyByNumeric } from "../domain/currency.ts";
import type { TransferDetails } from "../domain/details.ts";
import { InvalidInput } from "../domain/errors.ts";
import { BatchStatus, parseBatchStatus, type FinalStatus } from "../domain/lifecycle.ts";
import { money, type Money } from "../domain/money.ts";
import { packHeader } from "../domain/packed-header.ts";
import type { PartnerId } from "../domain/partner.ts";
import { formatRate, rateOfRatio, type Rate } from "../domain/rate.ts";
import type { ReasonCode } from "../domain/reason.ts";
import { checkReceipt, parseReceipt, type OfflineRefusal, type Receipt } from "../domain/receipt.ts";
import type { Uetr } from "../domain/uetr.ts";
import { ABI } from "./abi.ts";
import { transferStruct } from "./calls.ts";
import { decodeLedgerError } from "./errors.ts";
import { decodeEvent, type LedgerEvent } from "./events.ts";

/** What a verified receipt still takes on somebody's word. */
export const RECEIPT_CLAIMS = {
  NODE: "What the ledger says is on the word of the node that was asked; ask your own, or several.",
  DETAILS: "That the details disclosed are true: they are what the source partner committed to before it sent.",
} as const;
export type ReceiptClaim = keyof typeof RECEIPT_CLAIMS;

/** Everything but `claims` is proved, as far as the claims hold. */
export interface VerifiedReceipt extends ReceiptFacts {
  readonly kind: "verified";
}

/**
 * All that the receipt says is what the contract says that it names. Nothing is proved: no address of the network's
 * transfer registry was given, and anyone can deploy a contract that says the same.
 */
export interface ConsistentReceipt extends ReceiptFacts {
  readonly kind: "consistent";
  readonly detail: string;
}

export interface ReceiptFacts {
  readonly status: FinalStatus;
  /** Of a rejection; undefined where there is none, or the network does not know its code. */
  readonly reason: ReasonCode | undefined;
  readonly uetr: Uetr;
  readonly source: PartnerId;
  readonly target: PartnerId;
  /** What the source partner paid; refunded where the transfer has not settled. */
  readonly sent: Money;
  /** What the target partner got to credit, or would have got. */
  readonly received: Money;
  /** The transfer's own: received for sent, exactly. */
  readonly rate: Rate;
  /** Major units of the target for one of the source currency, rounded down to ten decimals. */
  readonly rateText: string;
  readonly chainId: bigint;
  readonly registry: Hex;
  readonly batchId: Hex;
  /** UTC seconds of block time. */
  readonly openedAt: number;
  /** UTC seconds of the block in which it settled, was rejected or expired. */
  readonly finalAt: number;
  readonly finalBlock: number;
  readonly disclosed: Partial<TransferDetails>;
  readonly claims: readonly ReceiptClaim[];
}

export type ReceiptRefusal =
  | OfflineRefusal
  /** Not a receipt of this format. */
  | "MALFORMED"
  /** The node is of another chain. */
  | "CHAIN"
  /** Not the registry trusted, or no transfer registry. */
  | "REGISTRY"
  /** The ledger knows no such batch. */
  | "NOT_ON_LEDGER"
  /** The batch is still open. */
  | "NOT_FINAL"
  /** The batch was settled with other rejections. */
  | "REJECTIONS"
  /** A transaction is not the one in which the batch was opened, or ended. */
  | "TRANSACTION";

export type ReceiptVerification =
  | VerifiedReceipt
  | ConsistentReceipt
  | { readonly kind: "refused"; readonly refusal: ReceiptRefusal; readonly detail: string }
  /** The node did not answer: nothing is known. */
  | { readonly kind: "unavailable"; readonly detail: string };

export interface VerificationOptions {
  /** Address of the network's TransferRegistry, from a source that its reader trusts. Without it nothing is verified. */
  readonly trustedRegistry?: string;
  /** For a node given by its URL; 10 seconds by default. */
  readonly timeoutMs?: number;
}

const RATE_DIGITS = 10;
const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Verifies a receipt against the ledger: every member of it, or it is refused. What the receipt says and the node does
 * never makes it throw.
 * @param node a provider, or the URL of a node's JSON-RPC
 * @param json the receipt, as JSON.parse gave it
 */
export async function verifyReceipt(
  node: string | Provider,
  json: unknown,
  options: VerificationOptions = {},
): Promise<ReceiptVerification> {
  const receipt = parse(json);
  if (receipt instanceof InvalidInput) return refused("MALFORMED", receipt.message);
  const check = checkReceipt(receipt);
  if (check.kind === "refused") return check;
  const trusted = options.trustedRegistry?.toLowerCase();
  if (trusted !== undefined && trusted !== receipt.registry) {
    return refused("REGISTRY", `the registry is ${receipt.registry}, not the trusted ${trusted}`);
  }
  const provider =
    typeof node === "string" ? connect(node, receipt.chainId, options.timeoutMs ?? DEFAULT_TIMEOUT_MS) : node;
  try {
    return await askLedger(provider, receipt, check.reason, trusted !== undefined);
  } catch (failure) {
    const code = codeOf(failure);
    if (code === undefined) throw failure;
    return { kind: "unavailable", detail: `the node did not answer as a node does (${code})` };
  } finally {
    if (provider !== node) provider.destroy();
  }
}

function parse(json: unknown): Receipt | InvalidInput {
  try {
    return parseReceipt(json);
  } catch (failure) {
    if (failure instanceof InvalidInput) return failure;
    throw failure;
  }
}

async function askLedger(
  provider: Provider,
  receipt: Receipt,
  reason: ReasonCode | undefined,
  registryIsTrusted: boolean,
): Promise<ReceiptVerification> {
  const chainId = await chainIdOf(provider);
  if (chainId !== receipt.chainId) return refused("CHAIN", `the node is of chain ${chainId}, not ${receipt.chainId}`);
  if ((await provider.getCode(receipt.registry)) === "0x") {
    return refused("REGISTRY", "there is no contract at the registry's address");
  }
  const wrong = await whyNotAsRecorded(provider, receipt);
  if (wrong !== undefined) return wrong;

  const opened = await eventIn(provider, receipt, receipt.transactions.opened, ["Opened"]);
  if (opened === undefined) return refused("TRANSACTION", "transactions.opened did not open the batch");
  const endings = receipt.status === "expired" ? (["Expired"] as const) : (["Settled", "Rejected"] as const);
  const final = await eventIn(provider, receipt, receipt.transactions.final, endings);
  if (final === undefined) return refused("TRANSACTION", "transactions.final did not end the batch");

  const facts: ReceiptFacts = {
    ...whatIsProved(receipt, reason),
    openedAt: await timeOf(provider, opened),
    finalAt: await timeOf(provider, final),
    finalBlock: final.cursor.block,
    claims: ["NODE", ...(receipt.disclosed.length === 0 ? [] : (["DETAILS"] as const))],
  };
  return registryIsTrusted ? { kind: "verified", ...facts } : { kind: "consistent", ...facts, detail: NOT_PROVED };
}

const NOT_PROVED =
  "not proved: no address of the network's transfer registry was given, and any contract can say the same";

const STATUS_OF: Readonly<Record<FinalStatus, BatchStatus>> = {
  settled: BatchStatus.Settled,
  rejected: BatchStatus.Rejected,
  expired: BatchStatus.Expired,
};

/** Has the ledger prove the transfer and say what became of it; undefined when that is what the receipt says. */
async function whyNotAsRecorded(provider: Provider, receipt: Receipt): Promise<ReceiptVerification | undefined> {
  // TypeChain's type and the ABI come from the same artifact; ethers' Contract has the methods but not their types.
  const registry = new Contract(receipt.registry, ABI.transferRegistry, provider) as unknown as TransferRegistry;
  const rejected = receipt.rejected.map(({ leaf, code }) => ({ leaf, reason: code }));
  try {
    const answer = await registry.verify(
      packHeader(receipt.header),
      transferStruct(receipt.transfer),
      [...receipt.proof],
      rejected,
    );
    const status = parseBatchStatus(answer.status);
    if (status === STATUS_OF[receipt.status]) return undefined;
    if (status === BatchStatus.None) return refused("NOT_ON_LEDGER", "the ledger knows no such batch");
    if (status === BatchStatus.Open) return refused("NOT_FINAL", "the batch is still open");
    return refused("STATUS", `the ledger does not have the transfer as ${receipt.status}`);
  } catch (failure) {
    const code = decodeLedgerError(failure)?.code;
    if (code === "TransferRegistry_WrongRejections") {
      return refused("REJECTIONS", "the batch did not end with these rejections");
    }
    if (code === "TransferRegistry_InvalidProof") return refused("PROOF", "the ledger refuses the proof");
    // It answers, but not as a registry does.
    if (isCallException(failure) || isError(failure, "BAD_DATA") || failure instanceof InvalidInput) {
      return refused("REGISTRY", "the contract at the registry's address is no transfer registry");
    }
    throw failure;
  }
}

/** The batch's event in that transaction, if it is there. */
async function eventIn(
  provider: Provider,
  { registry, batchId }: Receipt,
  transaction: Hex,
  kinds: readonly LedgerEvent["kind"][],
): Promise<LedgerEvent | undefined> {
  const mined = await provider.getTransactionReceipt(transaction);
  return mined?.logs
    .map((log) => decodeEvent(new Map([[registry, "transferRegistry"]]), log))
    .find((event) => event !== undefined && kinds.includes(event.kind) && isOfBatch(event, batchId));
}

function isOfBatch(event: LedgerEvent, id: Hex): boolean {
  return "batchId" in event && event.batchId === id;
}

class MissingBlock extends Error {
  readonly code = "MISSING_BLOCK";
}

async function timeOf(provider: Provider, { cursor }: LedgerEvent): Promise<number> {
  const block = await provider.getBlock(cursor.block);
  if (block === null) throw new MissingBlock(`the node does not have block ${cursor.block}`);
  return block.timestamp;
}

function whatIsProved({ header, transfer, ...receipt }: Receipt, reason: ReasonCode | undefined) {
  const sourceCurrency = currencyByNumeric(header.sourceCurrency);
  const targetCurrency = currencyByNumeric(header.targetCurrency);
  const rate = rateOfRatio(transfer.targetAmount, transfer.sourceAmount);
  const disclosed: Partial<TransferDetails> = Object.fromEntries(
    receipt.disclosed.map(({ group, content }) => [group, content]),
  );
  return {
    status: receipt.status,
    reason,
    uetr: transfer.uetr,
    source: header.source,
    target: header.target,
    sent: money(transfer.sourceAmount, sourceCurrency.code),
    received: money(transfer.targetAmount, targetCurrency.code),
    rate,
    rateText: formatRate(rate, sourceCurrency, targetCurrency, RATE_DIGITS),
    chainId: receipt.chainId,
    registry: receipt.registry,
    batchId: receipt.batchId,
    disclosed,
  };
}

/** The chain is asked below, not when connecting: ethers would go on asking a node that does not answer. */
function connect(url: string, chainId: bigint, timeoutMs: number): JsonRpcProvider {
  const request = new FetchRequest(url);
  request.timeout = timeoutMs;
  return new JsonRpcProvider(request, Network.from(chainId), { staticNetwork: true, batchMaxCount: 1 });
}

async function chainIdOf(provider: Provider): Promise<bigint> {
  if (!(provider instanceof JsonRpcApiProvider)) return (await provider.getNetwork()).chainId;
  return BigInt(String(await provider.send("eth_chainId", [])));
}

function refused(
  refusal: ReceiptRefusal,
  detail: string,
): { readonly kind: "refused"; readonly refusal: ReceiptRefusal; readonly detail: string } {
  return { kind: "refused", refusal, detail };
}

/** What went wrong with the node. Its URL may hold a key, and ethers' messages quote the URL: only the code is told. */
function codeOf(failure: unknown): string | undefined {
  const code = failure instanceof Error && "code" in failure ? failure.code : undefined;
  return typeof code === "string" ? code : undefined;
}
