import type { Uetr } from "../domain/uetr.ts";
import type { Database, Queryable } from "./database.ts";

// Retention and erasure. Personal data is in `sealed` columns only: without them and their salts, the commitments on the
// ledger can be linked to nobody. What a transfer in flight needs is never erased. What the wallet was told to credit is
// in the wallet's books, which are its own.

export interface Erased {
  /** Own customers' transfers whose details are gone. */
  readonly transfers: number;
  /** Batches from other relays whose payloads are gone. */
  readonly payloads: number;
}

/** Rows of one statement, so that none holds its locks for long. */
const ROWS_AT_ONCE = 5_000;

/** On a transfer `t`: nothing is done with its details any more. */
const TRANSFER_IS_FINAL = `(t.ended IS NOT NULL
  OR EXISTS (SELECT 1 FROM batches b WHERE b.id = t.batch AND b.voided_at IS NOT NULL)
  OR EXISTS (SELECT 1 FROM ledger_batches l WHERE l.id = t.batch AND l.status <> 'open'))`;

/** On a payload `p`: its batch is over, and whoever is to be credited has been. */
const PAYLOAD_IS_DONE = `EXISTS (SELECT 1 FROM ledger_batches l WHERE l.id = p.batch AND l.status <> 'open'
  AND (l.status <> 'settled'
    OR NOT EXISTS (SELECT 1 FROM credits c WHERE c.batch = p.batch AND c.credited_at IS NULL)))`;

/**
 * Erases the personal data of transfers that were accepted, and payloads that were received, before a time. Those in
 * flight are left for the next time. A payload that old whose batch was never opened goes, too: should it be opened
 * after all, it expires, and its money goes back.
 * @param beforeMs milliseconds since the epoch
 */
export async function eraseOlderThan(db: Database, beforeMs: number): Promise<Erased> {
  const transfers = await eraseInParts(
    db,
    `WITH due AS (SELECT t.seq FROM transfers t
       WHERE t.accepted_at < $1 AND t.sealed IS NOT NULL AND ${TRANSFER_IS_FINAL} LIMIT ${ROWS_AT_ONCE}),
     erased AS (UPDATE transfers SET sealed = NULL FROM due WHERE transfers.seq = due.seq RETURNING 1)
     SELECT count(*)::integer AS erased FROM erased`,
    beforeMs,
  );
  const payloads = await eraseInParts(
    db,
    `WITH due AS (SELECT p.batch FROM payloads p
       WHERE p.received_at < $1 AND p.sealed IS NOT NULL
         AND (${PAYLOAD_IS_DONE} OR NOT EXISTS (SELECT 1 FROM ledger_batches l WHERE l.id = p.batch))
       LIMIT ${ROWS_AT_ONCE}),
     erased AS (UPDATE payloads SET sealed = NULL FROM due WHERE payloads.batch = due.batch RETURNING 1)
     SELECT count(*)::integer AS erased FROM erased`,
    beforeMs,
  );
  return { transfers, payloads };
}

async function eraseInParts(db: Database, statement: string, beforeMs: number): Promise<number> {
  let total = 0;
  // Each part leaves less to erase, and a part that is not full is the last.
  for (;;) {
    const [row] = await db.query<{ erased: number }>(statement, [beforeMs]);
    const erased = row?.erased ?? 0;
    total += erased;
    if (erased < ROWS_AT_ONCE) return total;
  }
}

/**
 * What became of a wish to erase one transfer: all of it that was here is gone; nothing was erased, for it is in flight;
 * or there is no such transfer.
 */
export type Erasure = "erased" | "in flight" | "unknown";

/**
 * Erases the personal data of one transfer, sent or received. It can be repeated. Payloads are sealed by the batch: that
 * of a received transfer goes with those of the others in its batch, when all of them have been credited. A transfer in
 * a batch that expired before it was answered is not found by its UETR, and goes with its age (`eraseOlderThan`).
 */
export async function eraseTransfer(db: Database, uetr: Uetr): Promise<Erasure> {
  return db.transaction(async (tx) => {
    const sent = await eraseEach(
      tx,
      `SELECT ${TRANSFER_IS_FINAL} AS done FROM transfers t WHERE t.uetr = $1::uuid FOR UPDATE`,
      "UPDATE transfers SET sealed = NULL WHERE uetr = $1::uuid",
      uetr,
    );
    const received = await eraseEach(
      tx,
      `SELECT ${PAYLOAD_IS_DONE} AS done FROM payloads p WHERE p.batch IN (${BATCHES_TO_HERE}) FOR UPDATE`,
      `UPDATE payloads p SET sealed = NULL WHERE p.batch IN (${BATCHES_TO_HERE}) AND ${PAYLOAD_IS_DONE}`,
      uetr,
    );
    if (sent === "in flight" || received === "in flight") return "in flight";
    return sent === "erased" || received === "erased" ? "erased" : "unknown";
  });
}

/** Batches to this relay in which a UETR was accepted or rejected. */
const BATCHES_TO_HERE = `SELECT c.batch FROM credits c WHERE c.uetr = $1::uuid
  UNION SELECT d.batch FROM decisions d WHERE d.rejections @> jsonb_build_array(jsonb_build_object('uetr', $1::text))`;

/** @param find the rows with the UETR, as `done` */
async function eraseEach(tx: Queryable, find: string, erase: string, uetr: Uetr): Promise<Erasure> {
  const found = await tx.query<{ done: boolean }>(find, [uetr]);
  if (found.length === 0) return "unknown";
  if (!found.every(({ done }) => done)) return "in flight";
  await tx.query(erase, [uetr]);
  return "erased";
}
