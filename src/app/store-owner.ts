import type { Miswiring } from "../ledger/miswirings.ts";
import { registryAddresses, type Ledger } from "../ledger/contracts.ts";
import { blockHead } from "../ledger/state.ts";
import { ConfigError } from "../kernel/config-error.ts";
import type { Foreign, StoreOwner } from "../kernel/store/identity.ts";

/** Whose database it has to be, by the configuration and the ledger that it leads to. */
export async function storeOwner(partner: number, ledger: Ledger): Promise<StoreOwner> {
  const { accessManager, partnerRegistry } = ledger.addresses;
  // What was there first stays first, whatever has come after it.
  const [first = ledger.addresses] = registryAddresses(ledger.addresses);
  const { treasury, transferRegistry } = first;
  // Of number 0 some ledgers have none, and answer with another block; contracts are deployed after it everywhere.
  const firstBlock = await blockHead(ledger, 1);
  return {
    partner,
    chainId: ledger.chain.chainId,
    genesis: firstBlock?.hash,
    contracts: { accessManager, partnerRegistry, treasury, transferRegistry },
    registries: registryAddresses(ledger.addresses).map((each) => each.transferRegistry),
  };
}

/** @throws ConfigError where the ledger's addresses do not fit each other */
export function requireWired(found: readonly Miswiring[]): void {
  const problems = found.map(({ registry, contract, named, found: real }) => ({
    key: "ledger.addresses",
    rule:
      real === undefined
        ? `at ${registry} there is no registry of batches: take the file that the deployment has written`
        : `the registry ${registry} was made with the ${contract} ${real}, not ${named}: name that one beside it`,
  }));
  if (problems.length > 0) throw new ConfigError(problems);
}

/** @throws ConfigError where the database is another's */
export function requireOwn(foreign: readonly Foreign[]): void {
  if (foreign.length > 0) throw new ConfigError(foreign);
}
