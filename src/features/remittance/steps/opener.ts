import { openCall } from "../../../ledger/calls.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import { registryAt } from "../../../ledger/contracts.ts";
import { openGas } from "../../../ledger/gas.ts";
import { ledgerTimesAt, opensAt } from "../../../ledger/state.ts";
import { backoffMs } from "../../../kernel/retry.ts";
import {
  batchesPastChance,
  batchesToOpen,
  markProviderFault,
  readUnopened,
  recordOpenAttempt,
  voidBatch,
  type ExpiringBatch,
  type UnopenedBatch,
} from "../store/batches.ts";
import { appendEvents } from "../../../kernel/store/events.ts";
import { readCursor } from "../store/ledger-projection.ts";
import { knownRegistries, unreadRegistries } from "../store/registries.ts";
import type { RelayContext, Step } from "../../context.ts";
import { describeFault, workEach } from "../../../kernel/steps/faults.ts";
import { mapAtMost } from "../../../kernel/steps/chunks.ts";
import { workOff } from "../../../kernel/steps/pool.ts";
import { pairOf, providerFault, recordProviderFailure, tellProviderFailure } from "../../pricing/failures.ts";
import { submitCall } from "../../../ledger/submitting.ts";
import { inSubmissions, openAndSettle } from "../accepted-batches.ts";
import { READING_MS } from "../reading.ts";

/** Batches that are submitted at a time: as many as a block can take, where a block takes its time. */
const AT_A_TIME = 32;

/**
 * Submits `open` for every signed batch that the ledger is not known to have, or `openAndSettle` where its target has
 * accepted it, and gives up those that it can never take any more.
 */
export const openerStep: Step = async (context) => {
  const { db, clock, wake, watched } = context;
  // Each new batch wakes it, and each block while one waits: where none does, this is all that it asks.
  const before = await readUnopened(db);
  watched.awaitsOpening = before !== undefined;
  if (before === undefined) return false;
  if (before.isPastChance) await voidPastChance(context);
  const isDue = before.dueMs <= clock.nowMs();
  const isMoreDue = isDue && (await openDue(context));
  const after = isDue ? await readUnopened(db) : before;
  if (after !== undefined) wake("opener", Math.max(1, after.dueMs - clock.nowMs()));
  return isMoreDue;
};

/** @returns whether more may be due */
function openDue(context: RelayContext): Promise<boolean> {
  const { db, clock } = context;
  /** Those that have been submitted in one step: once in a pass, whatever became of it. */
  const inOneStep = new Set<Hex>();
  return workOff({
    context,
    step: "opener",
    limit: AT_A_TIME,
    find: async (atMost) => {
      const due = await batchesToOpen(db, clock.nowMs(), atMost);
      return inSubmissions(due.filter(({ id }) => !inOneStep.has(id)));
    },
    findsAll: true,
    keyOf: ([{ id }]) => id,
    async work(batches) {
      const [first] = batches;
      if (first.acceptance === undefined) return openBatch(context, first);
      for (const { id } of batches) inOneStep.add(id);
      const others = await openAndSettle(context, batches);
      await mapAtMost(others, AT_A_TIME, (batch) => openBatch(context, batch));
    },
    async recordFault(batches, fault) {
      for (const batch of batches) await postpone(context, batch, fault);
    },
  });
}

async function openBatch(context: RelayContext, batch: UnopenedBatch): Promise<void> {
  const { db, ledger, settings, clock, checkpoint, wake } = context;
  const { id, registry, header, send, quote, isNew } = batch;
  // What has been tried before is simulated: it may be open, or refused, and need not be in a block to tell.
  const gasLimit = isNew ? openGas(send, quote) : undefined;
  const call = openCall(registryAt(ledger, registry), header, send, quote);
  const outcome = await submitCall(context, "open", id, call, gasLimit);
  checkpoint("opener.submitted");
  // Until the watcher has read of it, the batch is due again: after a while, and then it is there already.
  const isOpen = outcome.kind === "submitted" || outcome.kind === "done";
  if (isOpen) {
    wake("watcher");
    await recordOpenAttempt(db, id, clock.nowMs() + Math.max(READING_MS, settings.retry.maxDelayMs), undefined);
    return;
  }
  await postpone(context, batch, describeFault(outcome.error));
  const fault = outcome.kind === "refused" ? providerFault(outcome.error, header) : undefined;
  if (fault !== undefined) await blameOnce(context, batch, fault);
}

