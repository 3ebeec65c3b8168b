import { bytesWord, concat, uintWord } from "./bytes/bytes.ts";
import { fromHex, toHex, type Hex } from "./bytes/hex.ts";
import { hashLeaf } from "./bytes/keccak.ts";
import { uetrToBytes16, type Uetr } from "./uetr.ts";

/** One person-to-person payment as the ledger knows it; amounts in minor units of its batch's currencies. */
export interface Transfer {
  readonly uetr: Uetr;
  readonly sourceAmount: bigint;
  readonly targetAmount: bigint;
  /** Commitment to who pays whom and why; see `details.ts`. */
  readonly detailsHash: Hex;
}

/**
 * The transfer's Merkle leaf: keccak256 twice over abi.encode(bytes16, uint128, uint128, bytes32), which is
 * OpenZeppelin's StandardMerkleTree leaf. Hashing twice keeps an inner node from passing as a leaf.
 * @throws InvalidInput when an amount is not a uint128 or the hash not 32 bytes
 */
export function transferLeaf({ uetr, sourceAmount, targetAmount, detailsHash }: Transfer): Uint8Array {
  const encoded = concat(
    bytesWord(uetrToBytes16(uetr)),
    uintWord(sourceAmount, 128, "sourceAmount"),
    uintWord(targetAmount, 128, "targetAmount"),
    fromHex(detailsHash, 32, "detailsHash"),
  );
  return hashLeaf(encoded);
}

/** Whether a transfer's leaf is among some. Where there are none, as a rule, nothing is hashed. */
export function isAmong(leaves: ReadonlySet<Hex>, transfer: Transfer): boolean {
  return leaves.size > 0 && leaves.has(toHex(transferLeaf(transfer)));
}
