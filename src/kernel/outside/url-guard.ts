import { lookup as resolveName, type LookupAddress } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { InvalidInput } from "../../domain/errors.ts";

// What comes from outside as a URL is asked for by this relay, from inside its operator's network. These are the rules of
// every such URL: of webhooks, of other partners' relays, of providers.

/** Who has named a URL, and so where it may lead. */
export type Reach =
  /**
   * Somebody with a key of scope operate. Private networks are where a wallet's own systems are; plain HTTP is for this
   * machine alone. `allowUnsafeUrls` lifts all of it, for development networks.
   */
  | { readonly from: "operator"; readonly allowUnsafeUrls: boolean }
  /** Another partner, in the registry: HTTPS to public addresses; HTTP and private ones in these networks alone. */
  | { readonly from: "registry"; readonly trusted: BlockList };

const MAX_URL_LENGTH = 2_048;

/** Link-local addresses, where clouds answer machines with their credentials, and those that are no single host's. */
const REFUSED_IPV4 = [
  "0.0.0.0/8",
  "100.100.100.200/32", // Alibaba Cloud's metadata
  "168.63.129.16/32", // Azure's
  "169.254.0.0/16",
  "192.0.0.0/24", // IETF protocol assignments; 192.0.0.192 is Oracle Cloud's metadata
  "192.0.2.0/24", // documentation, as the next two
  "198.51.100.0/24",
  "203.0.113.0/24",
  "192.88.99.0/24", // 6to4 relays
  "224.0.0.0/3", // multicast, reserved, broadcast
];
const PRIVATE_IPV4 = ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15"];
const REFUSED_IPV6 = [
  "::/128",
  "100::/64", // discarded
  "2001::/32", // Teredo, which wraps IPv4 addresses
  "2001:db8::/32", // documentation, as the next one
  "3fff::/20",
  "2002::/16", // 6to4, which wraps IPv4 addresses
  "64:ff9b:1::/48", // NAT64 of a network's own
  "fd00:ec2::254/128", // Amazon's metadata
  "fd20:ce::254/128", // Google Cloud's
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
];
const PRIVATE_IPV6 = ["::1/128", "fc00::/7"];
/** An IPv4 address that is none of the Internet's has no business behind these (RFC 6052, 3.1; RFC 4291, 2.5.5.1). */
const WRAPPING_PREFIXES = ["64:ff9b::", "::"];
const WRAPPED_BITS = 96;

const wrapped = [...REFUSED_IPV4, ...PRIVATE_IPV4].flatMap((network) => {
  const [address = "", bits = ""] = network.split("/");
  return WRAPPING_PREFIXES.map((prefix) => `${prefix}${address}/${WRAPPED_BITS + Number.parseInt(bits, 10)}`);
});
const LOOPBACK = networks(["127.0.0.0/8", "::1/128"]);
const PRIVATE = networks([...PRIVATE_IPV4, ...PRIVATE_IPV6]);
// "::0.0.0.0/104" has the loopback address in it, which is looked at before.
const REFUSED = networks([...REFUSED_IPV4, ...REFUSED_IPV6, ...wrapped]);

/** @param texts in CIDR notation, as the configuration's schema has it */
export function networks(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = "", bits = ""] = text.split("/");
    list.addSubnet(address, Number.parseInt(bits, 10), isIP(address) === 6 ? "ipv6" : "ipv4");
  }
  return list;
}

/**
 * Reads a URL that was named by somebody else. A name may still resolve to an address that is refused: that is seen as it
 * is connected to, by `guardedLookup`.
 * @throws InvalidInput when it is no HTTP(S), has credentials or a fragment, or leads where it may not
 */
export function parseOutsideUrl(text: string, reach: Reach, field = "url"): URL {
  const url = text.length <= MAX_URL_LENGTH && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw new InvalidInput(field, `an absolute https URL of at most ${MAX_URL_LENGTH} characters`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new InvalidInput(field, "without credentials: requests are signed");
  }
  if (url.hash !== "") throw new InvalidInput(field, "without a fragment");
  const host = hostOf(url);
  const isPlain = url.protocol === "http:";
  if (isIP(host) !== 0) {
    const rule = ruleBroken(host, isPlain, reach);
    if (rule !== undefined) throw new InvalidInput(field, rule);
  } else if (isPlain && reach.from === "operator" && !reach.allowUnsafeUrls && !isLocalName(host)) {
    throw new InvalidInput(field, "https, unless it is on localhost");
  }
  return url;
}

/** Resolves a name as it is connected to, so that none can turn into an address that is refused in between. */
export function guardedLookup(url: URL, reach: Reach, resolve: typeof resolveName = resolveName): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (failure, addresses: LookupAddress[]) => {
      if (failure !== null) {
        callback(failure, "", 0);
        return;
      }
      const [first] = addresses;
      const rules = addresses.map(({ address }) => ruleBroken(address, url.protocol === "http:", reach));
      const rule = rules.find((broken) => broken !== undefined);
      if (rule !== undefined) callback(new RefusedAddress(rule), "", 0);
      else if (first === undefined) callback(new RefusedAddress("an address"), "", 0);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** @returns what the address would have to be; undefined where it may be connected to */
export function ruleBroken(address: string, isPlain: boolean, reach: Reach): string | undefined {
  if (reach.from === "operator") {
    if (reach.allowUnsafeUrls || isIn(LOOPBACK, address)) return undefined;
    if (isPlain) return "https, unless it is on localhost";
    return isIn(REFUSED, address) ? "not a link-local or reserved address" : undefined;
  }
  const isTrusted = isIn(reach.trusted, address);
  if (isIn(LOOPBACK, address) && isTrusted) return undefined;
  if (isIn(REFUSED, address)) return "not a link-local or reserved address";
  if (isTrusted) return undefined;
  if (isIn(PRIVATE, address)) return "a public address, or one in registry.trustedNetworks";
  return isPlain ? "https, or an address in registry.trustedNetworks" : undefined;
}

class RefusedAddress extends Error {
  readonly code = "REFUSED_ADDRESS";

  constructor(rule: string) {
    super(`what the name resolves to: ${rule}`);
  }
}

/** IPv4 addresses that are written as IPv6 (::ffff:…) are found among the IPv4 ones. */
function isIn(list: BlockList, address: string): boolean {
  return list.check(address.replace(/%.*$/, ""), isIP(address) === 6 ? "ipv6" : "ipv4");
}

function isLocalName(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost");
}

/** IPv6 addresses stand in brackets in URLs. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}
