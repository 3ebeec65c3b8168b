import type { ContractName } from "../abi.ts";
import {
  accessManager,
  corridorBook,
  partnerRegistry,
  quoteBook,
  settlementToken,
  transferRegistry,
  treasury,
} from "../compiled/codes.ts";

/** A contract as the compiler wrote it, to compare what is on a ledger with. No contract links a library. */
interface Build {
  /** What creates it, without the constructor's arguments. */
  readonly creation: string;
  readonly runtime: string;
  /** Where the runtime code has values that the constructor puts in. */
  readonly immutables: readonly { readonly start: number; readonly length: number }[];
}

export const BUILD: Readonly<Record<ContractName, Build>> = {
  accessManager,
  corridorBook,
  partnerRegistry,
  quoteBook,
  settlementToken,
  transferRegistry,
  treasury,
};
