import { Interface } from "ethers";
import { accessManager, partnerRegistry, settlementToken, transferRegistry, treasury } from "./compiled/abis.ts";

/** The interfaces of the ledger's contracts, as the compiler wrote them. */
export const ABI = {
  accessManager: new Interface(accessManager),
  partnerRegistry: new Interface(partnerRegistry),
  settlementToken: new Interface(settlementToken),
  transferRegistry: new Interface(transferRegistry),
  treasury: new Interface(treasury),
} as const;

export type ContractName = keyof typeof ABI;
