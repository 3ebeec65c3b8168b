import { recoverAddress, Signature } from "ethers";
import { normalizeHex, type Hex } from "../../domain/bytes/hex.ts";

/** Order of secp256k1's group. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const WORD_DIGITS = 64;

/**
 * A signature as the ledger takes it, r ‖ s ‖ v: s is brought to the lower half, since its mirror image signs the same
 * and contracts refuse it; and v is the one of the two that recovers to the address, whatever the signer said of it.
 * @param digest the 32 bytes that were signed
 * @param address whose signature it must be
 * @throws Error when it is nobody's, or somebody else's; it names the address only
 */
export function completeSignature(digest: Uint8Array, r: bigint, s: bigint, address: Hex): Hex {
  const inRange = (part: bigint) => part > 0n && part < ORDER;
  if (inRange(r) && inRange(s)) {
    const parts = { r: word(r), s: word(s > ORDER / 2n ? ORDER - s : s) };
    for (const v of [27, 28]) {
      const signature = Signature.from({ ...parts, v });
      if (recovered(digest, signature) === address) return normalizeHex(signature.serialized, 65);
    }
  }
  throw new Error(`the signer of ${address} returned a signature that is not of this key over what was to be signed`);
}

/** Not every r is of a point, for either v. */
function recovered(digest: Uint8Array, signature: Signature): string | undefined {
  try {
    return recoverAddress(digest, signature).toLowerCase();
  } catch {
    return undefined;
  }
}

function word(value: bigint): string {
  return `0x${value.toString(16).padStart(WORD_DIGITS, "0")}`;
}
