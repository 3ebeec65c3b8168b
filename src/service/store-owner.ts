import type { Ledger } from "../ledger/contracts.ts";
import { blockHead } from "../ledger/state.ts";
import { ConfigError } from "../platform/config.ts";
import type { Foreign, StoreOwner } from "../store/identity.ts";

/** Whose database it has to be, by the configuration and the ledger that it leads to. */
export async function storeOwner(partner: number, ledger: Ledger): Promise<StoreOwner> {
  const { chainId, verifyingContract } = ledger.chain;
  const genesis = await blockHead(ledger, 0);
  return { partner, chainId, genesis: genesis?.hash, registry: verifyingContract };
}

/** @throws ConfigError where the database is another's */
export function requireOwn(foreign: readonly Foreign[]): void {
  if (foreign.length > 0) throw new ConfigError(foreign);
}
