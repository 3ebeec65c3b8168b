import { scrypt as nodesScrypt } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { computeAddress, decryptKeystoreJson, encryptKeystoreJson, isKeystoreJson, scrypt } from "ethers";
import { toHex, type Hex } from "../../domain/bytes/hex.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { readTextFile } from "../../kernel/text-file.ts";
import type { LedgerKey } from "./key.ts";
import { keyInMemory } from "./signing-key.ts";

const derive = promisify<Uint8Array, Uint8Array, number, object, Buffer>(nodesScrypt);

// Node's own scrypt takes a tenth of the time of ethers' in JavaScript, and leaves this thread to others. It works in
// somewhat more than 128 · N · r bytes, and refuses to take more than it is allowed.
scrypt.register((password, salt, cost, blockSize, parallelization, length) => {
  const maxmem = 256 * blockSize * (cost + parallelization + 2);
  return derive(password, salt, length, { cost, blockSize, parallelization, maxmem });
});

/**
 * Opens an encrypted key file (Web3 Secret Storage, version 3, as Geth, Besu and others write them).
 * @param field what named the file
 * @throws InvalidInput naming field and file; never the password or what is in the file
 */
export async function openKeystore(path: string, password: string, field = "key file"): Promise<LedgerKey> {
  const json = await readTextFile(path).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "not text";
    throw new InvalidInput(field, `a key file that can be read (${path}: ${code})`);
  });
  if (!isKeystoreJson(json)) throw new InvalidInput(field, `a key file, Web3 Secret Storage version 3 (${path})`);
  const account = await decryptKeystoreJson(json, password).catch(() => undefined);
  if (account === undefined) {
    const rule = `a key file that its password opens: it is another one, or the file is damaged (${path})`;
    throw new InvalidInput(field, rule);
  }
  return keyInMemory(account.privateKey);
}

export interface KeystoreOptions {
  /** The work that each guess at the password takes, a power of two; 2^17 by default, about half a second. */
  readonly scryptN?: number;
  /** Instead of a new key. */
  readonly privateKey?: string;
}

const SCRYPT_N = 2 ** 17;
const UUID_BYTES = 16;

/**
 * Writes a new key, encrypted, to a file that only its owner may read. A file that is there already stays as it is.
 * @param drawBytes random bytes that cannot be guessed
 * @returns the key's address
 */
export async function createKeystore(
  path: string,
  password: string,
  drawBytes: (length: number) => Uint8Array,
  { scryptN = SCRYPT_N, privateKey = toHex(drawBytes(32)) }: KeystoreOptions = {},
): Promise<Hex> {
  if (password === "") throw new InvalidInput("password", "not empty");
  const { address } = keyInMemory(privateKey);
  const json = await encryptKeystoreJson({ address: computeAddress(privateKey), privateKey }, password, {
    salt: drawBytes(32),
    iv: drawBytes(16),
    uuid: toHex(drawBytes(UUID_BYTES)),
    scrypt: { N: scryptN, r: 8, p: 1 },
  });
  await writeFile(path, `${json}\n`, { mode: 0o600, flag: "wx" });
  return address;
}
