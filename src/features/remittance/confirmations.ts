import type { Hex } from "../../domain/bytes/hex.ts";
import { believedInstant, formatInstant } from "../../domain/instant.ts";
import type { PartnerId } from "../../domain/partner.ts";
import { isAmong } from "../../domain/transfer.ts";
import { confirmableTransfers, countCredited, insertConfirmations, settledOwnBatch } from "./store/confirmations.ts";
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
  const at = clock.nowMs();
  const outcome = await db.transaction(async (tx) => {
    const refunded = await settledOwnBatch(tx, batch, from);
    if (refunded === null) return "not theirs";
    if (refunded === undefined) return "not settled";
    const creditedAt = new Map(credits.map((credit) => [credit.uetr, credit.creditedAt]));
    const confirmed = (await confirmableTransfers(tx, batch)).flatMap((transfer) => {
      const told = creditedAt.get(transfer.uetr);
      if (told === undefined || isAmong(refunded, transfer)) return [];
      return [{ ...transfer, creditedAt: believedInstant(told, transfer.acceptedAt, at) }];
    });
    // Something is told twice, or is none that has settled.
    if (confirmed.length !== credits.length) return "not theirs";
    const fresh = confirmed.filter(({ isConfirmed }) => !isConfirmed);
    if (fresh.length === 0) return fresh;
    await insertConfirmations(tx, fresh);
    // By their time, as most of one call to the wallet have the same.
    const told = fresh.toSorted((left, right) => left.creditedAt - right.creditedAt);
    const uetrs = told.map(({ uetr }) => uetr);
    const own = told.map((credit) => ({ creditedAt: formatInstant(credit.creditedAt) }));
    await countCredited(tx, batch, uetrs, at);
    await appendEvents(tx, [{ type: "transfer.credited", uetrs, batch, at, data: {}, own }]);
    return fresh;
  });
  if (typeof outcome === "string") return outcome;
  for (const { creditedAt, acceptedAt } of outcome) {
    // Two machines' clocks: what they are apart is not time that it took.
    metrics.acceptedToCredited.observe(Math.max(0, creditedAt - acceptedAt) / 1_000);
  }
  if (outcome.length > 0) wake("notifier");
  return "recorded";
}
