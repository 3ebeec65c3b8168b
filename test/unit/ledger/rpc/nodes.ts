import { createHash } from "node:crypto";
import type { FailoverOptions } from "../../../../src/ledger/rpc/failover-provider.ts";
import { systemClock, type Clock } from "../../../../src/kernel/clock/clock.ts";

// A ledger of which any node's answer can be computed, nodes that answer of it over a fetch of this process, and what
// becomes of an answer on its way.

export type Answer = { readonly result: unknown } | { readonly error: { readonly code: number; message: string } };

/** What a node does with a call: answers, never does, or cannot be reached. */
export type Behaviour = (method: string, params: readonly unknown[], truth: Answer) => Answer | "hangs" | "is away";

export interface TestNode {
  readonly url: string;
  /** Its latest block. */
  head: number;
  behave: Behaviour;
  /** Whether it answers a batch with an error. */
  refusesBatches: boolean;
  /** Methods it was asked for, in order. */
  readonly asked: string[];
}

/**
 * A clock on which only sleeping makes time pass, so that it does not depend on what else this machine does: so many times
 * faster, as who sleeps has to wait for the others, but not for long.
 */
export function fastClock(speed = 20): Clock {
  let now = 0;
  return {
    nowMs: () => now,
    async sleep(durationMs, signal) {
      const untilMs = now + durationMs;
      await systemClock.sleep(durationMs / speed, signal);
      now = Math.max(now, untilMs);
    },
  };
}

export function hash(...parts: readonly unknown[]): string {
  return `0x${createHash("sha256").update(JSON.stringify(parts)).digest("hex")}`;
}

export function quantity(value: number): string {
  return `0x${value.toString(16)}`;
}

const ADDRESS = `0x${"ab".repeat(20)}`;

export function blockOf(number: number): Record<string, unknown> {
  return {
    number: quantity(number),
    hash: hash("block", number),
    parentHash: hash("block", number - 1),
    timestamp: quantity(1_700_000_000 + number),
    transactions: [],
  };
}

/** Two in every block. */
export function logsOf(number: number): readonly Record<string, unknown>[] {
  return [0, 1].map((index) => ({
    address: ADDRESS,
    blockHash: hash("block", number),
    blockNumber: quantity(number),
    data: hash("data", number, index),
    logIndex: quantity(index),
    removed: false,
    topics: [hash("topic", number, index)],
    transactionHash: hash("transaction", number),
    transactionIndex: "0x0",
  }));
}

const NOT_FOUND: Answer = { error: { code: -32_000, message: "header not found" } };

/** What an honest node answers whose latest block is `head`. */
export function truthOf(method: string, params: readonly unknown[], head: number): Answer {
  const [first] = params;
  const number = (tag: unknown): number => (tag === "latest" ? head : Number.parseInt(String(tag), 16));
  if (method === "eth_chainId") return { result: "0x7a69" };
  if (method === "eth_blockNumber") return { result: quantity(head) };
  if (method === "eth_getBlockByNumber") return { result: number(first) > head ? null : blockOf(number(first)) };
  if (method === "eth_getTransactionReceipt") return receiptOf(String(first), head);
  if (method === "eth_sendRawTransaction") return { result: hash("sent", first) };
  if (method === "eth_getLogs") {
    // Only objects are sent here.
    const { fromBlock, toBlock } = first as { fromBlock: string; toBlock: string };
    const to = Math.min(head, number(toBlock));
    const blocks = Array.from({ length: Math.max(0, to - number(fromBlock) + 1) }, (_, i) => number(fromBlock) + i);
    return { result: blocks.flatMap(logsOf) };
  }
  const block = number(params.at(-1));
  if (block > head) return NOT_FOUND;
  return {
    result: method === "eth_getTransactionCount" ? quantity(block * 3) : hash(method, params.slice(0, -1), block),
  };
}

/** Of the transaction of block 7. */
function receiptOf(transaction: string, head: number): Answer {
  if (transaction !== hash("transaction", 7) || head < 7) return { result: null };
  return {
    result: { transactionHash: transaction, blockHash: hash("block", 7), blockNumber: "0x7", status: "0x1", logs: [] },
  };
}

const honest: Behaviour = (_method, _params, truth) => truth;

/** A liar in results of some methods, and honest in the rest. */
export function liesIn(methods: readonly string[], alter: (result: unknown) => unknown): Behaviour {
  return (method, _params, truth) =>
    methods.includes(method) && "result" in truth && truth.result !== null ? { result: alter(truth.result) } : truth;
}

export function makeNodes(count: number, head = 10): readonly TestNode[] {
  return Array.from({ length: count }, (_, index) => ({
    url: `http://node-${index}`,
    head,
    behave: honest,
    refusesBatches: false,
    asked: [],
  }));
}

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** Options of a provider over these nodes; its endpoints are their URLs. */
export function optionsOver(nodes: readonly TestNode[]): FailoverOptions {
  const fetch = async (input: unknown, init?: RequestInit): Promise<Response> => {
    const node = nodes.find(({ url }) => String(input).startsWith(url));
    if (node === undefined) throw new TypeError("no such host");
    // What the provider sends.
    const sent = JSON.parse(typeof init?.body === "string" ? init.body : "") as Call | Call[];
    if (Array.isArray(sent) && node.refusesBatches) {
      return Response.json({ id: null, jsonrpc: "2.0", error: { code: -32_600, message: "no batches" } });
    }
    const answers: object[] = [];
    for (const { id, method, params } of Array.isArray(sent) ? sent : [sent]) {
      node.asked.push(method);
      const answer = node.behave(method, params, truthOf(method, params, node.head));
      if (answer === "is away") throw new TypeError("fetch failed");
      if (answer === "hangs") return hang(init?.signal ?? undefined);
      answers.push({ id, jsonrpc: "2.0", ...answer });
    }
    return Response.json(Array.isArray(sent) ? answers : answers[0]);
  };
  return { clock: fastClock(), fetch, timeoutMs: 2_000, chainId: 31_337n };
}

/** An answer that never comes. */
export function hang(signal: AbortSignal | undefined): Promise<Response> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(new Error("aborted")));
  });
}
