import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  timingSafeEqual,
  type KeyObject,
} from "node:crypto";
import { compareBytes, concat, utf8 } from "../../domain/bytes/bytes.ts";
import { toHex } from "../../domain/bytes/hex.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { drawSecurely } from "../secure-random.ts";

/** Keeps personal data unreadable at rest, under keys that the operator holds. */
export interface Sealer {
  /** The name of the key that it seals under. Sealed data and MACs begin with the name of theirs. */
  readonly currentKey: Uint8Array;
  /** Of the keys before it. */
  readonly previousKeys: readonly Uint8Array[];
  /** @param bind what it belongs to: it opens for the same only, so that one row's cannot be put into another */
  seal(plain: Uint8Array, bind: string): Uint8Array;
  /** @throws SealBroken when it was sealed with another key or for something else, or has been changed */
  open(sealed: Uint8Array, bind: string): Uint8Array;
  /** A keyed hash: tells one content from another, and nobody can guess at it. Changes with the current key. */
  mac(message: Uint8Array): Uint8Array;
  /** Whether it is this message's `mac`. Cannot be told where it was made with a key that is not among those given. */
  compareMac(mac: Uint8Array, message: Uint8Array): MacComparison;
}

export type MacComparison = "same" | "different" | "key missing";

export interface SealerKeys {
  /** 32 bytes. */
  readonly current: Uint8Array;
  /** Keys before it, which still open what they closed. */
  readonly previous?: readonly Uint8Array[];
}

/** Sealed data that cannot be opened: a key is missing, or somebody has been at the database. Not retryable. */
export class SealBroken extends Error {
  readonly code = "SEAL_BROKEN";

  constructor(why: string, options?: ErrorOptions) {
    super(`sealed data: ${why}`, options);
    this.name = "SealBroken";
  }
}

/** Sealed data are: version, name of the key, salt, nonce, AES-GCM's text, AES-GCM's tag. */
const VERSION = 1;
const KEY_BYTES = 32;
const NAME_BYTES = 4;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NAME_BYTES + SALT_BYTES;
/**
 * Messages under one salt. Nonces are drawn, which is safe for 2^32 of them under one key (NIST SP 800-38D, 8.3); with
 * so few, two that are the same are practically impossible.
 */
const MESSAGES_PER_SALT = 2 ** 20;
/** Salted keys that are remembered for opening. */
const MAX_REMEMBERED = 256;

interface Key {
  /** Derived from it, so that nobody has to number keys. */
  readonly name: Uint8Array;
  /** What the keys for AES are derived from, with a salt each. */
  readonly sealing: Uint8Array;
  // As objects: Node takes 20 µs and more to make one of a key's bytes for each call.
  readonly hmac: KeyObject;
}

/**
 * Seals with AES-256-GCM, and hashes with HMAC-SHA-256, under keys derived from those given (HKDF). Each sealer seals
 * under salts of its own, so that there is no limit to what may be sealed under one key.
 * @param drawBytes bytes that cannot be guessed
 * @throws InvalidInput when a key is not of 32 bytes
 */
export function createSealer(
  { current, previous = [] }: SealerKeys,
  drawBytes: (length: number) => Uint8Array = drawSecurely,
): Sealer {
  const key = deriveKey(current);
  const keys = [key, ...previous.map(deriveKey)];
  const keyNamed = (name: Uint8Array): Key | undefined => keys.find((one) => compareBytes(one.name, name) === 0);
  const saltedKeyOf = rememberingSaltedKeys();
  let own: { readonly head: Uint8Array; readonly aes: KeyObject; left: number } | undefined;

  return {
    currentKey: key.name,
    previousKeys: keys.slice(1).map(({ name }) => name),

    seal(plain, bind) {
      if (own === undefined || own.left === 0) {
        const salt = drawBytes(SALT_BYTES);
        own = {
          head: concat(Uint8Array.of(VERSION), key.name, salt),
          aes: saltedKey(key, salt),
          left: MESSAGES_PER_SALT,
        };
      }
      own.left -= 1;
      const nonce = drawBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", own.aes, nonce);
      cipher.setAAD(utf8(bind));
      return concat(own.head, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag());
    },

    open(sealed, bind) {
      if (sealed.length < HEAD_BYTES + NONCE_BYTES + TAG_BYTES) throw new SealBroken("cut off");
      if (sealed[0] !== VERSION) throw new SealBroken("of no version that this program knows");
      const opening = keyNamed(sealed.subarray(1, 1 + NAME_BYTES));
      if (opening === undefined) throw new SealBroken("the key is not among those configured");
      const aes = saltedKeyOf(opening, sealed.subarray(0, HEAD_BYTES));
      const nonce = sealed.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", aes, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(utf8(bind));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      const plain = decipher.update(sealed.subarray(HEAD_BYTES + NONCE_BYTES, -TAG_BYTES));
      try {
        return concat(plain, decipher.final());
      } catch (cause) {
        throw new SealBroken("not what was sealed for this row", { cause });
      }
    },

    mac: (message) => macOf(key, message),

    compareMac(mac, message) {
      const making = keyNamed(mac.subarray(0, NAME_BYTES));
      if (making === undefined) return "key missing";
      const expected = macOf(making, message);
      return expected.length === mac.length && timingSafeEqual(expected, mac) ? "same" : "different";
    },
  };
}

function macOf({ name, hmac }: Key, message: Uint8Array): Uint8Array {
  return concat(name, createHmac("sha256", hmac).update(message).digest());
}

function deriveKey(secret: Uint8Array): Key {
  if (secret.length !== KEY_BYTES) throw new InvalidInput("dataKey", `${KEY_BYTES} bytes`, secret.length);
  return {
    name: derive(secret, "key name", NAME_BYTES),
    sealing: derive(secret, "sealing", KEY_BYTES),
    hmac: createSecretKey(derive(secret, "content", KEY_BYTES)),
  };
}

function saltedKey({ sealing }: Key, salt: Uint8Array): KeyObject {
  return createSecretKey(derive(sealing, "AES-256-GCM", KEY_BYTES, salt));
}

function derive(secret: Uint8Array, purpose: string, bytes: number, salt: Uint8Array = new Uint8Array()): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, salt, `feiqian ${purpose}`, bytes));
}

/** Rows that are opened together were mostly sealed together. */
function rememberingSaltedKeys(): (key: Key, head: Uint8Array) => KeyObject {
  const remembered = new Map<string, KeyObject>();
  return (key, head) => {
    const id = toHex(head);
    const before = remembered.get(id);
    if (before !== undefined) return before;
    if (remembered.size === MAX_REMEMBERED) remembered.clear();
    const aes = saltedKey(key, head.subarray(1 + NAME_BYTES));
    remembered.set(id, aes);
    return aes;
  };
}
