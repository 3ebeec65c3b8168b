import { isError } from "ethers";
import { normalizeHex, type Hex } from "../domain/bytes/hex.ts";
import { registryAddresses, type BatchRegistry, type Ledger } from "./contracts.ts";
import { latestHead } from "./state.ts";

/** By what a registry calls the contracts that it was made with. */
const GETTERS = { treasury: "treasury", corridorBook: "corridors", quoteBook: "quotes" } as const;
type MadeWith = keyof typeof GETTERS;
// The keys of a constant object are its own names.
const MADE_WITH = Object.keys(GETTERS) as MadeWith[];

/** A contract that a registry was made with, for good, where the ledger's addresses have another for it. */
export interface Miswiring {
  readonly registry: Hex;
  readonly contract: MadeWith;
  readonly named: Hex;
  /** Undefined where there is no registry of batches. */
  readonly found: Hex | undefined;
}

/**
 * In which ways the ledger's addresses do not fit each other. Money would be looked for in another treasury than where it
 * is, and all of it would be missing.
 */
export async function miswirings(ledger: Ledger): Promise<readonly Miswiring[]> {
  const { number: blockTag } = await latestHead(ledger);
  const named = registryAddresses(ledger.addresses);
  const found = ledger.registries.flatMap((registry, index) =>
    MADE_WITH.map(async (contract): Promise<Miswiring[]> => {
      const address = named[index]?.[contract] ?? "0x";
      const real = await madeWith(registry, contract, blockTag);
      return real === address
        ? []
        : [{ registry: registry.chain.transferRegistry, contract, named: address, found: real }];
    }),
  );
  return (await Promise.all(found)).flat();
}

async function madeWith(
  { transferRegistry }: BatchRegistry,
  contract: MadeWith,
  blockTag: number,
): Promise<Hex | undefined> {
  try {
    return normalizeHex(await transferRegistry[GETTERS[contract]]({ blockTag }), 20);
  } catch (failure) {
    // What answers nothing has no code, or another.
    if (isError(failure, "BAD_DATA")) return undefined;
    throw failure;
  }
}
