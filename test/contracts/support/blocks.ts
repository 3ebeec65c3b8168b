import type { ContractTransactionResponse } from "ethers";
import { ethers, networkHelpers, provider } from "./chain.ts";

export interface Price {
  readonly gasPrice?: bigint;
}

const GWEI = 1_000_000_000n;
/** The block takes the dearer transaction first. */
const PRICES: readonly Price[] = [{ gasPrice: 20n * GWEI }, { gasPrice: 10n * GWEI }];

/**
 * Puts transactions into one block.
 * @param send sends them at the prices it is given: the first price comes first in the block
 * @returns which of them succeeded, as they were sent
 */
export async function inOneBlock(
  send: (prices: readonly Price[]) => Promise<ContractTransactionResponse[]>,
): Promise<boolean[]> {
  await provider.request({ method: "evm_setAutomine", params: [false] });
  try {
    const sent = await send(PRICES);
    await networkHelpers.mine();
    const receipts = await Promise.all(sent.map(({ hash }) => ethers.provider.getTransactionReceipt(hash)));
    return receipts.map((receipt) => receipt?.status === 1);
  } finally {
    await provider.request({ method: "evm_setAutomine", params: [true] });
  }
}
