import { Transaction, type BaseWallet, type Provider, type TransactionReceipt, type TransactionRequest } from "ethers";
import type { SignedTransaction } from "../../../src/ledger/rpc/broadcast.ts";
import { normalizeHex } from "../../../src/domain/bytes/hex.ts";
import { within, type Pace } from "./pace.ts";

/** Signs a transaction that no submitter knows of, at twice the base fee and under the next nonce unless told otherwise. */
export async function signRaw(
  provider: Provider,
  wallet: BaseWallet,
  request: TransactionRequest,
): Promise<SignedTransaction> {
  const latest = await provider.getBlock("latest");
  const baseFee = latest?.baseFeePerGas ?? null;
  const fees =
    baseFee === null ? { type: 0, gasPrice: 0n } : { type: 2, maxFeePerGas: 2n * baseFee, maxPriorityFeePerGas: 0n };
  const nonce = request.nonce ?? (await provider.getTransactionCount(wallet.address, "latest"));
  const { chainId } = await provider.getNetwork();
  const raw = await wallet.signTransaction({ chainId, gasLimit: 200_000n, ...fees, ...request, nonce });
  const { hash } = Transaction.from(raw);
  return { raw, hash: hash ?? "", from: normalizeHex(wallet.address), nonce, signedAtBlock: latest?.number ?? 0 };
}

/** A transaction's receipt, if there is one in time. */
export async function receiptWithin(
  provider: Provider,
  pace: Pace,
  { hash }: Pick<SignedTransaction, "hash">,
  timeoutMs: number = pace.deadlineMs,
): Promise<TransactionReceipt | undefined> {
  return within(pace, timeoutMs, async () => (await provider.getTransactionReceipt(hash)) ?? undefined);
}
