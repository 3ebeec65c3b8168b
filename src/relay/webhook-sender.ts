import { lookup as resolve, type LookupAddress } from "node:dns";
import { request as requestOverHttp } from "node:http";
import { request as requestOverHttps } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { InvalidInput } from "../domain/errors.ts";

/** What may be asked for under a URL that an operator has registered. */
export interface UrlPolicy {
  /** Plain HTTP to other machines, and link-local addresses: for development networks only. */
  readonly allowUnsafeUrls: boolean;
}

/** What an endpoint answered; nothing of its answer's body is read. */
export type SendResult =
  { readonly kind: "answered"; readonly status: number } | { readonly kind: "failed"; readonly error: string };

const MAX_URL_LENGTH = 2_048;
/** An answer's body is let through up to here, so that the connection can be used again. */
const MAX_ANSWER_BYTES = 65_536;

/**
 * Addresses that no webhook is delivered to: link-local ones, where clouds answer machines with their credentials
 * (169.254.169.254, fd00:ec2::254, 100.100.100.200), and those that are no host's. Private networks are allowed: that is
 * where a wallet's own systems are.
 */
const REFUSED = new BlockList();
REFUSED.addSubnet("0.0.0.0", 8, "ipv4");
REFUSED.addSubnet("169.254.0.0", 16, "ipv4");
REFUSED.addAddress("100.100.100.200", "ipv4");
REFUSED.addSubnet("224.0.0.0", 3, "ipv4");
REFUSED.addAddress("::", "ipv6");
REFUSED.addSubnet("fe80::", 10, "ipv6");
REFUSED.addSubnet("ff00::", 8, "ipv6");
REFUSED.addAddress("fd00:ec2::254", "ipv6");
// The same IPv4 ones behind NAT64's well-known prefix (RFC 6052).
REFUSED.addSubnet("64:ff9b::a9fe:0", 112, "ipv6");

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/**
 * Reads the URL of a webhook.
 * @throws InvalidInput when it is not HTTPS (HTTP is fine on this machine), has credentials or a fragment, or names an
 * address that is refused. A name may still resolve to one: that is seen when it is sent to.
 */
export function parseWebhookUrl(text: string, { allowUnsafeUrls }: UrlPolicy, field = "url"): URL {
  const url = text.length <= MAX_URL_LENGTH && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw new InvalidInput(field, `an absolute https URL of at most ${MAX_URL_LENGTH} characters`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new InvalidInput(field, "without credentials: deliveries are signed");
  }
  if (url.hash !== "") throw new InvalidInput(field, "without a fragment");
  const host = hostOf(url);
  if (allowUnsafeUrls) return url;
  if (url.protocol === "http:" && !isLoopback(host)) throw new InvalidInput(field, "https, unless it is on localhost");
  if (isIP(host) !== 0 && isRefused(host)) throw new InvalidInput(field, "not a link-local or reserved address");
  return url;
}

/**
 * POSTs a body. Redirects are not followed; a name's addresses are checked as they are connected to, so that none can
 * turn into a refused one in between. Never rejects.
 */
export function postWebhook(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  { timeoutMs, allowUnsafeUrls }: UrlPolicy & { readonly timeoutMs: number },
): Promise<SendResult> {
  const { promise, resolve: finish } = Promise.withResolvers<SendResult>();
  const fail = (failure: unknown): void => {
    finish({ kind: "failed", error: describe(failure, timeoutMs) });
  };
  try {
    const request = url.protocol === "https:" ? requestOverHttps : requestOverHttp;
    const sent = request(url, {
      method: "POST",
      headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
      signal: AbortSignal.timeout(timeoutMs),
      lookup: allowUnsafeUrls ? resolve : checkedLookup,
    });
    sent.on("error", fail);
    sent.on("response", (response) => {
      finish({ kind: "answered", status: response.statusCode ?? 0 });
      // Whatever becomes of the body does not matter any more.
      response.on("error", () => undefined);
      let bytes = 0;
      response.on("data", (chunk: Uint8Array) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) response.destroy();
      });
    });
    sent.end(body);
  } catch (failure) {
    fail(failure);
  }
  return promise;
}

class RefusedAddress extends Error {
  readonly code = "REFUSED_ADDRESS";
}

const checkedLookup: LookupFunction = (host, options, callback) => {
  resolve(host, { ...options, all: true }, (failure, addresses: LookupAddress[]) => {
    const [first] = addresses;
    if (failure !== null) callback(failure, "", 0);
    else if (first === undefined || addresses.some(({ address }) => isRefused(address))) {
      callback(new RefusedAddress("the name resolves to a link-local or reserved address"), "", 0);
    } else if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};

function isRefused(address: string): boolean {
  return REFUSED.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

function isLoopback(host: string): boolean {
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  const version = isIP(host);
  return version !== 0 && LOOPBACK.check(host, version === 6 ? "ipv6" : "ipv4");
}

/** IPv6 addresses stand in brackets in URLs. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Says what went wrong, and nothing of what was sent. */
function describe(failure: unknown, timeoutMs: number): string {
  if (!(failure instanceof Error)) return "failed";
  if (failure.name === "TimeoutError" || failure.name === "AbortError") return `no answer within ${timeoutMs} ms`;
  return "code" in failure && typeof failure.code === "string" ? failure.code : failure.message.slice(0, 200);
}
