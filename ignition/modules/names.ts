import type { ContractName } from "../../src/ledger/abi.ts";

/** A contract of which a deployment makes one. */
export type SingleName = Exclude<ContractName, "settlementToken">;

/** As the compiler has it. */
export function artifactName(contract: ContractName): string {
  return contract.slice(0, 1).toUpperCase() + contract.slice(1);
}
