import {
  AbstractSigner,
  concat,
  getAddress,
  getBytes,
  resolveAddress,
  SigningKey,
  toUtf8Bytes,
  Transaction,
  TypedDataEncoder,
  type Provider,
  type Signer,
  type TransactionLike,
  type TransactionRequest,
  type TypedDataDomain,
  type TypedDataField,
} from "ethers";
import { normalizeHex, type Hex } from "../../domain/bytes/hex.ts";
import { keccak256 } from "../../domain/bytes/keccak.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { addressOfKey, type LedgerKey } from "./key.ts";

const PRIVATE_KEY = /^0x[0-9a-f]{64}$/i;

/**
 * A key in this process's memory, as it comes out of a keystore, or as everybody knows it in a sandbox.
 * @param privateKey 32 bytes
 * @throws InvalidInput that does not contain it
 */
export function keyInMemory(privateKey: string): LedgerKey {
  // ethers' own error for a key that is none would quote it.
  const rule = "a secp256k1 private key, 0x and 64 hexadecimal digits";
  if (!PRIVATE_KEY.test(privateKey)) throw new InvalidInput("privateKey", rule);
  const signingKey = readKey(privateKey);
  if (signingKey === undefined) throw new InvalidInput("privateKey", rule);
  return {
    address: addressOfKey(signingKey.publicKey),
    sign: (message) => Promise.resolve(normalizeHex(signingKey.sign(keccak256(message)).serialized)),
  };
}

function readKey(privateKey: string): SigningKey | undefined {
  try {
    const key = new SigningKey(privateKey);
    return key.publicKey === "" ? undefined : key;
  } catch {
    return undefined;
  }
}

/** A key as the signer that ethers and the submitter work with; connected where a provider is given. */
export function ledgerSigner(key: LedgerKey, provider?: Provider): Signer {
  return new LedgerSigner(key, provider ?? null);
}

class LedgerSigner extends AbstractSigner {
  readonly #key: LedgerKey;

  constructor(key: LedgerKey, provider: Provider | null) {
    super(provider ?? undefined);
    this.#key = key;
  }

  getAddress(): Promise<string> {
    return Promise.resolve(getAddress(this.#key.address));
  }

  connect(provider: Provider | null): Signer {
    return new LedgerSigner(this.#key, provider);
  }

  async signTransaction({ from, to, ...rest }: TransactionRequest): Promise<string> {
    if (from !== undefined && from !== null) {
      const sender = await resolveAddress(from, this.provider);
      if (sender.toLowerCase() !== this.#key.address) {
        throw new InvalidInput("transaction.from", `the signer's address, ${this.#key.address}`, sender);
      }
    }
    const recipient = to === undefined || to === null ? null : await resolveAddress(to, this.provider);
    // A request with its addresses resolved is what a transaction is made from.
    const transaction = Transaction.from({ ...rest, to: recipient } as TransactionLike);
    transaction.signature = await this.#key.sign(getBytes(transaction.unsignedSerialized));
    return transaction.serialized;
  }

  async signMessage(message: string | Uint8Array): Promise<string> {
    const bytes = typeof message === "string" ? toUtf8Bytes(message) : message;
    const prefix = toUtf8Bytes(`\x19Ethereum Signed Message:\n${bytes.length}`);
    return this.#key.sign(getBytes(concat([prefix, bytes])));
  }

  async signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<Hex> {
    return this.#key.sign(getBytes(TypedDataEncoder.encode(domain, types, value)));
  }
}
