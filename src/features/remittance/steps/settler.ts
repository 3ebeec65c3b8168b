import { buildMerkleTree } from "../../../domain/merkle.ts";
import { proveRejections, type ProvedRejections } from "../../../domain/settlement.ts";
import { transferLeaf } from "../../../domain/transfer.ts";
import { settleCall } from "../../../ledger/calls.ts";
import { registryAt } from "../../../ledger/contracts.ts";
import { settleGas } from "../../../ledger/gas.ts";
import { ledgerSigner } from "../../../ledger/keys/signing-key.ts";
import { signSettlement } from "../../../ledger/signing.ts";
import { backoffMs } from "../../../kernel/retry.ts";
import { batchesToSettle, recordSettleAttempt, replaceSignature, type UnsettledBatch } from "../store/decisions.ts";
import { sealedPayloadOf } from "../store/payloads.ts";
import type { RelayContext, Step } from "../../context.ts";
import { describeFault } from "../../../kernel/steps/faults.ts";
import { workOff } from "../../../kernel/steps/pool.ts";
import { openPayload } from "../sealed-payload.ts";
import { submitCall } from "../../../ledger/submitting.ts";
import { READING_MS } from "../reading.ts";

const LIMIT = 32;

const KEY_REFUSED = "PartnerRegistry_KeyNotAuthorized";

const NONE_REJECTED: ProvedRejections = {
  rejections: [],
  multiproof: undefined,
  rejectionsHash: `0x${"0".repeat(64)}`,
};

/** Has the ledger act on this partner's decisions, again and again until it has, or the batch has expired. */
export const settlerStep: Step = async (context) => {
  const { db, clock } = context;
  return workOff({
    context,
    step: "settler",
    limit: LIMIT,
    find: (atMost) => batchesToSettle(db, clock.nowMs(), atMost),
    findsAll: true,
    keyOf: ({ id }) => id,
    work: (batch) => settleBatch(context, batch),
    recordFault: (batch, fault) => postpone(context, batch, fault),
  });
};

async function settleBatch(context: RelayContext, batch: UnsettledBatch): Promise<void> {
  const { db, clock, ledger, checkpoint, wake, keys } = context;
  const { id, header, accept, isNew, rejections } = batch;
  const registry = registryAt(ledger, batch.registry);
  const proved = await prove(context, batch);
  // What has been tried before is simulated: it may be settled, or refused, and need not be in a block to tell.
  const gasLimit = isNew ? settleGas(header.count, rejections.size, accept) : undefined;
  const outcome = await submitCall(context, "settle", id, settleCall(registry, header, proved, accept), gasLimit);
  checkpoint("settler.submitted");
  if (outcome.kind === "refused" && outcome.error.code === KEY_REFUSED && accept.key !== keys.accept.address) {
    // The key has been rotated since: the same decision, under the new one.
    const settlement = { batchId: id, rejectionsHash: proved.rejectionsHash };
    await replaceSignature(db, id, await signSettlement(ledgerSigner(keys.accept), registry.chain, settlement));
  }
  if (outcome.kind === "refused" || outcome.kind === "failed") {
    return postpone(context, batch, describeFault(outcome.error));
  }
  wake("watcher");
  await recordSettleAttempt(db, id, clock.nowMs() + READING_MS, undefined);
}

async function postpone(
  { db, clock, settings, wake }: Pick<RelayContext, "db" | "clock" | "settings" | "wake">,
  batch: UnsettledBatch,
  why: string,
): Promise<void> {
  const delayMs = backoffMs(batch.attempts + 1, settings.retry);
  await recordSettleAttempt(db, batch.id, clock.nowMs() + delayMs, why);
  wake("settler", delayMs);
}

async function prove(
  { db, sealer }: Pick<RelayContext, "db" | "sealer">,
  batch: UnsettledBatch,
): Promise<ProvedRejections> {
  const { id, header, rejections } = batch;
  if (rejections.size === 0) return NONE_REJECTED;
  const sealed = await sealedPayloadOf(db, id);
  if (sealed === null || sealed === undefined) throw new Error(`batch ${id} is open, and its payload is gone`);
  const { transfers } = openPayload(sealer, id, sealed);
  return proveRejections({ header, transfers, tree: buildMerkleTree(transfers.map(transferLeaf)) }, rejections);
}
