import { InvalidInput } from "../../domain/errors.ts";
import { keccak256 } from "../../domain/bytes/keccak.ts";
import type { Hex } from "../../domain/bytes/hex.ts";
import { addressOfKey, type LedgerKey } from "./key.ts";
import { completeSignature } from "./signature.ts";

/** What a cloud's KMS or an HSM does with a secp256k1 key (AWS KMS: ECC_SECG_P256K1 and ECDSA_SHA_256 over a DIGEST). */
export interface DigestSigner {
  /** The public key: 65 bytes from 0x04, or its SubjectPublicKeyInfo in DER, which ends in them. */
  publicKey(): Promise<Uint8Array>;
  /**
   * Signs 32 bytes as they are.
   * @returns r ‖ s, 64 bytes, or ECDSA-Sig-Value in DER
   */
  signDigest(digest: Uint8Array): Promise<Uint8Array>;
}

/** A key that never leaves where it is kept. */
export async function kmsKey(signer: DigestSigner): Promise<LedgerKey> {
  const address = addressOfPublicKey(await signer.publicKey());
  return {
    address,
    async sign(message) {
      const digest = keccak256(message);
      const { r, s } = readSignature(await signer.signDigest(digest));
      return completeSignature(digest, r, s, address);
    },
  };
}

const POINT_BYTES = 65;
const COMPACT_BYTES = 64;
const DER_SEQUENCE = 0x30;
const DER_INTEGER = 0x02;

function addressOfPublicKey(encoded: Uint8Array): Hex {
  const point = encoded.subarray(-POINT_BYTES);
  if (point.length !== POINT_BYTES || point[0] !== 0x04) {
    throw new InvalidInput("publicKey", "an uncompressed secp256k1 point, or SubjectPublicKeyInfo with one");
  }
  return addressOfKey(`0x${Buffer.from(point).toString("hex")}`);
}

function readSignature(encoded: Uint8Array): { readonly r: bigint; readonly s: bigint } {
  if (encoded.length === COMPACT_BYTES) {
    return { r: integer(encoded.subarray(0, 32)), s: integer(encoded.subarray(32)) };
  }
  const [tag, length, ...content] = encoded;
  const rLength = content[1] ?? 0;
  const second = content.slice(2 + rLength);
  const isDer =
    tag === DER_SEQUENCE &&
    length === content.length &&
    content[0] === DER_INTEGER &&
    second[0] === DER_INTEGER &&
    second[1] === second.length - 2;
  if (!isDer) throw new InvalidInput("signature", "r ‖ s, or ECDSA-Sig-Value in DER");
  return { r: integer(content.slice(2, 2 + rLength)), s: integer(second.slice(2)) };
}

function integer(bytes: Uint8Array | readonly number[]): bigint {
  return BigInt(`0x00${Buffer.from(bytes).toString("hex")}`);
}
