import type { Provider } from "ethers";
import { z } from "zod/v4";
import { serveChain, type ChainServer, type LocalChain } from "./chain-server.ts";

/** What a sandbox's ledger is on: a chain in this process, whose time can be moved, or nodes of one that goes its way. */
export type SandboxChain =
  | { readonly kind: "inProcess"; readonly chain: LocalChain }
  | { readonly kind: "nodes"; readonly rpcUrls: readonly string[] };

/** Where relays find the chain. */
export interface ReachableChain {
  readonly rpcUrls: readonly string[];
  /** What relays in this process reach it with. */
  readonly fetch: typeof globalThis.fetch;
  stop(): Promise<void>;
}

/** @param port where a chain of this process is served; any free one by default */
export async function reachChain(chain: SandboxChain, port?: number): Promise<ReachableChain> {
  if (chain.kind === "nodes") return { rpcUrls: chain.rpcUrls, fetch: globalThis.fetch, stop: () => Promise.resolve() };
  const node: ChainServer = await serveChain(chain.chain, port);
  return { rpcUrls: [node.url], fetch: node.fetch, stop: () => node.stop() };
}

const pendingBlock = z.object({ timestamp: z.string().regex(/^0x[0-9a-f]{1,12}$/) });

/**
 * The time of the next block, in seconds. A chain in this process makes blocks only when there is something to put into
 * one, so the time of its latest is that of the last transaction, however long ago.
 */
export async function nextBlockTime(chain: SandboxChain, provider: Provider): Promise<number> {
  if (chain.kind === "nodes") return (await provider.getBlock("latest"))?.timestamp ?? 0;
  const block = await chain.chain.request({ method: "eth_getBlockByNumber", params: ["pending", false] });
  return Number.parseInt(pendingBlock.parse(block).timestamp, 16);
}
