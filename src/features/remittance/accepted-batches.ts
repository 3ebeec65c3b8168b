import type { SignedAcceptance } from "../../domain/typed-data.ts";
import { describeFault } from "../../kernel/steps/faults.ts";
import { chunksOf } from "../../kernel/steps/chunks.ts";
import { callEach, failedCalls, openAndSettleCall } from "../../ledger/calls.ts";
import { registryAt } from "../../ledger/contracts.ts";
import { LedgerError } from "../../ledger/errors.ts";
import { oneStepGas } from "../../ledger/gas.ts";
import { submitCall } from "../../ledger/submitting.ts";
import type { RelayContext } from "../context.ts";
import { doNotPropose } from "./one-step.ts";
import { READING_MS } from "./reading.ts";
import { recordOpenAttempt, type UnopenedBatch } from "./store/batches.ts";
import { dropAcceptance } from "./store/proposals.ts";
import { blockTimeNow, recentHead } from "./watched.ts";

// Batches that their targets have accepted beforehand: they open and settle in one step, several in one transaction.

/** As many as surely fit a block together. */
const MOST_TOGETHER = 16;

/** Batches that go in one transaction: accepted ones of one registry; each of the others is alone. */
export type Submission = readonly [UnopenedBatch, ...UnopenedBatch[]];

export function inSubmissions(batches: readonly UnopenedBatch[]): readonly Submission[] {
  const alone = batches.filter(({ acceptance }) => acceptance === undefined).map((batch): Submission => [batch]);
  const accepted = Map.groupBy(
    batches.filter(({ acceptance }) => acceptance !== undefined),
    ({ registry }) => registry,
  );
  const together = [...accepted.values()].flatMap((ofRegistry) =>
    chunksOf(ofRegistry, MOST_TOGETHER).flatMap(([first, ...others]): Submission[] =>
      first === undefined ? [] : [[first, ...others]],
    ),
  );
  return [...together, ...alone];
}

interface AcceptedBatch extends UnopenedBatch {
  readonly acceptance: SignedAcceptance;
}

/**
 * Submits accepted batches of one registry in one transaction.
 * @returns those that go in two steps from now on: their acceptance counts no longer, or the ledger did not take them
 */
export async function openAndSettle(context: RelayContext, batches: Submission): Promise<readonly UnopenedBatch[]> {
  const { db, clock, log, wake } = context;
  const nowSeconds = blockTimeNow(await recentHead(context), clock);
  const live = batches.flatMap((batch): AcceptedBatch[] =>
    batch.acceptance === undefined || batch.acceptance.validUntil < nowSeconds
      ? []
      : [{ ...batch, acceptance: batch.acceptance }],
  );
  const failures = live.length === 0 ? new Map<number, Error>() : await submit(context, live);
  context.checkpoint("opener.submitted");
  const taken = live.filter((_, index) => !failures.has(index));
  if (taken.length > 0) wake("watcher");
  for (const { id } of taken) {
    // Until the watcher has read of it, it is due again: after a while, and then it is there already.
    const dueAtMs = clock.nowMs() + Math.max(READING_MS, context.settings.retry.maxDelayMs);
    await recordOpenAttempt(db, id, dueAtMs, undefined);
  }
  const ids = new Set(taken.map(({ id }) => id));
  const others = batches.filter(({ id }) => !ids.has(id));
  for (const { id, header } of others) {
    const failure = failures.get(live.findIndex((batch) => batch.id === id));
    // Whoever signs what does not count holds up one batch in a while.
    if (failure !== undefined) doNotPropose(context, header.target);
    const why = failure === undefined ? "its acceptance counts no longer" : describeFault(failure);
    log.warn({ batch: id, why }, "an accepted batch goes in two steps");
    await dropAcceptance(db, id);
  }
  if (others.length > 0) wake("courier");
  return others.map((batch) => ({ ...batch, acceptance: undefined }));
}

/** Why which of them were not taken, by their place. */
async function submit(context: RelayContext, batches: readonly AcceptedBatch[]): Promise<ReadonlyMap<number, Error>> {
  const [first] = batches;
  const registry = registryAt(context.ledger, first?.registry);
  const calls = batches.map((batch) => openAndSettleCall(registry, batch.header, batch));
  const [only] = calls;
  const isAlone = only !== undefined && calls.length === 1;
  const isNew = batches.every((batch) => batch.isNew);
  const gasLimit = isNew
    ? oneStepGas(batches.map(({ send, quote, acceptance }) => [send, quote, acceptance]))
    : undefined;
  const call = isAlone ? only : callEach(registry, calls);
  const outcome = await submitCall(context, "openAndSettle", isAlone ? first?.id : undefined, call, gasLimit);
  if (outcome.kind === "done") return new Map();
  if (outcome.kind !== "submitted") return new Map(batches.map((_, index) => [index, outcome.error]));
  const failed = isAlone ? new Map<number, Error>() : failedCalls(registry, outcome.receipt);
  // It is there already: somebody else was faster.
  return new Map([...failed].filter(([, error]) => !(error instanceof LedgerError && error.remedy === "done")));
}
