import type { Queryable } from "./database.ts";
import { NEVER } from "./values.ts";

// When what has failed is tried again is written down by a clock that may be set back: what was postponed while it was
// ahead would wait for as long as it was.

/** Every column with such a time, as its step looks for it. $1 is now, $2 what no rule postpones anything beyond. */
const BROUGHT_BACK = {
  "batches.open_due_at": `UPDATE batches SET open_due_at = $1
    WHERE NOT on_ledger AND voided_at IS NULL AND open_due_at > $2`,
  "batches.payload_due_at": `UPDATE batches SET payload_due_at = $1
    WHERE payload_delivered_at IS NULL AND voided_at IS NULL AND payload_due_at > $2 AND payload_due_at < ${NEVER}`,
  "payloads.due_at": `UPDATE payloads p SET due_at = $1 FROM ledger_batches l
    WHERE l.id = p.batch AND l.status = 'open' AND p.due_at > $2`,
  "decisions.settle_due_at": `UPDATE decisions d SET settle_due_at = $1 FROM ledger_batches l
    WHERE l.id = d.batch AND l.status = 'open' AND d.settle_due_at > $2`,
  "decisions.confirm_due_at":
    "UPDATE decisions SET confirm_due_at = $1 WHERE confirmed_at IS NULL AND confirm_due_at > $2",
  "credits.next_attempt_at": `UPDATE credits c SET next_attempt_at = $1 FROM decisions d
    WHERE d.batch = c.batch AND d.confirmed_at IS NULL AND c.credited_at IS NULL
      AND c.next_attempt_at > $2 AND c.next_attempt_at < ${NEVER}`,
  "deliveries.next_attempt_at": `UPDATE deliveries d SET next_attempt_at = $1 FROM webhooks w
    WHERE d.webhook = w.id AND d.delivered_at IS NULL AND d.dead_at IS NULL AND d.attempts > 0 AND d.next_attempt_at > $2`,
  "webhooks.not_before": "UPDATE webhooks SET not_before = $1 WHERE not_before > $2",
  "webhooks.retry_not_before": "UPDATE webhooks SET retry_not_before = $1 WHERE retry_not_before > $2",
  "step_faults.due_at": "UPDATE step_faults SET due_at = $1 WHERE due_at > $2",
} as const;

/**
 * Has all that is due beyond a time done now.
 * @param latestMs the latest that anything can have been postponed to by a clock that is right
 * @returns the columns in which there was anything
 */
export async function bringBackDueTimes(db: Queryable, nowMs: number, latestMs: number): Promise<readonly string[]> {
  const columns: string[] = [];
  for (const [column, statement] of Object.entries(BROUGHT_BACK)) {
    const [row] = await db.query<{ any: boolean }>(
      `WITH brought AS (${statement} RETURNING 1) SELECT EXISTS (SELECT FROM brought) AS any`,
      [nowMs, latestMs],
    );
    if (row?.any === true) columns.push(column);
  }
  return columns;
}
