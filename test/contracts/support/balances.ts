import { expect } from "chai";
import { expectReplayed } from "./replay.ts";
import { tokenOf, type Network, PARTNERS } from "./network.ts";

export interface Balance {
  readonly available: bigint;
  readonly held: bigint;
}

/** Every partner's balance in every currency, by `balanceKey`. */
export type Balances = ReadonlyMap<string, Balance>;

/** How a balance is to change, in minor units; what is left out stays. */
export interface BalanceChange {
  readonly partner: number;
  readonly currency: number;
  readonly available?: bigint;
  readonly held?: bigint;
}

export function balanceKey(partner: number, currency: number): string {
  return `${partner}:${currency}`;
}

export async function readBalances({ treasury, tokens }: Network): Promise<Balances> {
  const accounts = PARTNERS.flatMap(({ id }) => [...tokens.keys()].map((currency) => [id, currency] as const));
  const entries = accounts.map(async ([partner, currency]) => {
    const { available, held } = await treasury.balanceOf(partner, currency);
    return [balanceKey(partner, currency), { available, held }] as const;
  });
  return new Map(await Promise.all(entries));
}

/**
 * Asserts that `act` changes exactly the balances that are given, by exactly as much, and that the treasury's tokens
 * are the sum of all balances before and after.
 */
export async function expectChanges(
  network: Network,
  act: () => Promise<unknown>,
  changes: readonly BalanceChange[],
): Promise<void> {
  const before = await readBalances(network);
  await act();
  const after = await readBalances(network);
  const expected = new Map(before);
  for (const { partner, currency, available = 0n, held = 0n } of changes) {
    const key = balanceKey(partner, currency);
    const was = expected.get(key) ?? { available: 0n, held: 0n };
    expected.set(key, { available: was.available + available, held: was.held + held });
  }
  expect([...after]).to.deep.equal([...expected]);
  await expectConserved(network);
}

/**
 * Asserts, currency by currency, that the treasury's tokens are the sum of everything available and held; and that its
 * events alone tell every balance.
 */
export async function expectConserved(network: Network): Promise<void> {
  const balances = await readBalances(network);
  await expectReplayed(network);
  for (const currency of network.tokens.keys()) {
    const sum = PARTNERS.reduce((total, { id }) => {
      const { available, held } = balances.get(balanceKey(id, currency)) ?? { available: 0n, held: 0n };
      return total + available + held;
    }, 0n);
    const tokens = await tokenOf(network, currency).balanceOf(network.treasury);
    expect(tokens, `tokens of currency ${currency}`).to.equal(sum);
  }
}

/** Everything held in a currency, by all partners. */
export async function heldIn(network: Network, currency: number): Promise<bigint> {
  const balances = await readBalances(network);
  return PARTNERS.reduce((total, { id }) => total + (balances.get(balanceKey(id, currency))?.held ?? 0n), 0n);
}
