import { getAddress } from "ethers";
import { fromHex, normalizeHex, toHex, type Hex } from "../../domain/bytes/hex.ts";
import { keccak256 } from "../../domain/bytes/keccak.ts";
import { InvalidInput } from "../../domain/errors.ts";

/**
 * A secp256k1 key that signs for a partner, wherever it lives: an encrypted file, or Web3Signer with the HSM or the
 * cloud's KMS behind it.
 * All that a place for keys has to do is sign the keccak-256 hash of some bytes; typed data (EIP-712) and transactions
 * are put together here.
 */
export interface LedgerKey {
  readonly address: Hex;
  /**
   * Signs keccak256(message).
   * @returns r ‖ s ‖ v, 65 bytes, with s in the lower half and v 27 or 28
   * @throws Error that does not contain key material
   */
  sign(message: Uint8Array): Promise<Hex>;
}

/**
 * The address of a public key: the last 20 bytes of its keccak-256 hash.
 * @param publicKey the uncompressed point, 65 bytes from 0x04
 */
export function addressOfKey(publicKey: string): Hex {
  return toHex(keccak256(fromHex(publicKey, 65, "publicKey").subarray(1)).subarray(-20));
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const NOBODY = /^0x0{40}$/;

/**
 * Reads the address of an account that somebody has typed or pasted.
 * @throws InvalidInput for what is none, for nobody's, and where the checksum in its letters (EIP-55) does not fit
 */
export function parseAccount(text: string, field: string): Hex {
  if (!ADDRESS.test(text) || NOBODY.test(text)) {
    throw new InvalidInput(field, "an account's address, 0x and 40 hexadecimal digits", text);
  }
  try {
    return normalizeHex(getAddress(text));
  } catch {
    throw new InvalidInput(field, "an address whose checksum fits (EIP-55): a letter or digit of it is wrong", text);
  }
}
