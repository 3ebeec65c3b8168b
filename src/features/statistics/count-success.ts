import { dayOf } from "../../domain/day.ts";
import type { Ledger } from "../../ledger/contracts.ts";
import { countedHead, countOnLedger } from "../../ledger/success.ts";
import type { SuccessJson } from "../../schema/statistics.ts";
import { dayRange } from "./day-range.ts";
import { successJson } from "./success-json.ts";

/**
 * What `GET /v1/stats/success` tells, from nothing but the ledger.
 * @param block as of which it is counted; the latest one unless given
 * @throws InvalidInput when the days are none, or too many
 */
export async function countSuccess(
  ledger: Ledger,
  asked: Parameters<typeof dayRange>[0] = {},
  block?: number,
): Promise<SuccessJson> {
  const head = await countedHead(ledger, block);
  const range = dayRange(asked, dayOf(head.timeSeconds));
  const counts = await countOnLedger(ledger, range, head);
  return successJson({ block: head.number, timeSeconds: head.timeSeconds, counts }, range);
}
