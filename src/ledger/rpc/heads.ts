import type { RpcEndpoint } from "./rpc-endpoint.ts";

const LATEST = { id: 1, jsonrpc: "2.0", method: "eth_blockNumber", params: [] } as const;

/** The number of the latest block by each endpoint's own account; those that do not tell are left out. */
export async function headsOf(endpoints: readonly RpcEndpoint[]): Promise<ReadonlyMap<RpcEndpoint, bigint>> {
  const heads = new Map<RpcEndpoint, bigint>();
  await Promise.all(
    endpoints.map(async (endpoint) => {
      const response = await endpoint.send({ ...LATEST, params: [] }).catch(() => undefined);
      const head: unknown = response !== undefined && "result" in response ? response.result : undefined;
      if (typeof head === "string" && /^0x[0-9a-f]{1,16}$/i.test(head)) heads.set(endpoint, BigInt(head));
    }),
  );
  return heads;
}

/**
 * A head that, while fewer than half of those asked lie, is not beyond all that honest nodes have, nor below it: the
 * median, the lower one of two.
 */
export function commonHead(heads: Iterable<bigint>): bigint | undefined {
  const sorted = [...heads].sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
