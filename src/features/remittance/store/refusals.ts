import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import type { Database, Queryable } from "../../../kernel/store/database.ts";
import { recordset } from "../../../kernel/store/values.ts";
import { isTriedAgain, retriesIn, retryParameters, retrying } from "./retries.ts";

/** A submission that is refused for good: nothing is ever stored under its UETR, whatever is sent. */
export interface NewRefusal {
  readonly uetr: Uetr;
  /** As it is answered; kept as JSON. */
  readonly refusal: object;
  /** Milliseconds. */
  readonly refusedAt: number;
  /** The attempt before it, of the same order. */
  readonly retryOf?: Uetr | undefined;
}

/**
 * Refuses UETRs for good: from now on `insertTransfers` leaves them out. What was stored before stays, and a refusal
 * that is there already.
 * @returns "tried again" when one is a retry of what has another by now: it and some others are not written
 */
export async function insertRefusals(
  db: Database,
  refusals: readonly NewRefusal[],
): Promise<"written" | "tried again"> {
  // One lock a transaction, so that nobody waits for another's while it holds one.
  for (const alike of Map.groupBy(refusals, ({ uetr }) => uetr[0]).values()) {
    try {
      await db.transaction((tx) => insertAlike(tx, alike));
    } catch (failure) {
      if (isTriedAgain(failure)) return "tried again";
      throw failure;
    }
  }
  return "written";
}

/** Those of one lock. */
async function insertAlike(tx: Queryable, refusals: readonly NewRefusal[]): Promise<void> {
  await tx.query("SELECT pg_advisory_xact_lock(refusal_lock($1::uuid))", [refusals[0]?.uetr ?? ""]);
  await tx.query(
    `WITH stored AS (
       INSERT INTO refusals (uetr, refusal, refused_at)
       SELECT r.uetr, r.refusal, r.at
       FROM jsonb_to_recordset($1::jsonb) AS r(uetr uuid, refusal jsonb, at bigint)
       WHERE NOT EXISTS (SELECT FROM transfers t WHERE t.uetr = r.uetr)
       ON CONFLICT DO NOTHING RETURNING uetr, refused_at AS at
     ) ${retrying("stored", 2)}`,
    [
      recordset(refusals.map(({ uetr, refusal, refusedAt }) => ({ uetr, refusal, at: refusedAt }))),
      ...retryParameters(retriesIn(refusals)),
    ],
  );
}

/** The refusals that stand, as they were answered. */
export async function findRefusals(db: Queryable, uetrs: readonly Uetr[]): Promise<ReadonlyMap<Uetr, unknown>> {
  const rows = await db.query<{ readonly uetr: string; readonly refusal: unknown }>(
    `SELECT uetr, refusal FROM refusals WHERE uetr = ANY ($1::uuid[])`,
    [uetrs],
  );
  return new Map(rows.map(({ uetr, refusal }) => [parseUetr(uetr), refusal]));
}
