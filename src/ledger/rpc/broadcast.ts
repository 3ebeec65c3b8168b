import { JsonRpcApiProvider, type Provider } from "ethers";
import type { Hex } from "../../domain/bytes/hex.ts";

/** A transaction that is signed, and so can take effect once at most, however often it is broadcast. */
export interface SignedTransaction {
  readonly raw: string;
  readonly hash: string;
  readonly from: Hex;
  readonly nonce: number;
  /** The latest block before it was signed: only later ones can have it. */
  readonly signedAtBlock: number;
}

/** What a node says to a transaction. */
export type Answer =
  | { readonly kind: "accepted" }
  /** Nothing that can be relied on: it may have the transaction, or not. */
  | { readonly kind: "silent"; readonly cause: unknown }
  | {
      readonly kind: "refused";
      /** Whether it refuses the nonce only. */
      readonly isNonce: boolean;
      readonly message: string;
      readonly cause: unknown;
    };

/** What nodes answer to a transaction that they have already: Geth, Besu and Hardhat, CometBFT, Nethermind. */
const KNOWN =
  /already known|known transaction|already exists in cache|already in (?:the )?(?:mempool|cache)|alreadyknown/i;
const NONCE = /nonce|replacement transaction/i;
const TIMEOUT = /timed? ?out|deadline exceeded/i;
/** JSON-RPC's "internal error", with which gateways answer for nodes that they cannot reach. */
const INTERNAL_ERROR = -32_603;

/** Hands a transaction to the node. Never throws: a reply that is lost is not a refusal. */
export async function broadcast(provider: Provider, signed: SignedTransaction): Promise<Answer> {
  try {
    await hand(provider, signed);
    return { kind: "accepted" };
  } catch (cause) {
    const error = rpcErrorOf(cause);
    if (error === undefined || error.code === INTERNAL_ERROR || TIMEOUT.test(error.message)) {
      return { kind: "silent", cause };
    }
    const { message } = error;
    if (KNOWN.test(message)) return { kind: "accepted" };
    return { kind: "refused", isNonce: NONCE.test(message), message, cause };
  }
}

/** With ethers' own method a node is asked for its latest block as well, and the signer recovered: for nothing here. */
async function hand(provider: Provider, { raw, hash }: SignedTransaction): Promise<void> {
  if (!(provider instanceof JsonRpcApiProvider)) {
    await provider.broadcastTransaction(raw);
    return;
  }
  const taken: unknown = await provider.send("eth_sendRawTransaction", [raw]);
  if (taken !== hash) throw new Error("the node tells the hash of another transaction");
}

/** Whether the node has the transaction, in a block or waiting; undefined when it does not answer. */
export async function isKnown(provider: Provider, { hash }: SignedTransaction): Promise<boolean | undefined> {
  return provider.getTransaction(hash).then(
    (found) => found !== null,
    () => undefined,
  );
}

/**
 * Whether another transaction has this one's nonce in a block, so that this one can never take effect. True only on
 * proof: that a receipt is missing proves nothing of a node that lags behind, or keeps no index. False when the node
 * does not answer.
 */
export async function isSuperseded(
  provider: Provider,
  { from, nonce, hash, signedAtBlock }: SignedTransaction,
): Promise<boolean> {
  try {
    if ((await provider.getTransactionCount(from, "latest")) <= nonce) return false;
    if ((await provider.getTransactionCount(from, signedAtBlock)) > nonce) return true;
    const latest = await provider.getBlockNumber();
    for (let number = signedAtBlock + 1; number <= latest; number++) {
      const block = await provider.getBlock(number, true);
      const mined = block?.prefetchedTransactions ?? [];
      const user = mined.find((other) => other.nonce === nonce && other.from.toLowerCase() === from);
      if (user !== undefined) return user.hash !== hash;
    }
  } catch {
    // Asked again when the transaction is next due.
  }
  return false;
}

interface RpcError {
  readonly code: number;
  readonly message: string;
}

/**
 * The JSON-RPC error in what a provider throws: itself with Hardhat's, under `error` or `info.error` with those of
 * ethers. Undefined when the node has not answered: connections have errors of their own.
 */
function rpcErrorOf(failure: unknown): RpcError | undefined {
  if (typeof failure !== "object" || failure === null) return undefined;
  const { code, message, error, info } = failure as Readonly<Record<string, unknown>>; // any object has members
  if (typeof code === "number" && typeof message === "string") return { code, message };
  return rpcErrorOf(error) ?? rpcErrorOf(info);
}
