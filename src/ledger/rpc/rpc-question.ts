import { createHash } from "node:crypto";
import type { JsonRpcError, JsonRpcPayload, JsonRpcResult } from "ethers";

// Questions to which every honest node of a ledger has the same answer: they name a block. What the answers have to
// have in common is what this product reads of them, brought to one form; nodes may differ in all else.

export type RpcResponse = JsonRpcResult | JsonRpcError;

export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What a node's answer says; answers that say the same have the same digest. */
export type Reading =
  | { readonly kind: "answer"; readonly digest: string }
  /** The node does not have the block, or what is asked for in it: not yet, or not any more. */
  | { readonly kind: "absent" }
  /** A contract refuses the call. */
  | { readonly kind: "reverted"; readonly digest: string }
  /** The node says that it cannot answer, or something else than an answer. Neither says anything about the ledger. */
  | { readonly kind: "error" | "unreadable"; readonly why: string };

/** A question about one block. */
export interface Question {
  readonly call: RpcCall;
  /** The same for the same question. */
  readonly key: string;
  /** For people. */
  readonly about: string;
  /** Undefined where the block is named by its hash. */
  readonly block: bigint | undefined;
  /** Shows whether a node has the block; undefined where the answer does. */
  readonly anchor: RpcCall | undefined;
  /** Whether null is an answer of its own: there is no such block, or no such receipt. */
  readonly mayBeNull: boolean;
  read(response: RpcResponse): Reading;
}

/** What answers must have in common: undefined where there is none. Throws `Unreadable`. */
type Reader = (result: unknown) => unknown;

class Unreadable extends Error {}

const NUMBERED = /^0x[0-9a-f]{1,16}$/i;
/** With a block number as their last parameter. */
const STATE_READERS: Readonly<Record<string, Reader>> = {
  eth_call: hex,
  eth_getCode: hex,
  eth_getBalance: quantity,
  eth_getTransactionCount: quantity,
  // Some leave out the leading zeros of a word.
  eth_getStorageAt: quantity,
};

/** Whether a request is about the state of whatever block is the latest: to be compared, it has to name one. */
export function isOfLatestState({ method, params }: Pick<JsonRpcPayload, "method" | "params">): boolean {
  return method in STATE_READERS && Array.isArray(params) && params.at(-1) === "latest";
}

/** The question that a request is; undefined where nodes may well answer it differently. */
export function questionOf({ method, params }: Pick<JsonRpcPayload, "method" | "params">): Question | undefined {
  if (!Array.isArray(params)) return undefined;
  // Of an array of anything nothing is assumed.
  const [first, second] = params as readonly unknown[];
  if (method === "eth_getBlockByNumber") {
    return isNumbered(first) ? blockQuestion(BigInt(first), second === true) : undefined;
  }
  if (method === "eth_getLogs") return logsQuestion(first);
  const reader = STATE_READERS[method];
  const block: unknown = params.at(-1);
  if (reader === undefined || params.length < 2 || !isNumbered(block)) return undefined;
  return question({ method, params }, reader, BigInt(block), headerCall(BigInt(block)));
}

/**
 * The question that an answer can be compared by, where only the answer names a block: the latest block, which is
 * block number so-and-so, and a receipt, which is one of that block.
 */
export function questionAfter({ method, params }: JsonRpcPayload, response: RpcResponse): Question | undefined {
  if (!Array.isArray(params) || !("result" in response)) return undefined;
  const result: unknown = response.result;
  if (!isRecord(result)) return undefined;
  // Of an array of anything nothing is assumed.
  const [first, second] = params as readonly unknown[];
  if (method === "eth_getBlockByNumber" && first !== "pending" && isNumbered(result["number"])) {
    return blockQuestion(BigInt(result["number"]), second === true);
  }
  if (method === "eth_getTransactionReceipt" && isNumbered(result["blockNumber"])) {
    const block = BigInt(result["blockNumber"]);
    return { ...question({ method, params }, receipt, block, headerCall(block)), mayBeNull: true };
  }
  return undefined;
}

function isNumbered(tag: unknown): tag is string {
  return typeof tag === "string" && NUMBERED.test(tag);
}

function headerCall(block: bigint): RpcCall {
  return { method: "eth_getBlockByNumber", params: [`0x${block.toString(16)}`, false] };
}

