import { JsonRpcApiProvider, Network, type JsonRpcError, type JsonRpcPayload, type JsonRpcResult } from "ethers";
import { InvalidInput } from "../domain/errors.ts";
import type { Clock } from "../platform/clock.ts";

export interface FailoverOptions {
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
  /** For one request to one endpoint. */
  readonly timeoutMs: number;
  /** What every endpoint must be on. Where it is left out, the first one to answer decides. */
  readonly chainId?: bigint;
  /** Called when requests go to another endpoint from now on. */
  readonly onSwitch?: (from: EndpointHealth, to: EndpointHealth) => void;
}

/** How one endpoint has done. */
export interface EndpointHealth {
  /** Without credentials, path or query, any of which may be secret. */
  readonly name: string;
  readonly isActive: boolean;
  readonly requests: number;
  readonly failures: number;
  /** Since the last answer. */
  readonly failuresInARow: number;
  readonly lastFailure: { readonly atMs: number; readonly reason: string } | undefined;
}

/** None of the endpoints gave an answer. Whether one of them has acted on the request is not known. */
export class LedgerUnreachable extends Error {
  readonly code = "LEDGER_UNREACHABLE";

  constructor(reasons: readonly string[]) {
    super(`no endpoint of the ledger answers: ${reasons.join("; ")}`);
    this.name = "LedgerUnreachable";
  }
}

/**
 * A provider over several JSON-RPC endpoints of one ledger. All requests go to one of them, so that answers fit together,
 * until it fails: no connection, no answer in time, an HTTP error, or anything that is not JSON-RPC. Then the request
 * goes to the next, and the ones after it, too. What a node says in JSON-RPC, errors included, is an answer.
 * @param urls http or https, the preferred one first
 */
export function createFailoverProvider(urls: readonly string[], options: FailoverOptions): FailoverProvider {
  return new FailoverProvider(urls, options);
}

interface Endpoint {
  readonly url: string;
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Set once it has shown to be on the right chain. */
  isVerified: boolean;
  requests: number;
  failures: number;
  failuresInARow: number;
  lastFailure: EndpointHealth["lastFailure"];
}

type Responses = (JsonRpcResult | JsonRpcError)[];

/** Answers are never cached: what a ledger's client reads decides over money. */
const PROVIDER_OPTIONS = { cacheTimeout: -1, batchMaxCount: 1 } as const;

export class FailoverProvider extends JsonRpcApiProvider {
  readonly #endpoints: readonly Endpoint[];
  readonly #options: FailoverOptions;
  #active = 0;
  #switches = 0;
  #chainId: bigint | undefined;

  constructor(urls: readonly string[], options: FailoverOptions) {
    super(undefined, PROVIDER_OPTIONS);
    if (urls.length === 0) throw new InvalidInput("endpoints", "at least one URL");
    this.#endpoints = urls.map((url, index) => endpointOf(url, `endpoints[${index}]`));
    this.#options = options;
    this.#chainId = options.chainId;
  }

  /** How often requests have begun to go to another endpoint. */
  get switches(): number {
    return this.#switches;
  }

  /** How each endpoint has done, in the order given. */
  health(): readonly EndpointHealth[] {
    return this.#endpoints.map((_, index) => this.#healthOf(index));
  }

  /** Every endpoint shows its chain before it is used, so that it need not be asked with every request. */
  override async _detectNetwork(): Promise<Network> {
    const chainId = this.#chainId ?? BigInt(String(await this.send("eth_chainId", [])));
    return Network.from(chainId);
  }

  override async _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<Responses> {
    const reasons: string[] = [];
    for (let tries = 0; tries < this.#endpoints.length; tries++) {
      const index = this.#active;
      const endpoint = this.#at(index);
      try {
        await this.#verify(endpoint);
        const responses = await this.#post(endpoint, payload);
        endpoint.failuresInARow = 0;
        return responses;
      } catch (failure) {
        const reason = failure instanceof Error ? failure.message : String(failure);
        reasons.push(`${endpoint.name}: ${reason}`);
        this.#fail(index, reason);
      }
    }
    throw new LedgerUnreachable(reasons);
  }

  async #verify(endpoint: Endpoint): Promise<void> {
    if (endpoint.isVerified) return;
    const [answer] = await this.#post(endpoint, { id: 0, jsonrpc: "2.0", method: "eth_chainId", params: [] });
    const result: unknown = answer !== undefined && "result" in answer ? answer.result : undefined;
    if (typeof result !== "string" || !/^0x[0-9a-f]+$/i.test(result)) throw new Error("does not tell its chain");
    const chainId = BigInt(result);
    this.#chainId ??= chainId;
    if (chainId !== this.#chainId) throw new Error(`is on chain ${chainId}, not on ${this.#chainId}`);
    endpoint.isVerified = true;
  }

  async #post(endpoint: Endpoint, payload: JsonRpcPayload | JsonRpcPayload[]): Promise<Responses> {
    const { fetch, timeoutMs } = this.#options;
    endpoint.requests++;
    const signal = AbortSignal.timeout(timeoutMs);
    const init = { method: "POST", headers: endpoint.headers, body: JSON.stringify(payload), signal };
    const { status, body } = await fetch(endpoint.url, init)
      .then(async (response) => ({ status: response.status, body: await response.text() }))
      .catch(() => {
        // The failure itself may quote the URL.
        throw new Error(signal.aborted ? `no answer in ${timeoutMs} ms` : "no connection");
      });
    const responses = status < 500 ? readResponses(body) : undefined;
    if (responses === undefined) throw new Error(`HTTP status ${status} and no JSON-RPC`);
    return responses;
  }

  #fail(index: number, reason: string): void {
    const endpoint = this.#at(index);
    endpoint.failures++;
    endpoint.failuresInARow++;
    endpoint.lastFailure = { atMs: this.#options.clock.nowMs(), reason };
    // Another request may have moved on already.
    if (this.#active !== index || this.#endpoints.length === 1) return;
    this.#active = (index + 1) % this.#endpoints.length;
    this.#switches++;
    this.#options.onSwitch?.(this.#healthOf(index), this.#healthOf(this.#active));
  }

  #healthOf(index: number): EndpointHealth {
    const { name, requests, failures, failuresInARow, lastFailure } = this.#at(index);
    return { name, isActive: index === this.#active, requests, failures, failuresInARow, lastFailure };
  }

  #at(index: number): Endpoint {
    const endpoint = this.#endpoints[index];
    if (endpoint === undefined) throw new RangeError(`no endpoint ${index}`);
    return endpoint;
  }
}

function endpointOf(text: string, field: string): Endpoint {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw new InvalidInput(field, "an http or https URL");
  }
  const { username, password, protocol, host } = url;
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  const authorization = username === "" ? {} : { authorization: `Basic ${credentials.toString("base64")}` };
  // fetch takes no credentials in a URL.
  url.username = url.password = "";
  return {
    url: url.href,
    name: `${protocol}//${host}`,
    headers: { "content-type": "application/json", ...authorization },
    isVerified: false,
    requests: 0,
    failures: 0,
    failuresInARow: 0,
    lastFailure: undefined,
  };
}

function readResponses(body: string): Responses | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    const responses: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
    const areResponses = responses.every(
      (each) => typeof each === "object" && each !== null && "id" in each && ("result" in each || "error" in each),
    );
    // Has just been looked at; what is in a result is for its reader to judge.
    return areResponses ? (responses as Responses) : undefined;
  } catch {
    return undefined;
  }
}
