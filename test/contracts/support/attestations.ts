import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { ZeroHash } from "ethers";
import type { SettlementToken } from "../../../types/ethers-contracts/index.ts";
import { latestTimestamp } from "./clock.ts";

const TYPES = {
  ReserveAttestation: [
    { name: "reserve", type: "uint128" },
    { name: "asOf", type: "uint48" },
    { name: "report", type: "bytes32" },
  ],
};

export interface Attestation {
  readonly reserve: bigint;
  /** UTC seconds of block time. */
  readonly asOf: number;
  readonly report: string;
}

/** Signs an attestation in the token's own EIP-712 domain (ERC-5267 tells which). */
export async function signAttestation(
  token: SettlementToken,
  signer: HardhatEthersSigner,
  attestation: Attestation,
): Promise<string> {
  const { name, version, chainId, verifyingContract } = await token.eip712Domain();
  return signer.signTypedData({ name, version, chainId, verifyingContract }, TYPES, attestation);
}

/** Attests a reserve as of the latest block, or as given. */
export async function attest(
  token: SettlementToken,
  signer: HardhatEthersSigner,
  given: Partial<Attestation> & Pick<Attestation, "reserve">,
): Promise<Attestation> {
  const attestation = { asOf: await latestTimestamp(), report: ZeroHash, ...given };
  await token.attest(attestation, await signAttestation(token, signer, attestation));
  return attestation;
}
