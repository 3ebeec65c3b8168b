import { Interface } from "ethers";
import {
  accessManager,
  corridorBook,
  partnerRegistry,
  quoteBook,
  settlementToken,
  transferRegistry,
  treasury,
} from "./compiled/abis.ts";

/** The interfaces of the ledger's contracts, as the compiler wrote them. */
export const ABI = {
  accessManager: new Interface(accessManager),
  corridorBook: new Interface(corridorBook),
  partnerRegistry: new Interface(partnerRegistry),
  quoteBook: new Interface(quoteBook),
  settlementToken: new Interface(settlementToken),
  transferRegistry: new Interface(transferRegistry),
  treasury: new Interface(treasury),
} as const;

export type ContractName = keyof typeof ABI;
