import type { Authorization } from "../domain/typed-data.ts";

// What `open`, `settle` and `openAndSettle` take at most, so that the ledger need not be asked before each. The limit is never missed by
// what a batch can be: it leaves room for slots that are written for the first time. By a key that is a contract, which
// may take any amount, it says nothing: then the call is simulated, as is one that has failed before.

/** Measured: 132,000, and seven balances, a quote and a corridor that may be new at 17,100 each. */
const OPEN_GAS = 300_000n;
/** Measured: 97,000, five balances that may be new, and a beat. */
const SETTLE_GAS = 250_000n;
/** Measured: 174,000, and nine balances, a quote and a corridor that may be new. */
const ONE_STEP_GAS = 400_000n;
/** What `callEach` keeps of each call's part. */
const KEPT_PART = 16n;
/** A transaction's base cost, and `callEach` itself. */
const CALL_EACH_GAS = 60_000n;
/** For each rejection: calldata, its leaf, its part of the event… */
const REJECTION_GAS = 8_000n;
/** …and for each level of the tree the sibling that proves it. */
const LEVEL_GAS = 1_200n;
/** Beyond this a transaction may not fit a block: only a simulation tells. */
const MOST_GAS = 8_000_000n;

/** What one batch takes of both its relays at most, where nothing is rejected. */
export const BATCH_GAS = OPEN_GAS + SETTLE_GAS;

/** Of a key's own signature; a contract's is of any length. */
const SIGNATURE_LENGTH = "0x".length + 2 * 65;

export function openGas(send: Authorization, quote: Authorization): bigint | undefined {
  return isOwn(send) && (quote.signature === "0x" || isOwn(quote)) ? OPEN_GAS : undefined;
}

/** @param batches with the signatures of each, that share a transaction */
export function oneStepGas(batches: readonly (readonly Authorization[])[]): bigint | undefined {
  if (!batches.flat().every((by) => by.signature === "0x" || isOwn(by))) return undefined;
  const each = (ONE_STEP_GAS * (KEPT_PART + 1n)) / KEPT_PART;
  return CALL_EACH_GAS + BigInt(batches.length) * each;
}

/** @param count of the batch's transfers */
export function settleGas(count: number, rejections: number, accept: Authorization): bigint | undefined {
  const levels = BigInt(Math.ceil(Math.log2(Math.max(1, count))));
  const gas = SETTLE_GAS + BigInt(rejections) * (REJECTION_GAS + levels * LEVEL_GAS);
  return isOwn(accept) && gas <= MOST_GAS ? gas : undefined;
}

function isOwn({ signature }: Authorization): boolean {
  return signature.length === SIGNATURE_LENGTH;
}
