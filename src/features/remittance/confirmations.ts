import type { Hex } from "../../domain/bytes/hex.ts";
import { believedInstant, EARLIEST_MS, formatInstant } from "../../domain/instant.ts";
import type { PartnerId } from "../../domain/partner.ts";
import { isAmong } from "../../domain/transfer.ts";
import { transfersOfBatches } from "./store/batch-transfers.ts";
import { acceptanceTimes, countCredited, insertConfirmations, settledOwnBatch } from "./store/confirmations.ts";
import { appendEvents } from "../../kernel/store/events.ts";
import type { RelayContext } from "../context.ts";
import type { Confirmation } from "../peers/messages.ts";

/**
 * Writes down what a target relay tells of its credits. Nothing is written unless all of it is: every transfer is in the
 * batch, the batch is an own one for that target, and the ledger has settled it and refunded none of them.
 * @returns "not settled" when the ledger, as far as it has been read, does not say so yet
 */
export async function recordConfirmation(
  { db, clock, metrics, wake }: Pick<RelayContext, "db" | "clock" | "metrics" | "wake">,
  from: PartnerId,
  batch: Hex,
  { credits }: Confirmation,
): Promise<"recorded" | "not settled" | "not theirs"> {
  const refunded = await settledOwnBatch(db, batch, from);
  if (refunded === null) return "not theirs";
  if (refunded === undefined) return "not settled";
  const transfers = (await transfersOfBatches(db, [batch])).get(batch) ?? [];
  const settled = new Set(transfers.filter((transfer) => !isAmong(refunded, transfer)).map(({ uetr }) => uetr));
  if (!credits.every(({ uetr }) => settled.delete(uetr))) return "not theirs";

  const accepted = await acceptanceTimes(db, batch);
  const at = clock.nowMs();
  const believed = credits.map(({ uetr, creditedAt }) => {
    return { uetr, creditedAt: believedInstant(creditedAt, accepted.get(uetr) ?? EARLIEST_MS, at) };
  });
  const fresh = await db.transaction(async (tx) => {
    const inserted = await insertConfirmations(tx, believed);
    // By their time, as most of one call to the wallet have the same.
    const told = believed
      .filter(({ uetr }) => inserted.has(uetr))
      .toSorted((left, right) => left.creditedAt - right.creditedAt);
    const uetrs = told.map(({ uetr }) => uetr);
    const own = told.map(({ creditedAt }) => ({ creditedAt: formatInstant(creditedAt) }));
    await countCredited(tx, batch, told.length, at);
    await appendEvents(tx, [{ type: "transfer.credited", uetrs, batch, at, data: {}, own }]);
    return told;
  });
  for (const { uetr, creditedAt } of fresh) {
    const acceptedAt = accepted.get(uetr);
    if (acceptedAt === undefined) continue;
    // Two machines' clocks: what they are apart is not time that it took.
    metrics.acceptedToCredited.observe(Math.max(0, creditedAt - acceptedAt) / 1_000);
  }
  if (fresh.length > 0) wake("notifier");
  return "recorded";
}
