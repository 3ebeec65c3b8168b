// The ledger that `path.ts` measures on: the sandbox's contracts on a chain in this process, with both providers.
import { randomBytes } from "node:crypto";
import { toHex } from "../../src/domain/bytes/hex.ts";
import { createRandom } from "../../src/kernel/random.ts";
import { fund } from "../../sandbox/funding.ts";
import { PROVIDERS } from "../../sandbox/network.ts";
import { createLiquidityProvider } from "../../sandbox/provider/liquidity-provider.ts";
import { startProviderServer } from "../../sandbox/provider/provider-server.ts";
import { loadRateBook } from "../../sandbox/provider/rates.ts";
import { nextBlockTime, reachChain } from "../../sandbox/sandbox-chain.ts";
import { openSandbox, registerEndpoint, type Sandbox } from "../../sandbox/sandbox.ts";
import { walletOf } from "../../sandbox/wallet/wallets.ts";
import { deploySandbox } from "../lib/sandbox-ledger.ts";
import { SOURCE, TARGET } from "./path-parts.ts";
import type { Stops } from "./processes.ts";

export interface PathLedger {
  readonly sandbox: Sandbox;
  readonly rpcUrl: string;
}

const FUNDS_MINOR = 10n ** 15n;
const BLOCK_INTERVAL_MS = 500;
const NO_KEY = `0x${"0".repeat(64)}` as const;

export async function startPathLedger(stops: Stops): Promise<PathLedger> {
  const { chain, provider, addresses, config } = await deploySandbox();
  const reached = await reachChain(chain);
  stops.push(() => reached.stop());
  const [rpcUrl] = reached.rpcUrls;
  if (rpcUrl === undefined) throw new Error("the chain has no endpoint");
  const sandbox = await openSandbox(provider, addresses, config);
  const rates = (await loadRateBook()).on();
  await fund(sandbox, [
    { partner: SOURCE, currency: walletOf(SOURCE).currency.code, amountMinor: FUNDS_MINOR },
    ...PROVIDERS.map(({ id }) => ({
      partner: id,
      currency: walletOf(TARGET).currency.code,
      amountMinor: FUNDS_MINOR,
    })),
  ]);
  for (const { id } of PROVIDERS) {
    const signer = sandbox.keys.walletOf({ kind: "operator", partner: id });
    const { ledger } = sandbox;
    const drawNonce = (): bigint => BigInt(toHex(randomBytes(8)));
    const random = createRandom(`bench ${id}`);
    const desk = await startProviderServer({
      provider: createLiquidityProvider({ id, signer, ledger, rates, random, drawNonce }),
      blockTime: () => nextBlockTime(chain, provider),
    });
    stops.push(() => desk.stop());
    await registerEndpoint(sandbox, id, { url: desk.url, signingKey: NO_KEY, encryptionKey: NO_KEY });
  }
  if (chain.kind === "inProcess") {
    const mineEvery = (ms: number) => chain.chain.request({ method: "evm_setIntervalMining", params: [ms] });
    await mineEvery(BLOCK_INTERVAL_MS);
    stops.push(() => mineEvery(0));
  }
  return { sandbox, rpcUrl };
}
