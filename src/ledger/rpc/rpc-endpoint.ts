import type { JsonRpcError, JsonRpcPayload } from "ethers";
import { InvalidInput } from "../../domain/errors.ts";
import type { SteadyClock } from "../../kernel/clock/clock.ts";
import { withoutCredentials } from "../credentials.ts";
import type { Question, Reading, RpcCall, RpcResponse } from "./rpc-question.ts";

/** How one endpoint has done. */
export interface EndpointHealth {
  /** Without credentials, path or query, any of which may be secret. */
  readonly name: string;
  readonly isActive: boolean;
  readonly requests: number;
  readonly failures: number;
  /** Since the last answer. */
  readonly failuresInARow: number;
  readonly lastFailure: string | undefined;
  /** It contradicts most others, and is not used while it is asked again. */
  readonly isSuspected: boolean;
  /** It has lied, and is not used again by this process. */
  readonly isDropped: boolean;
  readonly whyDropped: string | undefined;
}

/** What an endpoint says to a question, with its answer where it gave one. */
export type Opinion =
  | (Reading & { readonly response: RpcResponse })
  /** No answer, or none in JSON-RPC. */
  | { readonly kind: "silent"; readonly why: string };

export interface EndpointOptions {
  readonly clock: SteadyClock;
  readonly fetch: typeof globalThis.fetch;
  /** For one request. */
  readonly timeoutMs: number;
  /** Bearer tokens (RFC 6750) by URL, for endpoints whose URL has no credentials of its own. */
  readonly tokens?: ReadonlyMap<string, string>;
}

/** The chain that all endpoints have to be on. Where it is not known, the first one to answer decides. */
export interface ExpectedChain {
  id: bigint | undefined;
}

type Payload = JsonRpcPayload | readonly JsonRpcPayload[];

/** How long one that is slow, or behind, is waited for before others are asked, or it is done without. */
export const PATIENCE_MS = 1_000;
const AVERAGED_OVER = 8;
/** After a silence an endpoint is not asked for its opinion for so long, doubled with each in a row. */
const FIRST_REST_MS = 1_000;
const MAX_REST_MS = 60_000;
const MAX_DOUBLINGS = 6;

/** Reads whose answers are small. What asks for them has at most as many under way as the provider lets it. */
const GATHERED: ReadonlySet<string> = new Set(["eth_call", "eth_getTransactionCount", "eth_getBalance"]);

class NotJsonRpc extends Error {}

/** One JSON-RPC endpoint of a ledger, and how it has done. */
export class RpcEndpoint {
  readonly name: string;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #options: EndpointOptions;
  readonly #chain: ExpectedChain;
  #isVerified = false;
  #takesBatches = true;
  readonly #gathered: { readonly payload: JsonRpcPayload; readonly answer: PromiseWithResolvers<RpcResponse> }[] = [];
  #requests = 0;
  #failures = 0;
  #failuresInARow = 0;
  #lastFailure: EndpointHealth["lastFailure"];
  #trials = 0;
  #whyDropped: string | undefined;
  #silences = 0;
  #averageMs = 0;
  #restsUntilMs = 0;

