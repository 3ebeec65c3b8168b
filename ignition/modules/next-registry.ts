import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import type { ArgumentType, NamedArtifactContractDeploymentFuture } from "@nomicfoundation/ignition-core";
import type { LedgerAddresses } from "../../src/ledger/contracts.ts";
import type { LedgerConfig } from "../../src/ledger/deployment/config.ts";
import { partsOf } from "../../src/ledger/deployment/parts.ts";
import { RENEWED, type Renewal } from "../../src/ledger/deployment/succession.ts";
import { artifactName, type SingleName } from "./names.ts";

/** A new registry on a ledger that is in use, with or without a new treasury. Nothing else: governance does the rest. */
export function nextRegistryModule(config: LedgerConfig, addresses: LedgerAddresses, renewal: Renewal) {
  return buildModule("NextRegistry", (m) => {
    const renewed = new Map<SingleName, NamedArtifactContractDeploymentFuture<string>>();
    const names: readonly string[] = RENEWED[renewal];
    for (const { contract, args } of partsOf(config)) {
      if (!names.includes(contract)) continue;
      const given = args({
        at: (name) => renewed.get(name) ?? addresses[name],
        deployer: addresses.accessManager,
        clock: config.clock,
      });
      // What Ignition takes as arguments: contracts, addresses and numbers.
      renewed.set(contract, m.contract(artifactName(contract), [...given] as ArgumentType[]));
    }
    return Object.fromEntries(renewed);
  });
}
