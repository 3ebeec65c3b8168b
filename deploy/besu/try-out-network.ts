import type { NetworkPlan } from "./plan.ts";

// In the try-out, containers have the names and addresses that the plan gives the nodes' hosts: those are in the static
// nodes and allow-lists, which are the same there.

// Every node has a fixed address, known to all before any of them runs: Besu takes a name that it cannot resolve when it
// starts for 127.0.0.1, and keeps to that.

export interface Subnet {
  readonly subnet: string;
  readonly gateway: string;
}

const SHORTEST_PREFIX = 8;
/** For hosts that the plan has by name: a private range that Docker does not give out by itself. */
const FIRST_OF_NAMES = "10.213.0.0";
const BITS = 32;

export function isAddress(host: string): boolean {
  return /^\d+(?:\.\d+){3}$/.test(host);
}

/** The addresses of the nodes' hosts. Empty where those that the plan has are too far apart for one network. */
export function addressesOf({ members }: NetworkPlan): {
  readonly subnet: Subnet | undefined;
  readonly addresses: ReadonlyMap<string, string>;
} {
  const hosts = members.flatMap(({ validator, rpc }) => [validator.host, rpc.host]);
  const [numeric, names] = [hosts.filter(isAddress), hosts.filter((host) => !isAddress(host))];
  const range = rangeOf(numeric.map(toNumber), names.length);
  if (range === undefined) return { subnet: undefined, addresses: new Map() };
  const { subnet, gateway, free } = range;
  return {
    subnet: { subnet, gateway },
    addresses: new Map([
      ...numeric.map((host): [string, string] => [host, host]),
      ...names.map((host, index): [string, string] => [host, toText(free[index] ?? 0n)]),
    ]),
  };
}

/**
 * The smallest network that has some addresses and as many more that are free, and leaves its first and last, and one for
 * Docker itself.
 */
function rangeOf(used: readonly bigint[], more: number): (Subnet & { readonly free: readonly bigint[] }) | undefined {
  const taken = new Set(used);
  const within = used[0] ?? toNumber(FIRST_OF_NAMES);
  for (let prefix = BITS - 2; prefix >= SHORTEST_PREFIX; prefix--) {
    const size = 1n << BigInt(BITS - prefix);
    const first = (within / size) * size;
    const [gateway, last] = [first + size - 2n, first + size - 1n];
    if (!used.every((address) => address > first && address < last) || taken.has(gateway)) continue;
    const free: bigint[] = [];
    for (let address = first + 1n; address < gateway && free.length < more; address++) {
      if (!taken.has(address)) free.push(address);
    }
    if (free.length === more) return { subnet: `${toText(first)}/${prefix}`, gateway: toText(gateway), free };
  }
  return undefined;
}

function toNumber(address: string): bigint {
  return address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function toText(address: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((address >> shift) & 255n)).join(".");
}
