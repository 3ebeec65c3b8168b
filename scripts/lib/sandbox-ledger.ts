import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import hre from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { deployLedger } from "../../ignition/deploy.ts";
import { connectLedger } from "../../src/ledger/contracts.ts";
import type { LedgerConfig } from "../../src/ledger/deployment/config.ts";
import { differences, verifyDeployment } from "../../src/ledger/deployment/verify.ts";
import { sandboxConfig, sandboxKeys } from "../../sandbox/network.ts";
import type { NetworkOptions } from "../../sandbox/network-up.ts";
import type { SandboxChain } from "../../sandbox/sandbox-chain.ts";
import { isCompiledFromSources } from "./compiled.ts";

/** The sandbox's ledger on some chain. */
export interface SandboxLedger extends Pick<NetworkOptions, "chain" | "provider" | "addresses" | "config"> {
  /** Roles and settings that were checked on the ledger, all as configured. */
  readonly settings: number;
}

/** In process: no fees, and blocks come as fast as transactions do. */
const IN_PROCESS = { initialBaseFeePerGas: 0, allowBlocksWithSameTimestamp: true };
/** What each key may burn in a sandbox's life where gas has a price. */
const GAS_BUDGET = 1_000_000_000n;

export interface SandboxPlace {
  /** One of hardhat.config.ts; a chain in this process where it is left out. */
  readonly network?: string | undefined;
  /** The network's nodes, if not the one in hardhat.config.ts: Hardhat takes the first, relays all of them. */
  readonly rpcUrls?: readonly string[] | undefined;
  /** The ledger clock's, if not the sandbox's usual. */
  readonly clock?: LedgerConfig["clock"];
}

/**
 * Deploys the network of ten, always anew: its partners have no money yet.
 * @throws Error when what is there is not what is configured
 */
export async function deploySandbox({ network, rpcUrls, clock }: SandboxPlace = {}): Promise<SandboxLedger> {
  const url = rpcUrls?.[0];
  const connection = await (network === undefined
    ? hre.network.create({ override: IN_PROCESS })
    : hre.network.create({ network, override: url === undefined ? {} : { url } }));
  const { provider } = connection.ethers;
  const usual = sandboxConfig(sandboxKeys());
  const config = { ...usual, clock: clock ?? usual.clock };
  const fromBlock = await provider.getBlockNumber();
  const addresses = await deployAnew(connection, config);
  const range = { fromBlock, toBlock: addresses.deployedBy };
  const settings = await verifyDeployment(await connectLedger(provider, addresses), config, range);
  const wrong = differences(settings).map(({ name, expected, found }) => `${name}: ${found} instead of ${expected}`);
  if (wrong.length > 0) throw new Error(`the ledger is not as configured: ${wrong.join("; ")}`);
  const chain = await chainOf(connection, rpcUrls);
  if (chain.kind === "nodes") await payForGas(connection);
  return { chain, provider, addresses, config, settings: settings.length };
}

/** Nobody deploys this ledger again, so nobody needs to know how far it has come. */
async function deployAnew(connection: NetworkConnection, config: LedgerConfig) {
  const journal = `sandbox-${randomUUID()}`;
  // Whoever has changed the contracts, and compiled them, gets those.
  const code = (await isCompiledFromSources()) ? "committed" : "compiler";
  try {
    return await deployLedger(connection, config, { journal, code });
  } finally {
    await rm(join("ignition", "deployments", journal), { recursive: true, force: true });
  }
}

async function chainOf(
  { networkConfig, provider }: NetworkConnection,
  rpcUrls: readonly string[] | undefined,
): Promise<SandboxChain> {
  if (networkConfig.type === "edr-simulated") return { kind: "inProcess", chain: provider };
  return { kind: "nodes", rpcUrls: rpcUrls ?? [await networkConfig.url.getUrl()] };
}

/** Where gas has a price, the deployer gives every key of the sandbox that is short of it what it needs. */
async function payForGas({ ethers }: NetworkConnection): Promise<void> {
  const { gasPrice } = await ethers.provider.getFeeData();
  const needed = 2n * (gasPrice ?? 0n) * GAS_BUDGET;
  if (needed === 0n) return;
  const [deployer] = await ethers.getSigners();
  for (const address of sandboxKeys().addresses()) {
    if ((await ethers.provider.getBalance(address)) >= needed) continue;
    await (await deployer?.sendTransaction({ to: address, value: needed }))?.wait();
  }
}
