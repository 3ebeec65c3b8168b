import type { Context } from "mocha";
import type { HDNodeWallet, Provider, Signer } from "ethers";
import type { SignedTransaction } from "../../../src/ledger/rpc/broadcast.ts";
import {
  createFailoverProvider,
  type FailoverOptions,
  type FailoverProvider,
} from "../../../src/ledger/rpc/failover-provider.ts";
import { createSubmitter, type Submitter, type SubmitterOptions } from "../../../src/ledger/submitter.ts";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import type { Accounts } from "./accounts.ts";
import { eventually, paceOf, type Pace } from "./pace.ts";
import { signRaw } from "./raw.ts";
import { BftPackageMissing, openTarget, type Target } from "./target.ts";

/** One node, asked by itself. */
export interface NodeUnderTest {
  /** Its URL without credentials, path and query. */
  readonly name: string;
  readonly url: string;
  readonly provider: FailoverProvider;
}

export interface Nodes {
  readonly nodes: readonly NodeUnderTest[];
  /** Whose account the suite submits through unless it says otherwise. */
  readonly first: NodeUnderTest;
  readonly chainId: bigint;
  readonly accounts: Accounts;
  readonly pace: Pace;
}

/** For one request. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Of a ledger that has yet to be measured. */
const UNKNOWN_PACE = paceOf(1_000);

let target: Promise<Target> | undefined;
let opened: Promise<Nodes> | undefined;
let isSkipTold = false;

// In the root suite, since nothing around it is open while this is loaded.
after(async function () {
  this.timeout(60_000);
  await (await target?.catch(() => undefined))?.stop();
});

/** The nodes that are tested, opened once. Without any, tells so and skips all that needs them. */
export async function useNodes(test: Context): Promise<Nodes> {
  try {
    return await (opened ??= openNodes());
  } catch (failure) {
    if (!(failure instanceof BftPackageMissing)) throw failure;
    if (!isSkipTold) console.warn(`\n  NOTHING IS TESTED: no FEIQIAN_RPC_URLS is given, and ${failure.message}\n`);
    isSkipTold = true;
    return test.skip();
  }
}

/** A provider as relays have it. */
export function providerFor(urls: readonly string[], change: Partial<FailoverOptions> = {}): FailoverProvider {
  const options = { clock: systemClock, fetch: globalThis.fetch, timeoutMs: REQUEST_TIMEOUT_MS };
  return createFailoverProvider(urls, { ...options, ...change });
}

export function submitterOptions({ roundTripMs, pollIntervalMs }: Pace): SubmitterOptions {
  return {
    clock: systemClock,
    receiptTimeoutMs: Math.max(5_000, 5 * roundTripMs),
    pollIntervalMs,
    maxBroadcasts: 4,
    priorityFeeWei: 0n,
  };
}

async function openNodes(): Promise<Nodes> {
  const { rpcUrls, accounts } = await (target ??= openTarget());
  const nodes = rpcUrls.map((url) => {
    const provider = providerFor([url]);
    return { name: provider.health()[0]?.name ?? url, url, provider };
  });
  const [first] = nodes;
  if (first === undefined) throw new Error("FEIQIAN_RPC_URLS: at least one URL");
  console.log(`  nodes: ${nodes.map(({ name }) => name).join("  ")}`);
  console.log("  accounts that send transactions, all of which the ledger has to let:");
  for (const [label, { address }] of accounts.senders) console.log(`    ${address}  ${label}`);
  const { chainId } = await first.provider.getNetwork();
  const deployer = accounts.deployer.connect(first.provider);
  const pace = paceOf(await measureRoundTripMs(await submitterFor({ pace: UNKNOWN_PACE }, deployer, first.provider)));
  console.log(`  a transaction takes up to ${pace.roundTripMs} ms to be in a block\n`);
  await payForGas(first.provider, deployer, accounts.senders.values(), pace);
  return { nodes, first, chainId, accounts, pace };
}

const MEASURED = 3;

/** The longest of a few transactions that do nothing: an idle ledger may make no blocks without any. */
async function measureRoundTripMs(submitter: Submitter): Promise<number> {
  let longest = 1;
  for (let done = 0; done < MEASURED; done++) {
    const from = systemClock.nowMs();
    await submitter.submit({ to: submitter.address, data: "0x" }).catch((cause: unknown) => {
      const hint = "does the node list it among the accounts that may send, and has it money for fees?";
      throw new Error(`the deployer, ${submitter.address}, cannot send: ${hint} ${String(cause)}`, { cause });
    });
    longest = Math.max(longest, systemClock.nowMs() - from);
  }
  return longest;
}

/** Gas that no account comes near in one run. */
const GAS_BUDGET = 200_000_000n;

/** Where gas has a price, the deployer gives every account that is short of money what it needs. */
async function payForGas(
  provider: Provider,
  deployer: HDNodeWallet,
  accounts: Iterable<HDNodeWallet>,
  pace: Pace,
): Promise<void> {
  const latest = await provider.getBlock("latest");
  const needed = 2n * (latest?.baseFeePerGas ?? 0n) * GAS_BUDGET;
  let nonce = await provider.getTransactionCount(deployer.address, "latest");
  const paid: SignedTransaction[] = [];
  for (const { address: to } of accounts) {
    if ((await provider.getBalance(to)) >= needed) continue;
    const payment = await signRaw(provider, deployer, { to, value: needed, nonce: nonce++ });
    await provider.broadcastTransaction(payment.raw);
    paid.push(payment);
  }
  for (const payment of paid) {
    await eventually(pace, `the deployer's payment ${payment.hash} for gas`, async () => {
      const receipt = await provider.getTransactionReceipt(payment.hash);
      return receipt === null ? undefined : true;
    });
  }
}

/** A submitter of a key of its own, through one node or several. */
export async function submitterFor(
  { pace }: Pick<Nodes, "pace">,
  wallet: Signer,
  provider: Provider,
  change: Partial<SubmitterOptions> = {},
): Promise<Submitter> {
  return createSubmitter(wallet.connect(provider), { ...submitterOptions(pace), ...change });
}
