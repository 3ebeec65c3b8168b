import { parseUetr, type Uetr } from "../domain/uetr.ts";
import type { Database, Queryable } from "./database.ts";
import { recordset } from "./values.ts";

/** A submission that is refused for good. */
export interface NewRefusal {
  readonly uetr: Uetr;
  readonly contentMac: Uint8Array;
  /** As it is answered; kept as JSON. */
  readonly refusal: object;
  /** Milliseconds. */
  readonly refusedAt: number;
}

/** One that was, some time ago. */
export interface KnownRefusal {
  readonly contentMac: Uint8Array;
  readonly refusal: unknown;
}

/** Far longer than anybody goes on repeating a request whose answer was lost. */
const REMEMBERED_MS = 7 * 86_400_000;
const FORGOTTEN_AT_ONCE = 1_000;

/**
 * Refuses submissions for good: from now on `insertTransfers` leaves them out. What was stored before stays, and a
 * refusal that is there already.
 */
export async function insertRefusals(db: Database, refusals: readonly NewRefusal[]): Promise<void> {
  // One lock a transaction, so that nobody waits for another's while it holds one.
  for (const alike of Map.groupBy(refusals, ({ uetr }) => uetr[0]).values()) {
    await db.transaction(async (tx) => {
      await tx.query("SELECT pg_advisory_xact_lock(refusal_lock($1::uuid))", [alike[0]?.uetr ?? ""]);
      await tx.query(
        `INSERT INTO refusals (uetr, content_mac, refusal, refused_at)
         SELECT r.uetr, decode(r.mac, 'base64'), r.refusal, r.at
         FROM jsonb_to_recordset($1::jsonb) AS r(uetr uuid, mac text, refusal jsonb, at bigint)
         WHERE NOT EXISTS (SELECT FROM transfers t WHERE t.uetr = r.uetr)
         ON CONFLICT DO NOTHING`,
        [recordset(alike.map(toRow))],
      );
    });
  }
}

function toRow({ uetr, contentMac, refusal, refusedAt }: NewRefusal): object {
  return { uetr, mac: Buffer.from(contentMac).toString("base64"), refusal, at: refusedAt };
}

interface RefusalRow {
  readonly uetr: string;
  readonly content_mac: Uint8Array;
  readonly refusal: unknown;
}

/** What was refused under these UETRs, whatever its content. */
export async function findRefusals(
  db: Queryable,
  uetrs: readonly Uetr[],
): Promise<ReadonlyMap<Uetr, readonly KnownRefusal[]>> {
  const rows = await db.query<RefusalRow>(
    `SELECT uetr, content_mac, refusal FROM refusals
     WHERE uetr IN (SELECT given.uetr::uuid FROM jsonb_array_elements_text($1::jsonb) AS given(uetr))`,
    [JSON.stringify(uetrs)],
  );
  const known = rows.map((row) => ({ ...row, uetr: parseUetr(row.uetr), contentMac: row.content_mac }));
  return Map.groupBy(known, ({ uetr }) => uetr);
}

/** Forgets refusals that nobody asks for any more, some at a time. */
export async function forgetRefusals(db: Queryable, nowMs: number): Promise<void> {
  await db.query(
    `DELETE FROM refusals WHERE (uetr, content_mac) IN
       (SELECT uetr, content_mac FROM refusals WHERE refused_at < $1 ORDER BY refused_at LIMIT $2)`,
    [nowMs - REMEMBERED_MS, FORGOTTEN_AT_ONCE],
  );
}
