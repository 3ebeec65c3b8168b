import { normalizeHex, toHex, type Hex } from "../../domain/bytes/hex.ts";
import { keccak256 } from "../../domain/bytes/keccak.ts";
import { withoutCredentials } from "../credentials.ts";
import { addressOfKey, type LedgerKey } from "./key.ts";
import { completeSignature } from "./signature.ts";

export interface Web3SignerOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
  /** Such as an authorization that a proxy in front of it wants. */
  readonly headers?: Readonly<Record<string, string>>;
}

const PUBLIC_KEY = /^0x(?:04)?[0-9a-f]{128}$/i;
const SIGNATURE = /^0x[0-9a-f]{130}$/i;

/**
 * A key that Web3Signer keeps, by its HTTP API for Ethereum 1 keys. It names keys by their public key, which is looked
 * up once, by the address. It hashes what it is given with keccak-256 itself.
 * @param url where it listens, with the path in front of `/api/v1` if there is one
 */
export function web3Signer(url: string, address: Hex, options: Web3SignerOptions): LedgerKey {
  const bare = withoutCredentials(url);
  const api = `${bare.url.replace(/\/+$/, "")}/api/v1/eth1`;
  const headers = { ...bare.headers, ...options.headers };
  const request = (path: string, init: RequestInit) => ask(`${api}${path}`, init, { ...options, headers });
  let known: Promise<string> | undefined;

  const findIdentifier = async (): Promise<string> => {
    const keys: unknown = JSON.parse(await request("/publicKeys", { method: "GET" }));
    const identifiers = Array.isArray(keys) ? keys.filter((key): key is string => typeof key === "string") : [];
    const found = identifiers.find((key) => PUBLIC_KEY.test(key) && addressOfPublicKey(key) === address);
    if (found === undefined) throw new Error(`Web3Signer has no key of ${address}, among ${identifiers.length}`);
    return found;
  };

  return {
    address,
    async sign(message) {
      known ??= findIdentifier().catch((failure: unknown) => {
        known = undefined;
        throw failure;
      });
      const identifier = await known;
      const body = JSON.stringify({ data: toHex(message) });
      const answer = (await request(`/sign/${identifier}`, { method: "POST", body })).trim();
      if (!SIGNATURE.test(answer)) throw new Error(`Web3Signer's answer for ${address} is no signature`);
      const [r, s] = [answer.slice(2, 66), answer.slice(66, 130)].map((word) => BigInt(`0x${word}`));
      return completeSignature(keccak256(message), r ?? 0n, s ?? 0n, address);
    },
  };
}

/** Errors say where and what, but nothing of the credentials that may be in an address or in headers. */
async function ask(
  url: string,
  init: RequestInit,
  { fetch, timeoutMs, headers = {} }: Web3SignerOptions,
): Promise<string> {
  const { host, pathname } = new URL(url);
  const what = `Web3Signer ${host}${pathname.replace(/0x([0-9a-f]{8})[0-9a-f]+/i, "0x$1…")}`;
  const response = await fetch(url, {
    ...init,
    headers: { "content-type": "application/json", ...headers },
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: unknown) => {
    throw new Error(`${what}: no answer`, { cause });
  });
  if (!response.ok) throw new Error(`${what}: HTTP status ${response.status}`);
  return response.text();
}

function addressOfPublicKey(key: string): Hex {
  const point = key.length === 130 ? `0x04${key.slice(2)}` : key;
  return addressOfKey(normalizeHex(point));
}
