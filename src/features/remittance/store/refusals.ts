import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import type { Database, Queryable } from "../../../kernel/store/database.ts";
import { recordset } from "../../../kernel/store/values.ts";

/** A submission that is refused for good: nothing is ever stored under its UETR, whatever is sent. */
export interface NewRefusal {
  readonly uetr: Uetr;
  /** As it is answered; kept as JSON. */
  readonly refusal: object;
  /** Milliseconds. */
  readonly refusedAt: number;
}

/**
 * Refuses UETRs for good: from now on `insertTransfers` leaves them out. What was stored before stays, and a refusal
 * that is there already.
 */
export async function insertRefusals(db: Database, refusals: readonly NewRefusal[]): Promise<void> {
  // One lock a transaction, so that nobody waits for another's while it holds one.
  for (const alike of Map.groupBy(refusals, ({ uetr }) => uetr[0]).values()) {
    await db.transaction(async (tx) => {
      await tx.query("SELECT pg_advisory_xact_lock(refusal_lock($1::uuid))", [alike[0]?.uetr ?? ""]);
      await tx.query(
        `INSERT INTO refusals (uetr, refusal, refused_at)
         SELECT r.uetr, r.refusal, r.at
         FROM jsonb_to_recordset($1::jsonb) AS r(uetr uuid, refusal jsonb, at bigint)
         WHERE NOT EXISTS (SELECT FROM transfers t WHERE t.uetr = r.uetr)
         ON CONFLICT DO NOTHING`,
        [recordset(alike.map(({ uetr, refusal, refusedAt }) => ({ uetr, refusal, at: refusedAt })))],
      );
    });
  }
}

/** The refusals that stand, as they were answered. */
export async function findRefusals(db: Queryable, uetrs: readonly Uetr[]): Promise<ReadonlyMap<Uetr, unknown>> {
  const rows = await db.query<{ readonly uetr: string; readonly refusal: unknown }>(
    `SELECT uetr, refusal FROM refusals WHERE uetr = ANY ($1::uuid[])`,
    [uetrs],
  );
  return new Map(rows.map(({ uetr, refusal }) => [parseUetr(uetr), refusal]));
}