/** Once for each batch, however often it is submitted. */
async function blameOnce(context: RelayContext, { id, header }: UnopenedBatch, fault: string): Promise<void> {
  const { provider } = header.quote;
  if (provider === 0) return;
  const failure = await context.db.transaction(async (tx) => {
    if (!(await markProviderFault(tx, id, fault))) return undefined;
    return recordProviderFailure(tx, provider, pairOf(header), fault, context.clock.nowMs());
  });
  context.checkpoint("opener.blamed");
  tellProviderFailure(context, failure);
}

async function postpone(
  { db, clock, settings }: Pick<RelayContext, "db" | "clock" | "settings">,
  batch: UnopenedBatch,
  why: string,
): Promise<void> {
  await recordOpenAttempt(db, batch.id, clock.nowMs() + backoffMs(batch.attempts + 1, settings.retry), why);
}

/**
 * The only way in which a signed batch ends without the ledger. Up to the block that was read last it was not opened, and
 * in no later block can it be: block time is past its quote's validity there, or its registry's ledger time at its expiry,
 * and neither ever goes back. That its registry opens nothing now proves nothing: it may again.
 */
async function voidPastChance(context: RelayContext): Promise<void> {
  const { db, ledger } = context;
  const cursor = await readCursor(db);
  if (cursor === undefined) return;
  const candidates = await batchesPastChance(db, cursor.timeSeconds);
  if (candidates.length === 0) return;
  const times = await ledgerTimesAt(ledger, cursor.block);
  const [first] = times;
  const unread = new Set(unreadRegistries(ledger, await knownRegistries(db)));
  const isPast = ({ registry = first?.registry, expiresAt, quoteValidUntil = Infinity }: ExpiringBatch) => {
    const time = times.find((each) => each.registry === registry);
    // Of one whose events have not been read up to that block it cannot be told that they do not open a batch.
    if (registry === undefined || time === undefined || unread.has(registry)) return false;
    return cursor.timeSeconds > quoteValidUntil || time.timeSeconds >= expiresAt;
  };
  await workEach(context, {
    step: "opener",
    items: candidates.filter(isPast),
    keyOf: ({ id }) => id,
    work: (batch) => giveUp(context, batch, cursor.block),
  });
}

async function giveUp(
  { db, ledger, clock, metrics, log, wake }: Pick<RelayContext, "db" | "ledger" | "clock" | "metrics" | "log" | "wake">,
  { id, registry: address, target }: ExpiringBatch,
  block: number,
): Promise<void> {
  const registry = registryAt(ledger, address);
  const isEarlier = registry.chain.transferRegistry !== ledger.chain.transferRegistry;
  // What could not be opened because of where it was signed for is given another batch, there or where new ones open now.
  const isRegistrysFault = isEarlier || !(await opensAt(registry, block));
  const nowMs = clock.nowMs();
  const voided = await db.transaction(async (tx) => {
    const given = await voidBatch(tx, id, isRegistrysFault, nowMs);
    if (given === undefined) return undefined;
    const common = { batch: id, at: nowMs };
    await appendEvents(tx, [
      ...given.failed.map((uetr) => ({ ...common, type: "transfer.failed" as const, uetr, data: { reason: "AB03" } })),
      ...given.requeued.map((uetr) => ({ ...common, type: "transfer.requeued" as const, uetr, data: {} })),
    ]);
    return given;
  });
  if (voided === undefined) return;
  const { failed, requeued } = voided;
  metrics.batchesVoided.inc({ target: String(target) });
  metrics.transfersEnded.inc({ status: "failed" }, failed.length);
  log.warn(
    { batch: id, failed: failed.length, requeued: requeued.length },
    "a signed batch was not opened in time, and is void",
  );
  wake("notifier");
  wake("batcher");
}
