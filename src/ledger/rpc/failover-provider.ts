import { createHash } from "node:crypto";
import {
  JsonRpcApiProvider,
  makeError,
  Network,
  type JsonRpcError,
  type JsonRpcPayload,
  type JsonRpcResult,
} from "ethers";
import pLimit from "p-limit";
import { InvalidInput } from "../../domain/errors.ts";
import { steadyClock, type SteadyClock } from "../../kernel/clock/clock.ts";
import { commonHead, headsOf } from "./heads.ts";
import { RpcEndpoint, type EndpointHealth, type ExpectedChain } from "./rpc-endpoint.ts";
import { LedgerUnreachable } from "./rpc-errors.ts";
import {
  inOrder,
  isOfLatestState,
  questionAfter,
  questionOf,
  type Question,
  type RpcResponse,
} from "./rpc-question.ts";
import { Witnesses, type Dispute } from "./witness.ts";

export interface FailoverOptions {
  /** A real one unless given. */
  readonly clock?: SteadyClock;
  readonly fetch: typeof globalThis.fetch;
  /** For one request to one endpoint; and for how long others are waited for that are to confirm its answer. */
  readonly timeoutMs: number;
  /** Bearer tokens (RFC 6750) by URL, for endpoints whose URL has no credentials of its own. */
  readonly tokens?: ReadonlyMap<string, string>;
  /** What every endpoint must be on. Where it is left out, the first one to answer decides. */
  readonly chainId?: bigint;
  /**
   * How many other endpoints have to confirm an answer about a block before it is believed. As many as may lie without
   * being believed; where it is left out, the most that the others outvote: none of one or two endpoints, one of three.
   */
  readonly witnesses?: number;
  /** Blocks on top of one before it is final; 0 unless given. Over a block that is not, honest nodes may differ. */
  readonly confirmations?: number;
  /** Called when requests go to another endpoint from now on. */
  readonly onSwitch?: (from: EndpointHealth, to: EndpointHealth) => void;
  /** Called when an endpoint has lied, and is not used any more. */
  readonly onDrop?: (dropped: EndpointHealth) => void;
  /** Called when endpoints have contradicted each other, however that ended. */
  readonly onDispute?: (dispute: Dispute) => void;
}

/**
 * A provider over several JSON-RPC endpoints of one ledger. Requests go to one of them, so that answers fit together,
 * until it fails: no connection, no answer in time, an HTTP error, or anything that is not JSON-RPC. Then the request
 * goes to the next, and the ones after it, too. What a node says in JSON-RPC, errors included, is an answer.
 *
 * What is said about a block is compared with what other endpoints say, see Witnesses; an endpoint that lies is dropped.
 * @param urls http or https, the preferred one first
 * @throws InvalidInput
 */
export function createFailoverProvider(urls: readonly string[], options: FailoverOptions): FailoverProvider {
  return new FailoverProvider(urls, options);
}

type Responses = (JsonRpcResult | JsonRpcError)[];

/** Answers are never cached: what a ledger's client reads decides over money. */
const PROVIDER_OPTIONS = { cacheTimeout: -1, batchMaxCount: 1 } as const;

/** How often the active endpoint's head is compared with the others'. */
const COMPARE_HEADS_MS = 5_000;
/** An endpoint that is so far behind the others' heads twice in a row is stuck, or pretends to be. */
const MOST_BLOCKS_BEHIND = 10n;
const MOST_TIMES_BEHIND = 2;
/**
 * Questions under way at a time; the others wait their turn, which no time-out counts. A node that is given hundreds at
 * once answers none of them in time, and would be given all of them again.
 */
const MAX_UNDER_WAY = 16;
/** Transactions that are remembered, to know when one is broadcast again. */
const MAX_SENT = 1_000;

export class FailoverProvider extends JsonRpcApiProvider {
  readonly #endpoints: readonly RpcEndpoint[];
  readonly #options: FailoverOptions;
  readonly #clock: SteadyClock;
  readonly #witnesses: Witnesses;
  readonly #chain: ExpectedChain;
  readonly #turns = pLimit(MAX_UNDER_WAY);
  readonly #sent = new Set<string>();
  #lastId = 0;
  #active = 0;
  #switches = 0;
  #comparedAtMs: number;
  #timesBehind = 0;

