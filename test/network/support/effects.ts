import { normalizeHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import { encodeCall } from "../../../src/ledger/calls.ts";
import { balancesAt } from "../../../src/ledger/state.ts";
import type { Call } from "../../../src/ledger/submitter.ts";
import type { KeyHolder } from "../../../sandbox/network.ts";
import { ALIPAY_HK } from "./accounts.ts";
import { askEach, everywhere } from "./everywhere.ts";
import { HKD, type Network } from "./network.ts";

/** Whose key the tests count effects with: it may withdraw, which takes effect each time that it is done. */
export const OPERATOR: KeyHolder = { kind: "operator", partner: ALIPAY_HK };

/** Takes so many cents out of the treasury. */
export function withdrawCall({ addresses, sandbox }: Network, amount = 1n): Call {
  const args = [ALIPAY_HK, HKD.numeric, amount, sandbox.keys.addressOf(OPERATOR)];
  return encodeCall("treasury", addresses.treasury, "withdraw", args);
}

/** What has taken effect between two looks. */
export interface Effects {
  /** Cents withdrawn since, the same on every node. */
  withdrawn(): Promise<bigint>;
  /** Nonces of the operator that were used since, the same on every node. */
  nonces(): Promise<number>;
}

/** Counts from now on. */
export async function countEffects(network: Network): Promise<Effects> {
  const before = await stateOf(network);
  return {
    withdrawn: async () => before.available - (await stateOf(network)).available,
    nonces: async () => (await stateOf(network)).nonce - before.nonce,
  };
}

/** As of the latest block that any node has: a receipt may have come from one that is ahead. */
async function stateOf(network: Network): Promise<{ readonly available: bigint; readonly nonce: number }> {
  const heights = await askEach(network.nodes, ({ provider }) => provider.getBlockNumber());
  const block = Math.max(...heights.map(({ value }) => value));
  const address: Hex = normalizeHex(network.sandbox.keys.addressOf(OPERATOR));
  return everywhere(network, block, "the operator's money and nonce", async ({ ledger, provider }) => {
    const [balance] = await balancesAt(ledger, ALIPAY_HK, [HKD.code], block);
    return { available: balance?.available ?? 0n, nonce: await provider.getTransactionCount(address, block) };
  });
}
