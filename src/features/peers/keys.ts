import { createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from "node:crypto";
import { compactDecrypt, CompactEncrypt } from "jose";
import { z } from "zod/v4";
import { utf8 } from "../../domain/bytes/bytes.ts";
import { toHex, type Hex } from "../../domain/bytes/hex.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { parseWire } from "../../domain/wire.ts";
import { parseJson } from "../../kernel/http/body.ts";
import type { PeerKeys } from "./directory.ts";

/** PBKDF2 rounds with HMAC-SHA-512, as OWASP advises. */
const PASSWORD_ROUNDS = 210_000;
const MAX_PASSWORD_ROUNDS = 10_000_000;

const keySet = z.object({
  keys: z.array(
    z.discriminatedUnion("crv", [
      z.object({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string(), d: z.string() }),
      z.object({ kty: z.literal("OKP"), crv: z.literal("X25519"), x: z.string(), d: z.string() }),
    ]),
  ),
});

/** New keys for a relay. Their public halves have to be registered on the ledger before peers use them. */
export function generatePeerKeys(): PeerKeys {
  return {
    signing: generateKeyPairSync("ed25519").privateKey,
    encryption: generateKeyPairSync("x25519").privateKey,
  };
}

/** What the PartnerRegistry is to have for the keys: 32 bytes each. */
export function publicPeerKeys({ signing, encryption }: PeerKeys): {
  readonly signingKey: Hex;
  readonly encryptionKey: Hex;
} {
  return { signingKey: publicBytes(signing), encryptionKey: publicBytes(encryption) };
}

/**
 * The keys as a file holds them: a JWK Set, encrypted as a JWE under a password (RFC 7517, 7; PBES2, RFC 7518, 4.8).
 */
export async function encryptPeerKeys({ signing, encryption }: PeerKeys, password: string): Promise<string> {
  const keys = [signing, encryption].map((key) => key.export({ format: "jwk" }));
  return new CompactEncrypt(utf8(JSON.stringify({ keys })))
    .setProtectedHeader({ alg: "PBES2-HS512+A256KW", enc: "A256GCM", cty: "jwk-set+json" })
    .setKeyManagementParameters({ p2c: PASSWORD_ROUNDS })
    .encrypt(utf8(password));
}

/**
 * Reads what `encryptPeerKeys` made.
 * @throws InvalidInput when the password is wrong or the file damaged; its message holds neither
 */
export async function decryptPeerKeys(text: string, password: string, field = "peer keys"): Promise<PeerKeys> {
  const opened = await compactDecrypt(text.trim(), utf8(password), {
    keyManagementAlgorithms: ["PBES2-HS512+A256KW"],
    contentEncryptionAlgorithms: ["A256GCM"],
    maxPBES2Count: MAX_PASSWORD_ROUNDS,
  }).catch(() => undefined);
  if (opened === undefined) throw new InvalidInput(field, "an encrypted JWK set, and its password");
  const { keys } = parseWire(keySet, parseJson(opened.plaintext, field), field);
  return { signing: keyOf("Ed25519", keys, field), encryption: keyOf("X25519", keys, field) };
}

function keyOf(curve: string, keys: z.infer<typeof keySet>["keys"], field: string): KeyObject {
  const [key, ...others] = keys.filter(({ crv }) => crv === curve);
  if (key === undefined || others.length > 0) throw new InvalidInput(field, `one ${curve} key`);
  try {
    return createPrivateKey({ key: { ...key }, format: "jwk" });
  } catch {
    // The cause may quote the key.
    throw new InvalidInput(field, `a usable ${curve} key`);
  }
}

function publicBytes(key: KeyObject): Hex {
  const jwk: JsonWebKey = createPublicKey(key).export({ format: "jwk" });
  return toHex(Buffer.from(jwk.x ?? "", "base64url"));
}