  constructor(urls: readonly string[], options: FailoverOptions) {
    super(undefined, PROVIDER_OPTIONS);
    if (urls.length === 0) throw new InvalidInput("endpoints", "at least one URL");
    const { clock = steadyClock, timeoutMs, confirmations = 0, onDispute } = options;
    const { witnesses = Math.floor((urls.length - 1) / 2) } = options;
    if (witnesses >= urls.length) throw new InvalidInput("witnesses", "less than there are endpoints", witnesses);
    this.#options = options;
    this.#clock = clock;
    this.#comparedAtMs = clock.nowMs();
    this.#chain = { id: options.chainId };
    this.#endpoints = urls.map(
      (url, index) => new RpcEndpoint(url, `endpoints[${index}]`, { ...options, clock }, this.#chain),
    );
    this.#witnesses = new Witnesses(this.#endpoints, {
      clock,
      timeoutMs,
      witnesses,
      confirmations,
      onFailure: (endpoint, why) => this.#fail(endpoint, why),
      onDrop: (endpoint, why) => this.#dropped(endpoint, why),
      onDispute: (dispute) => onDispute?.(dispute),
    });
  }

  /** How often requests have begun to go to another endpoint. */
  get switches(): number {
    return this.#switches;
  }

  /** How each endpoint has done, in the order given. */
  health(): readonly EndpointHealth[] {
    return this.#endpoints.map((endpoint) => this.#healthOf(endpoint));
  }

  override destroy(): void {
    this.#witnesses.close();
    super.destroy();
  }

  /** Every endpoint shows its chain before it is used, so that it need not be asked with every request. */
  override async _detectNetwork(): Promise<Network> {
    const chainId = this.#chain.id ?? BigInt(String(await this.send("eth_chainId", [])));
    return Network.from(chainId);
  }

  /** At once: ethers' own waits for a timer, for others that could share its request. */
  override async send(method: string, params: JsonRpcPayload["params"]): Promise<unknown> {
    this.#requireOpen(method);
    const payload = { id: ++this.#lastId, jsonrpc: "2.0" as const, method, params };
    const [response] = await this._send(payload);
    this.#requireOpen(method);
    if (response === undefined) throw new Error(`no answer to ${method}`);
    if ("error" in response) throw this.getRpcError(payload, response);
    return response.result;
  }

  #requireOpen(operation: string): void {
    if (!this.destroyed) return;
    throw makeError("provider destroyed; cancelled request", "UNSUPPORTED_OPERATION", { operation });
  }

  override async _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<Responses> {
    const payloads = Array.isArray(payload) ? payload : [payload];
    return Promise.all(
      payloads.map(async (each) => {
        const response = await this.#turns(() => this.#answer(each));
        if ("error" in response) return { id: each.id, error: response.error };
        const result: unknown = each.method === "eth_getLogs" ? inOrder(response.result) : response.result;
        return { id: each.id, result };
      }),
    );
  }

  async #answer(payload: JsonRpcPayload): Promise<RpcResponse> {
    // There is nobody to compare it with.
    if (this.#endpoints.length === 1) return (await this.#ask(payload)).response;
    const question = questionOf(payload);
    if (question !== undefined) return this.#confirmed(question, this.#at(this.#active));
    if (isOfLatestState(payload)) return this.#answerOfLatest(payload);
    if (payload.method === "eth_sendRawTransaction") this.#broadcastAgain(payload);
    const { endpoint, response } = await this.#ask(payload);
    const after = questionAfter(payload, response);
    if (after === undefined && payload.method !== "eth_blockNumber") return response;
    void this.#compareHeads(payload.method === "eth_getTransactionReceipt" ? undefined : after?.block);
    return after === undefined ? response : this.#confirmed(after, endpoint, response);
  }

  /** Of the latest block that others confirm, by its number: what is answered of "latest" cannot be compared. */
  async #answerOfLatest(payload: JsonRpcPayload): Promise<RpcResponse> {
    const latest = await this.#answer({ ...payload, method: "eth_getBlockByNumber", params: ["latest", false] });
    const block: unknown = "result" in latest ? latest.result : undefined;
    const tag: unknown = typeof block === "object" && block !== null && "number" in block ? block.number : undefined;
    // Both have been looked at: the one is a block, the other a list with a tag at its end.
    return this.#answer({ ...payload, params: [...(payload.params as readonly unknown[]).slice(0, -1), tag] });
  }

  async #confirmed(question: Question, endpoint: RpcEndpoint, told?: RpcResponse): Promise<RpcResponse> {
    const known = told === undefined ? undefined : { ...question.read(told), response: told };
    return (await this.#witnesses.confirm(question, endpoint, known)).response;
  }

  /** The active endpoint's answer, or that of the first after it which gives one. */
  async #ask(payload: JsonRpcPayload): Promise<{ readonly endpoint: RpcEndpoint; readonly response: RpcResponse }> {
    const reasons: string[] = [];
    for (let tries = 0; tries < this.#endpoints.length; tries++) {
      const endpoint = this.#at(this.#active);
      try {
        const response = await endpoint.send(payload);
        if (this.#endpoints.length > 1) requireBlock(payload, response);
        return { endpoint, response };
      } catch (failure) {
        const reason = failure instanceof Error ? failure.message : String(failure);
        reasons.push(`${endpoint.name}: ${reason}`);
        this.#fail(endpoint, reason);
      }
    }
    throw new LedgerUnreachable(reasons);
  }

  #fail(endpoint: RpcEndpoint, reason: string): void {
    endpoint.failed(reason);
    this.#leave(endpoint);
  }

  #dropped(endpoint: RpcEndpoint, why: string): void {
    endpoint.failed(why);
    this.#options.onDrop?.(this.#healthOf(endpoint));
    this.#leave(endpoint);
  }

  /** Has requests go to the next endpoint that is used, or to a certain one. */
  #leave(endpoint: RpcEndpoint, to?: RpcEndpoint): void {
    // Another request may have moved on already.
    if (this.#at(this.#active) !== endpoint) return;
    const later = [...this.#endpoints.slice(this.#active + 1), ...this.#endpoints.slice(0, this.#active)];
    const next = to ?? later.find(({ isUsable }) => isUsable);
    if (next === undefined) return;
    this.#active = this.#endpoints.indexOf(next);
    this.#switches++;
    this.#timesBehind = 0;
    this.#options.onSwitch?.(this.#healthOf(endpoint), this.#healthOf(next));
  }

  /** A transaction that has to be broadcast twice may have been kept back by an endpoint: it goes to all others, too. */
  #broadcastAgain(payload: JsonRpcPayload): void {
    const digest = createHash("sha256").update(JSON.stringify(payload.params)).digest("hex");
    if (!this.#sent.has(digest)) {
      this.#sent.add(digest);
      const [oldest] = this.#sent;
      if (this.#sent.size > MAX_SENT && oldest !== undefined) this.#sent.delete(oldest);
      return;
    }
    for (const endpoint of this.#usable()) {
      // What the active endpoint says is the answer.
      if (endpoint !== this.#at(this.#active)) void endpoint.send(payload).catch(() => undefined);
    }
  }

  /**
   * Leaves an endpoint whose latest block stays far behind the others': it tells no lie, and nothing new. With two
   * endpoints nobody can say whether one is behind or the other one invents blocks.
   * @param told what it has just told of its latest block, which may not be what it tells of its number
   */
  async #compareHeads(told: bigint | undefined): Promise<void> {
    const usable = this.#usable();
    if (this.#clock.nowMs() - this.#comparedAtMs < COMPARE_HEADS_MS || usable.length <= 2) return;
    this.#comparedAtMs = this.#clock.nowMs();
    const active = this.#at(this.#active);
    const heads = await headsOf(usable);
    const common = heads.size <= 2 ? undefined : commonHead(heads.values());
    const own = told ?? heads.get(active);
    if (common === undefined || own === undefined || active !== this.#at(this.#active)) return;
    this.#timesBehind = own + MOST_BLOCKS_BEHIND < common ? this.#timesBehind + 1 : 0;
    if (this.#timesBehind < MOST_TIMES_BEHIND) return;
    active.failed(`is at block ${own}, others are at ${common}`);
    this.#leave(
      active,
      usable.find((each) => each !== active && (heads.get(each) ?? -1n) >= common && each.isUsable),
    );
  }

  #usable(): readonly RpcEndpoint[] {
    return this.#endpoints.filter(({ isUsable }) => isUsable);
  }

  #healthOf(endpoint: RpcEndpoint): EndpointHealth {
    return endpoint.health(endpoint === this.#at(this.#active));
  }

  #at(index: number): RpcEndpoint {
    const endpoint = this.#endpoints[index];
    if (endpoint === undefined) throw new RangeError(`no endpoint ${index}`);
    return endpoint;
  }
}

/** @throws Error where an endpoint does not tell its latest block, or a receipt's: it could not be compared with others' */
function requireBlock(payload: JsonRpcPayload, response: RpcResponse): void {
  const { method, params } = payload;
  const result: unknown = "result" in response ? response.result : undefined;
  const isNumber = method === "eth_blockNumber";
  const isLatest = method === "eth_getBlockByNumber" && Array.isArray(params) && params[0] === "latest";
  const isReceipt = method === "eth_getTransactionReceipt" && result !== null && result !== undefined;
  const isWithout = isNumber ? typeof result !== "string" : questionAfter(payload, response) === undefined;
  if ((isNumber || isLatest || isReceipt) && isWithout) throw new Error(`does not tell a block's number by ${method}`);
}