  constructor(text: string, field: string, options: EndpointOptions, chain: ExpectedChain) {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
      throw new InvalidInput(field, "an http or https URL");
    }
    const token = options.tokens?.get(text);
    const bare = withoutCredentials(text);
    this.#url = bare.url;
    this.name = `${url.protocol}//${url.host}`;
    const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#headers = { "content-type": "application/json", ...bearer, ...bare.headers };
    this.#options = options;
    this.#chain = chain;
  }

  get isDropped(): boolean {
    return this.#whyDropped !== undefined;
  }

  get isUsable(): boolean {
    return !this.isDropped && this.#trials === 0;
  }

  /** How often in a row it had no opinion to give in time. */
  get silences(): number {
    return this.#silences;
  }

  /** How long its opinions have taken of late. */
  get averageMs(): number {
    return this.#averageMs;
  }

  get isResting(): boolean {
    return this.#options.clock.nowMs() < this.#restsUntilMs;
  }

  health(isActive: boolean): EndpointHealth {
    return {
      name: this.name,
      isActive,
      requests: this.#requests,
      failures: this.#failures,
      failuresInARow: this.#failuresInARow,
      lastFailure: this.#lastFailure,
      isSuspected: !this.isDropped && this.#trials > 0,
      isDropped: this.isDropped,
      whyDropped: this.#whyDropped,
    };
  }

  failed(reason: string): void {
    this.#failures++;
    this.#failuresInARow++;
    this.#lastFailure = reason;
  }

  suspect(): void {
    this.#trials++;
  }

  /** As often as it was suspected. */
  acquit(): void {
    this.#trials--;
  }

  drop(why: string): void {
    this.#whyDropped ??= why;
  }

  /** It had an opinion, after so long. */
  hasSpoken(durationMs: number): void {
    this.#averageMs += (durationMs - this.#averageMs) / AVERAGED_OVER;
    if (durationMs >= PATIENCE_MS) return;
    this.#silences = 0;
    this.#restsUntilMs = 0;
  }

  /** It had no opinion in time, or none at all. */
  wasSilent(): void {
    const restMs = Math.min(MAX_REST_MS, FIRST_REST_MS * 2 ** Math.min(this.#silences, MAX_DOUBLINGS));
    this.#silences++;
    this.#restsUntilMs = this.#options.clock.nowMs() + restMs;
  }

  /**
   * Asks, once it has shown that it is on the right chain.
   * @throws Error saying why there is no answer in JSON-RPC, without quoting anything secret
   */
  async send(payload: JsonRpcPayload): Promise<RpcResponse> {
    await this.#verify();
    const isGathered = this.#takesBatches && GATHERED.has(payload.method);
    const response = await (isGathered ? this.#gather(payload) : this.#sendOne(payload));
    this.#failuresInARow = 0;
    return response;
  }

  /** Sends what is asked in the same turn of the event loop in one request. */
  #gather(payload: JsonRpcPayload): Promise<RpcResponse> {
    const answer = Promise.withResolvers<RpcResponse>();
    this.#gathered.push({ payload, answer });
    if (this.#gathered.length === 1) setImmediate(() => void this.#sendGathered());
    return answer.promise;
  }

  async #sendGathered(): Promise<void> {
    const asked = this.#gathered.splice(0);
    // Numbered anew: who asks does not know the others.
    const payloads = asked.map(({ payload }, index) => ({ ...payload, id: index + 1 }));
    try {
      const responses = asked.length === 1 ? [] : await this.#post(payloads).catch(noneIfNotJsonRpc);
      const byId = new Map(responses.map((response) => [response.id, response]));
      // A node that answers to less than all does not take batches, or none of this size.
      const isComplete = payloads.every(({ id }) => byId.has(id));
      if (asked.length > 1 && !isComplete) this.#takesBatches = false;
      for (const [index, { payload, answer }] of asked.entries()) {
        const response = byId.get(index + 1);
        if (isComplete && response !== undefined) answer.resolve({ ...response, id: payload.id });
        else this.#sendOne(payload).then(answer.resolve, answer.reject);
      }
    } catch (failure) {
      for (const { answer } of asked) answer.reject(failure);
    }
  }

  /** Never throws: what an endpoint does not say is an opinion that it does not have. */
  async opinionOn(question: Question): Promise<Opinion> {
    try {
      await this.#verify();
      const opinion = await this.#opinionOn(question);
      this.#failuresInARow = 0;
      return opinion;
    } catch (failure) {
      return { kind: "silent", why: failure instanceof Error ? failure.message : String(failure) };
    }
  }

  async #opinionOn(question: Question): Promise<Opinion> {
    const { anchor, call } = question;
    if (anchor === undefined) {
      const response = await this.#sendOne(payloadOf(1, call));
      return { ...question.read(response), response };
    }
    const [block, response] = await this.#sendBoth(payloadOf(1, anchor), payloadOf(2, call));
    // Behind one URL there may be many nodes, and it is the one which answers that has to have the block.
    // Without it, a result is worth nothing: only null or an error is passed on.
    if ("error" in block) return { kind: "error", why: "does not tell whether it has the block", response: block };
    if (block.result === null || block.result === undefined) {
      return { kind: "absent", response: question.mayBeNull ? block : response };
    }
    return { ...question.read(response), response };
  }

  /** In one request, so that one node answers both; one after the other where batches are not taken. */
  async #sendBoth(first: JsonRpcPayload, second: JsonRpcPayload): Promise<readonly [RpcResponse, RpcResponse]> {
    const responses = this.#takesBatches ? await this.#post([first, second]).catch(noneIfNotJsonRpc) : [];
    const [one, two] = [first, second].map(({ id }) => responses.find((response) => response.id === id));
    if (one !== undefined && two !== undefined) return [one, two];
    const both = [await this.#sendOne(first), await this.#sendOne(second)] as const;
    this.#takesBatches = false;
    return both;
  }

  async #sendOne(payload: JsonRpcPayload): Promise<RpcResponse> {
    const [response] = await this.#post(payload);
    if (response === undefined) throw new Error("an empty answer");
    return response;
  }

  async #verify(): Promise<void> {
    if (this.#isVerified) return;
    const answer = await this.#sendOne({ id: 0, jsonrpc: "2.0", method: "eth_chainId", params: [] });
    const result: unknown = "result" in answer ? answer.result : undefined;
    if (typeof result !== "string" || !/^0x[0-9a-f]+$/i.test(result)) throw new Error("does not tell its chain");
    const chainId = BigInt(result);
    this.#chain.id ??= chainId;
    if (chainId !== this.#chain.id) throw new Error(`is on chain ${chainId}, not on ${this.#chain.id}`);
    this.#isVerified = true;
  }

  async #post(payload: Payload): Promise<readonly RpcResponse[]> {
    const { fetch, timeoutMs } = this.#options;
    this.#requests++;
    const signal = AbortSignal.timeout(timeoutMs);
    const init = { method: "POST", headers: this.#headers, body: JSON.stringify(payload), signal };
    const { status, body } = await fetch(this.#url, init)
      .then(async (response) => ({ status: response.status, body: await response.text() }))
      .catch(() => {
        // The failure itself may quote the URL.
        throw new Error(signal.aborted ? `no answer in ${timeoutMs} ms` : "no connection");
      });
    const responses = status < 500 ? readResponses(body) : undefined;
    if (responses === undefined) throw new NotJsonRpc(`HTTP status ${status} and no JSON-RPC`);
    return responses;
  }
}

function noneIfNotJsonRpc(failure: unknown): readonly [] {
  if (failure instanceof NotJsonRpc) return [];
  throw failure;
}

function payloadOf(id: number, { method, params }: RpcCall): JsonRpcPayload {
  return { id, jsonrpc: "2.0", method, params: [...params] };
}

function readResponses(body: string): readonly RpcResponse[] | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    const responses: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
    return responses.every(isResponse) ? responses.map(eitherOf) : undefined;
  } catch {
    return undefined;
  }
}

/** What is in a result is for its reader to judge. */
function isResponse(each: unknown): each is RpcResponse {
  if (typeof each !== "object" || each === null || !("id" in each)) return false;
  return isError(each) || "result" in each;
}

function isError(each: object): each is JsonRpcError {
  return "error" in each && typeof each.error === "object" && each.error !== null;
}

/** Either a result or an error: some send both members, one of them null. */
function eitherOf(response: RpcResponse): RpcResponse {
  const { id } = response;
  if (isError(response)) return { id, error: response.error };
  return { id, result: response.result as unknown }; // anything at all
}
