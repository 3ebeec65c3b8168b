import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { SettlementToken } from "../../../types/ethers-contracts/index.ts";

const TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};

export interface Permit {
  readonly spender: string;
  readonly value: bigint;
  /** UTC seconds of block time, inclusive. */
  readonly deadline: number;
}

/** Signs an ERC-2612 approval of the owner's tokens with its next nonce. */
export async function signPermit(token: SettlementToken, owner: HardhatEthersSigner, permit: Permit): Promise<string> {
  const { name, version, chainId, verifyingContract } = await token.eip712Domain();
  const nonce = await token.nonces(owner);
  const domain = { name, version, chainId, verifyingContract };
  return owner.signTypedData(domain, TYPES, { owner: owner.address, nonce, ...permit });
}
