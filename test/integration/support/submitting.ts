import { expect } from "chai";
import { Transaction, type Provider, type TransactionReceipt } from "ethers";
import { parseCurrency } from "../../../src/domain/currency.ts";
import { beatCall, encodeCall } from "../../../src/ledger/calls.ts";
import { SubmissionError, createSubmitter, type Call, type Submitter } from "../../../src/ledger/submitter.ts";
import { LedgerError } from "../../../src/ledger/errors.ts";
import type { KeyHolder } from "../../../sandbox/network.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { ALIPAY_HK, FUNDS, OPTIONS, provider } from "./chain.ts";
import { withMethods } from "./provider.ts";

/** Whose key the tests submit with: one that may withdraw, which takes effect each time that it is done. */
export const OPERATOR: KeyHolder = { kind: "operator", partner: ALIPAY_HK };

const HKD = parseCurrency("HKD").numeric;

/** Takes one cent out of the treasury. */
export function withdrawOne({ ledger, keys }: Sandbox): Call {
  const args = [ALIPAY_HK, HKD, 1n, keys.addressOf(OPERATOR)];
  return encodeCall("treasury", ledger.addresses.treasury, "withdraw", args);
}

/** How often `withdrawOne` has taken effect. */
export async function withdrawals({ ledger }: Sandbox): Promise<bigint> {
  const { available } = await ledger.treasury.balanceOf(ALIPAY_HK, HKD);
  return FUNDS - available;
}

/** A submitter of `OPERATOR`'s key whose provider has some methods replaced. */
export async function submitterWith(
  { keys }: Sandbox,
  methods: Partial<Provider>,
  options: Partial<Parameters<typeof createSubmitter>[1]> = {},
): Promise<Submitter> {
  return createSubmitter(keys.walletOf(OPERATOR).connect(withMethods(provider, methods)), { ...OPTIONS, ...options });
}

/** A transaction of the same key that the submitter knows nothing of. */
export async function foreignTransaction({ keys, ledger }: Sandbox, nonce: number): Promise<string> {
  const request = { ...beatCall(ledger), nonce, type: 2, chainId: 31_337, gasLimit: 100_000, maxFeePerGas: 0 };
  return keys.walletOf(OPERATOR).signTransaction({ ...request, maxPriorityFeePerGas: 0 });
}

/** The number of transactions that the key has in blocks. */
export async function nonceOf({ keys }: Sandbox): Promise<number> {
  return provider.getTransactionCount(keys.addressOf(OPERATOR), "latest");
}

export async function nonceOfReceipt({ hash }: TransactionReceipt): Promise<number> {
  return (await provider.getTransaction(hash))?.nonce ?? -1;
}

export function nonceOfRaw(raw: string): number {
  return Transaction.from(raw).nonce;
}

/** An error as Hardhat's node answers with it. */
export function refusal(message: string, data?: string): Error {
  return Object.assign(new Error(message), { code: -32_000, data });
}

/** An error as a connection breaks with it. */
export function connectionLost(): Error {
  return Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", errno: -104 });
}

export async function submissionError(submitting: Promise<unknown>): Promise<SubmissionError> {
  const failure: unknown = await submitting.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(failure).to.be.instanceOf(SubmissionError);
  return failure as SubmissionError; // asserted just above
}

export async function ledgerError(submitting: Promise<unknown>): Promise<LedgerError> {
  const failure: unknown = await submitting.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(failure).to.be.instanceOf(LedgerError);
  return failure as LedgerError; // asserted just above
}

export async function setAutomine(enabled: boolean, intervalMs = 0): Promise<void> {
  await provider.send("evm_setAutomine", [enabled]);
  await provider.send("evm_setIntervalMining", [intervalMs]);
}

export async function mine(): Promise<void> {
  await provider.send("evm_mine", []);
}