function blockQuestion(number: bigint, withTransactions: boolean): Question {
  const call: RpcCall = { method: "eth_getBlockByNumber", params: [`0x${number.toString(16)}`, withTransactions] };
  const reader = (result: unknown): unknown => {
    const block = record(result);
    if (quantity(block["number"]) !== String(number)) throw new Unreadable("another block");
    // The other members are in the hash, where a ledger has them in its blocks at all; nobody here reads them.
    const header = [number.toString(), hex(block["hash"]), hex(block["parentHash"]), quantity(block["timestamp"])];
    return withTransactions ? [header, list(block["transactions"]).map(transaction)] : header;
  };
  return { ...question(call, reader, number, undefined), about: `block ${number}`, mayBeNull: true };
}

function logsQuestion(filter: unknown): Question | undefined {
  if (!isRecord(filter)) return undefined;
  const call: RpcCall = { method: "eth_getLogs", params: [filter] };
  const { fromBlock, toBlock, blockHash } = filter;
  if (typeof blockHash === "string") {
    return question(call, logs, undefined, { method: "eth_getBlockByHash", params: [blockHash, false] });
  }
  if (!isNumbered(fromBlock) || !isNumbered(toBlock)) return undefined;
  // A node that has a block has the logs of it and of all before.
  return question(call, logs, BigInt(toBlock), headerCall(BigInt(toBlock)));
}

function question(call: RpcCall, reader: Reader, block: bigint | undefined, anchor: RpcCall | undefined): Question {
  const { method, params } = call;
  return {
    call,
    key: digestOf([method, params]),
    about: block === undefined ? method : `${method} at block ${block}`,
    block,
    anchor,
    mayBeNull: false,
    read: (response) => readWith(reader, method, response),
  };
}

function readWith(reader: Reader, method: string, response: RpcResponse): Reading {
  if ("error" in response) {
    const { code, message } = response.error;
    // Nodes word it differently, and not all of them give its data.
    const isRevert = method === "eth_call" && (code === 3 || /revert/i.test(String(message)));
    return isRevert ? { kind: "reverted", digest: "reverted" } : { kind: "error", why: "an error of the node" };
  }
  const result: unknown = response.result;
  if (result === null || result === undefined) return { kind: "absent" };
  try {
    return { kind: "answer", digest: digestOf(reader(result)) };
  } catch (failure) {
    if (!(failure instanceof Unreadable)) throw failure;
    return { kind: "unreadable", why: `its answer is none: ${failure.message}` };
  }
}

/** Logs in their order on the ledger, whatever order a node gives them in; what is no list of logs as it is. */
export function inOrder(result: unknown): unknown {
  if (!Array.isArray(result)) return result;
  // Of an array of anything nothing is assumed.
  const entries = result as readonly unknown[];
  try {
    const placed = entries.map((entry) => ({ entry, at: placeOf(record(entry)) }));
    return placed.sort((left, right) => compare(left.at, right.at)).map(({ entry }) => entry);
  } catch (failure) {
    if (!(failure instanceof Unreadable)) throw failure;
    return result;
  }
}

function placeOf(log: Readonly<Record<string, unknown>>): readonly [bigint, bigint] {
  return [BigInt(quantity(log["blockNumber"])), BigInt(quantity(log["logIndex"]))];
}

function compare([leftBlock, leftIndex]: readonly [bigint, bigint], [block, index]: readonly [bigint, bigint]): number {
  if (leftBlock !== block) return leftBlock < block ? -1 : 1;
  return leftIndex === index ? 0 : leftIndex < index ? -1 : 1;
}

function logs(result: unknown): unknown {
  return list(inOrder(list(result))).map((entry) => {
    const log = record(entry);
    return [
      quantity(log["blockNumber"]),
      quantity(log["logIndex"]),
      hex(log["blockHash"]),
      hex(log["transactionHash"]),
      hex(log["address"]),
      list(log["topics"]).map(hex),
      hex(log["data"]),
    ];
  });
}

function transaction(entry: unknown): unknown {
  const { hash, from, nonce } = record(entry);
  return [hex(hash), hex(from), quantity(nonce)];
}

function receipt(result: unknown): unknown {
  const { transactionHash, blockHash, blockNumber, status } = record(result);
  return [hex(transactionHash), hex(blockHash), quantity(blockNumber), quantity(status)];
}

function hex(value: unknown): string {
  if (typeof value !== "string" || !/^0x[0-9a-f]*$/i.test(value)) throw new Unreadable("not hexadecimal");
  return value.toLowerCase();
}

function quantity(value: unknown): string {
  const digits = hex(value).slice("0x".length);
  return digits === "" ? "0" : BigInt(`0x${digits}`).toString();
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Unreadable("not a list");
  // Of an array of anything nothing is assumed.
  return value as readonly unknown[];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw new Unreadable("not an object");
  return value;
}

/** Kept and compared instead of what may be a megabyte of logs. */
function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
