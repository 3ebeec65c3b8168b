import hre from "hardhat";
import { deployLedger } from "../ignition/deploy.ts";
import type { Corridor } from "../src/domain/corridor.ts";
import { currencyOf } from "../src/domain/currency.ts";
import type { PartnerId } from "../src/domain/partner.ts";
import type { Ledger } from "../src/ledger/contracts.ts";
import type { Submitter } from "../src/ledger/submitter.ts";
import { createRandom } from "../src/kernel/random.ts";
import { makeDay } from "../sandbox/day/day.ts";
import { fundDay } from "../sandbox/funding.ts";
import { createLiquidityProvider, type Offer } from "../sandbox/provider/liquidity-provider.ts";
import { PROVIDERS, sandboxConfig, sandboxKeys, type SandboxKeys } from "../sandbox/network.ts";
import { loadRateBook } from "../sandbox/provider/rates.ts";
import { openSandbox } from "../sandbox/sandbox.ts";

/** Something to send on: the sandbox's network of ten, and the keys of everybody in it. */
export interface FundedLedger {
  readonly ledger: Ledger;
  /** The key that a partner signs with. */
  readonly signerOf: (partner: PartnerId) => ReturnType<SandboxKeys["walletOf"]>;
  /** The first liquidity provider's firm offer to exchange `sourceMinor` in a corridor. */
  readonly offer: (corridor: Corridor, sourceMinor: bigint) => Promise<Offer>;
  /** Submits what others have signed; has no rights of its own. */
  readonly courier: Submitter;
}

/** Starts a ledger in this process, and gives its partners what a day of a thousand transfers takes. */
export async function startFundedLedger(): Promise<FundedLedger> {
  const connection = await hre.network.create({ override: { initialBaseFeePerGas: 0 } });
  const { provider } = connection.ethers;
  const config = sandboxConfig(sandboxKeys());
  const sandbox = await openSandbox(provider, await deployLedger(connection, config), config);
  const { ledger, keys, submitterOf } = sandbox;
  const rates = (await loadRateBook()).on();
  await fundDay(sandbox, makeDay({ transfers: 1_000, seed: "example", rates }).orders, rates);

  const signerOf = (partner: PartnerId) => keys.walletOf({ kind: "operator", partner });
  const [{ id }] = PROVIDERS;
  const seller = createLiquidityProvider({ id, signer: signerOf(id), ledger, rates, random: createRandom("example") });
  return {
    ledger,
    signerOf,
    offer: async ({ source, sourceCurrency, targetCurrency }, sourceMinor) => {
      const [from, to] = [currencyOf(sourceCurrency).numeric, currencyOf(targetCurrency).numeric];
      const now = (await provider.getBlock("latest"))?.timestamp ?? 0;
      return seller.offer({ source, sourceCurrency: from, targetCurrency: to }, sourceMinor, now);
    },
    courier: await submitterOf({ kind: "courier" }),
  };
}
