import { expect } from "chai";
import type { TransactionReceipt } from "ethers";
import type { CurrencyCode } from "../../../src/domain/currency.ts";
import type { PartnerId } from "../../../src/domain/partner.ts";
import { LedgerError } from "../../../src/ledger/errors.ts";
import { readEvents, type LedgerEvent } from "../../../src/ledger/events.ts";
import { balancesAt } from "../../../src/ledger/state.ts";
import { SubmissionError } from "../../../src/ledger/submitter.ts";
import { everywhere } from "./everywhere.ts";
import type { Network } from "./network.ts";

/**
 * The events of one transaction, the same on every node, but for what the treasury tells of modules' holds: those are in
 * the balances. Of time that an idle ledger has lost, the first to act tells.
 */
export async function eventsOf(
  network: Network,
  { blockNumber, hash }: TransactionReceipt,
): Promise<readonly LedgerEvent[]> {
  const events = await everywhere(network, blockNumber, `what transaction ${hash} did`, ({ ledger }) =>
    readEvents(ledger, blockNumber, blockNumber),
  );
  return events.filter(
    (event) => event.kind !== "TimeLost" && !("module" in event) && event.transactionHash === hash.toLowerCase(),
  );
}

export interface Balance {
  readonly available: bigint;
  readonly held: bigint;
}

/** A partner's money at a block, the same on every node. */
export async function balanceAt(
  network: Network,
  partner: PartnerId,
  currency: CurrencyCode,
  block: number,
): Promise<Balance> {
  const [balance] = await everywhere(network, block, `the ${currency} of partner ${partner}`, ({ ledger }) =>
    balancesAt(ledger, partner, [currency], block),
  );
  return { available: balance?.available ?? 0n, held: balance?.held ?? 0n };
}

/** What a balance gained in one block, whatever it was before. Asks for past state, as relays do. */
export async function changeIn(
  network: Network,
  partner: PartnerId,
  currency: CurrencyCode,
  { blockNumber }: TransactionReceipt,
): Promise<Balance> {
  const before = await balanceAt(network, partner, currency, blockNumber - 1);
  const after = await balanceAt(network, partner, currency, blockNumber);
  return { available: after.available - before.available, held: after.held - before.held };
}

/** The contract's error by which a call is refused. */
export async function refusalOf(submitting: Promise<unknown>): Promise<LedgerError> {
  const failure = await failureOf(submitting);
  if (failure instanceof LedgerError) return failure;
  throw new Error(
    `the node does not tell the contract's reason: look at its revert data in eth_estimateGas and eth_call`,
    {
      cause: failure,
    },
  );
}

export async function submissionError(submitting: Promise<unknown>): Promise<SubmissionError> {
  const failure = await failureOf(submitting);
  expect(failure).to.be.instanceOf(SubmissionError);
  return failure as SubmissionError; // asserted just above
}

export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error("the ledger took what it has to refuse");
    },
    (failure: unknown) => failure,
  );
}
