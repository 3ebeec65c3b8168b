import { Interface } from "ethers";
import accessManager from "../../artifacts/@openzeppelin/contracts/access/manager/AccessManager.sol/AccessManager.json" with { type: "json" };
import partnerRegistry from "../../artifacts/contracts/PartnerRegistry.sol/PartnerRegistry.json" with { type: "json" };
import settlementToken from "../../artifacts/contracts/SettlementToken.sol/SettlementToken.json" with { type: "json" };
import transferRegistry from "../../artifacts/contracts/TransferRegistry.sol/TransferRegistry.json" with { type: "json" };
import treasury from "../../artifacts/contracts/Treasury.sol/Treasury.json" with { type: "json" };

/** The interfaces of the ledger's contracts, as the compiler wrote them (`npm run build`). */
export const ABI = {
  accessManager: new Interface(accessManager.abi),
  partnerRegistry: new Interface(partnerRegistry.abi),
  settlementToken: new Interface(settlementToken.abi),
  transferRegistry: new Interface(transferRegistry.abi),
  treasury: new Interface(treasury.abi),
} as const;

export type ContractName = keyof typeof ABI;

/** A contract as the compiler wrote it, to compare what is on a ledger with. No contract links a library. */
export interface Build {
  /** What creates it, without the constructor's arguments. */
  readonly creation: string;
  readonly runtime: string;
  /** Where the runtime code has values that the constructor puts in. */
  readonly immutables: readonly ByteRange[];
}

interface ByteRange {
  readonly start: number;
  readonly length: number;
}

interface Artifact {
  readonly bytecode: string;
  readonly deployedBytecode: string;
  readonly immutableReferences: Readonly<Record<string, readonly ByteRange[]>>;
}

export const BUILD: Readonly<Record<ContractName, Build>> = {
  accessManager: buildOf(accessManager),
  partnerRegistry: buildOf(partnerRegistry),
  settlementToken: buildOf(settlementToken),
  transferRegistry: buildOf(transferRegistry),
  treasury: buildOf(treasury),
};

function buildOf({ bytecode, deployedBytecode, immutableReferences }: Artifact): Build {
  return { creation: bytecode, runtime: deployedBytecode, immutables: Object.values(immutableReferences).flat() };
}
