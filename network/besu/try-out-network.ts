import type { NetworkPlan } from "./plan.ts";

// In the try-out, containers have the names and addresses that the plan gives the nodes' hosts: those are in the static
// nodes and allow-lists, which are the same there.

/** What a container says of itself in the network of nodes. */
export type Place = Readonly<{ aliases: readonly string[] }> | Readonly<{ ipv4_address: string }>;

export interface Subnet {
  readonly subnet: string;
  readonly gateway: string;
}

const SHORTEST_PREFIX = 8;
const BITS = 32;

export function isAddress(host: string): boolean {
  return /^\d+(?:\.\d+){3}$/.test(host);
}

/** By host. Empty where the hosts' addresses are too far apart for one network. */
export function addressesOf({ members }: NetworkPlan): {
  readonly subnet: Subnet | undefined;
  readonly addresses: ReadonlyMap<string, Place>;
} {
  const hosts = members.flatMap(({ validator, rpc }) => [validator.host, rpc.host]);
  const numeric = hosts.filter(isAddress);
  const subnet = numeric.length === 0 ? undefined : subnetOf(numeric.map(toNumber));
  if (numeric.length > 0 && subnet === undefined) return { subnet, addresses: new Map() };
  return {
    subnet,
    addresses: new Map(
      hosts.map((host): [string, Place] => [host, isAddress(host) ? { ipv4_address: host } : { aliases: [host] }]),
    ),
  };
}

/** The smallest that has all of them and leaves its first and last addresses, and one for Docker itself, free. */
function subnetOf(used: readonly bigint[]): Subnet | undefined {
  const taken = new Set(used);
  for (let prefix = BITS - 2; prefix >= SHORTEST_PREFIX; prefix--) {
    const size = 1n << BigInt(BITS - prefix);
    const first = ((used[0] ?? 0n) / size) * size;
    const [gateway, last] = [first + size - 2n, first + size - 1n];
    const hasAll = used.every((address) => address > first && address < last);
    if (hasAll && !taken.has(gateway)) return { subnet: `${toText(first)}/${prefix}`, gateway: toText(gateway) };
  }
  return undefined;
}

function toNumber(address: string): bigint {
  return address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function toText(address: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((address >> shift) & 255n)).join(".");
}
