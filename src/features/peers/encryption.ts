import type { KeyObject } from "node:crypto";
import { compactDecrypt, CompactEncrypt, type CompactDecryptResult, type CompactJWEHeaderParameters } from "jose";
import { utf8 } from "../../domain/bytes/bytes.ts";
import { InvalidInput } from "../../domain/errors.ts";
import type { PartnerId } from "../../domain/partner.ts";
import { jsonText, parseJson } from "../../kernel/http/body.ts";
import { keyIdOf } from "./signatures.ts";

// JWE (RFC 7516) between relays. What a message is, from whom, to whom and about what stands in the protected header,
// which the encryption authenticates: a message cannot be passed off as another partner's, another batch's or another
// kind's, whoever gets hold of it.

/** What a message is; the header's `typ`. */
export type MessageType =
  | "feiqian-proposal+jwe"
  | "feiqian-payload+jwe"
  | "feiqian-confirmation+jwe"
  | "feiqian-lookup+jwe"
  | "feiqian-request+jwe"
  | "feiqian-bill+jwe"
  | "feiqian-billers+jwe"
  | "feiqian-answer+jwe";

export interface Envelope {
  readonly type: MessageType;
  readonly from: PartnerId;
  readonly to: PartnerId;
}

/** Media type of a JWE in compact serialization (RFC 7516, 4.1.10). */
export const JWE_MEDIA_TYPE = "application/jose";

const CONTENT_ENCRYPTION = "A256GCM";

/**
 * Encrypts a message to a partner's X25519 key: ECDH-ES+A256KW with a new key of the sender's for each message.
 * @param subject the batch's id, or what else the message is about
 */
export function encryptTo(
  recipient: KeyObject,
  message: object,
  envelope: Envelope & { readonly subject: string },
): Promise<string> {
  return encrypt("ECDH-ES+A256KW", recipient, message, envelope);
}

/**
 * Reads a message that was encrypted to this relay.
 * @throws InvalidInput when it cannot be decrypted, or is not what the envelope says; quotes nothing of it
 */
export function decryptWith(own: KeyObject, jwe: string | Uint8Array, envelope: Envelope): Promise<Decrypted> {
  return decrypt("ECDH-ES+A256KW", own, typeof jwe === "string" ? jwe : latin1(jwe), envelope);
}

/**
 * Encrypts the answer to a message with a key that came in it. Who can read the answer has asked; and who could make it
 * has read the message, so that no other signature is needed.
 * @param answerKey 32 bytes
 */
export function encryptAnswer(
  answerKey: Uint8Array,
  message: object,
  envelope: Envelope & { readonly subject: string },
): Promise<string> {
  return encrypt("dir", answerKey, message, envelope);
}

/** @throws InvalidInput as `decryptWith` */
export function decryptAnswer(answerKey: Uint8Array, jwe: string, envelope: Envelope): Promise<Decrypted> {
  return decrypt("dir", answerKey, jwe, envelope);
}

export interface Decrypted {
  readonly subject: string;
  /** As it came: nothing is checked but that it is JSON. */
  readonly message: unknown;
}

type KeyAgreement = "ECDH-ES+A256KW" | "dir";

function encrypt(
  alg: KeyAgreement,
  key: KeyObject | Uint8Array,
  message: object,
  { type, from, to, subject }: Envelope & { readonly subject: string },
): Promise<string> {
  return new CompactEncrypt(utf8(jsonText(message)))
    .setProtectedHeader({
      alg,
      enc: CONTENT_ENCRYPTION,
      typ: type,
      cty: "application/json",
      kid: keyIdOf(to),
      // Claims as header parameters: RFC 7519, 5.3.
      iss: keyIdOf(from),
      aud: keyIdOf(to),
      sub: subject,
    })
    .encrypt(key);
}

function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("latin1");
}

async function decrypt(
  alg: KeyAgreement,
  key: KeyObject | Uint8Array,
  jwe: string,
  envelope: Envelope,
): Promise<Decrypted> {
  const opened = await compactDecrypt(jwe, key, {
    keyManagementAlgorithms: [alg],
    contentEncryptionAlgorithms: [CONTENT_ENCRYPTION],
    // Nothing is compressed here: what would swell is refused.
    maxDecompressedLength: 0,
  }).catch((): CompactDecryptResult => {
    throw new InvalidInput("body", "a JWE that this relay's key in the registry decrypts");
  });
  const subject = requireHeader(opened.protectedHeader, envelope);
  return { subject, message: parseJson(opened.plaintext, "body") };
}

/** @returns the subject */
function requireHeader(header: CompactJWEHeaderParameters, { type, from, to }: Envelope): string {
  const expected = { typ: type, kid: keyIdOf(to), iss: keyIdOf(from), aud: keyIdOf(to) };
  for (const [name, value] of Object.entries(expected)) {
    if (header[name] !== value) throw new InvalidInput(`body.${name}`, value);
  }
  if (typeof header["sub"] !== "string") throw new InvalidInput("body.sub", "what the message is about");
  return header["sub"];
}
