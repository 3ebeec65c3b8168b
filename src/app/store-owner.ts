import type { Ledger } from "../ledger/contracts.ts";
import { blockHead } from "../ledger/state.ts";
import { ConfigError } from "../kernel/config-error.ts";
import type { Foreign, StoreOwner } from "../kernel/store/identity.ts";

/** Whose database it has to be, by the configuration and the ledger that it leads to. */
export async function storeOwner(partner: number, ledger: Ledger): Promise<StoreOwner> {
  const { accessManager, partnerRegistry, treasury, transferRegistry } = ledger.addresses;
  // Of number 0 some ledgers have none, and answer with another block; contracts are deployed after it everywhere.
  const first = await blockHead(ledger, 1);
  return {
    partner,
    chainId: ledger.chain.chainId,
    genesis: first?.hash,
    contracts: { accessManager, partnerRegistry, treasury, transferRegistry },
  };
}

/** @throws ConfigError where the database is another's */
export function requireOwn(foreign: readonly Foreign[]): void {
  if (foreign.length > 0) throw new ConfigError(foreign);
}
