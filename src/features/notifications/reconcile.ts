import type { Queryable } from "../../kernel/store/database.ts";
import { rowNumbered } from "../../kernel/store/events.ts";
import type { Reconcile } from "../context.ts";
import { HAS_FAILED, IS_NEW } from "./store.ts";

declare module "../../kernel/findings.ts" {
  interface DifferenceKinds {
    delivery: true;
  }
}

/** Whether webhooks have been told what happened. */
export const reconcileDeliveries: Reconcile = ({ db }, { beforeMs }, findings) => ({
  async finish() {
    for (const { webhook, owed, dead } of await owedDeliveries(db, beforeMs)) {
      findings.add("delivery", webhook, `${owed} events are owed to it, ${dead} were given up.`);
    }
    // Events are gone through with what they are about.
    return {};
  },
});

/** For each webhook: how many events from before a moment are owed to it, and how many were given up. */
async function owedDeliveries(
  db: Queryable,
  beforeMs: number,
): Promise<readonly { readonly webhook: string; readonly owed: number; readonly dead: number }[]> {
  return db.query<{ webhook: string; owed: number; dead: number }>(
    `SELECT * FROM (
       SELECT w.id AS webhook,
         (SELECT count(*) FROM deliveries d WHERE d.webhook = w.id AND ${IS_NEW}
            AND (SELECT r.at FROM ${rowNumbered("d.event")} AS r) <= $1)::integer
         + (SELECT count(*) FROM deliveries d WHERE d.webhook = w.id AND ${HAS_FAILED}
            AND (SELECT r.at FROM ${rowNumbered("d.event")} AS r) <= $1)::integer
         + (SELECT coalesce(sum(least(e.size, e.seq - w.planned_seq)), 0) FROM events e
            WHERE e.seq > w.planned_seq AND e.at <= $1 AND e.type NOT LIKE 'webhook.%'
              AND (w.types = '[]'::jsonb OR w.types ? e.type))::integer AS owed,
         (SELECT count(*) FROM deliveries d WHERE d.webhook = w.id AND d.dead_at IS NOT NULL)::integer AS dead
       FROM webhooks w WHERE w.disabled_at IS NULL) AS deliveries
     WHERE owed > 0 OR dead > 0 ORDER BY webhook`,
    [beforeMs],
  );
}
