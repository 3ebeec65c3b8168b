import type { HardhatEthersProvider } from "@nomicfoundation/hardhat-ethers/types";
import type { TransactionResponse } from "ethers";

/** As JSON-RPC gives it. */
interface RawTransaction {
  readonly hash: string;
  readonly from: string;
  readonly nonce: string;
}

/**
 * The transaction that an account sent with a nonce, mined or waiting. JSON-RPC has no such question, so the block that
 * holds it is looked for.
 * @returns undefined where the nonce is still free
 * @throws Error when the nonce is taken by a transaction that the node does not show
 */
export async function transactionOf(
  provider: HardhatEthersProvider,
  account: string,
  nonce: number,
): Promise<TransactionResponse | undefined> {
  if ((await provider.getTransactionCount(account, "pending")) <= nonce) return undefined;
  const isMined = (await provider.getTransactionCount(account, "latest")) > nonce;
  const block = isMined ? `0x${(await blockOf(provider, account, nonce)).toString(16)}` : "pending";
  // Raw, for ethers cannot read a pending block, which has no number. The method's answer, asked for whole transactions.
  const found = (await provider.send("eth_getBlockByNumber", [block, true])) as {
    readonly transactions: readonly RawTransaction[];
  } | null;
  const raw = found?.transactions.find(
    (sent) => sent.from.toLowerCase() === account.toLowerCase() && BigInt(sent.nonce) === BigInt(nonce),
  );
  const transaction = raw === undefined ? null : await provider.getTransaction(raw.hash);
  if (transaction !== null) return transaction;
  throw new Error(
    `nonce ${nonce} of ${account} is taken by a transaction that the node does not show in block ${block}: deploy again ` +
      "when it does, or name it: npx hardhat ignition track-tx <hash> <name of the journal> --network <name>",
  );
}

/**
 * The block after which the account's count passes the nonce. Goes back from the newest in growing strides before it
 * halves: what was sent lately is found in lately written state, which is all that most nodes keep.
 */
async function blockOf(provider: HardhatEthersProvider, account: string, nonce: number): Promise<number> {
  const isSentBy = async (block: number) => (await provider.getTransactionCount(account, block)) > nonce;
  let sentBy = await provider.getBlockNumber();
  let unsentBy = sentBy - 1;
  for (let stride = 2; unsentBy > 0 && (await isSentBy(unsentBy)); stride *= 2) {
    sentBy = unsentBy;
    unsentBy = Math.max(0, sentBy - stride);
  }
  while (sentBy - unsentBy > 1) {
    const middle = Math.floor((sentBy + unsentBy) / 2);
    if (await isSentBy(middle)) sentBy = middle;
    else unsentBy = middle;
  }
  return sentBy;
}
