import type { Uetr } from "../../../domain/uetr.ts";
import type { RegistryTime } from "../../../ledger/state.ts";
import type { Erasure } from "../../context.ts";
import { ITS_BATCH } from "./batch-ranges.ts";
import { CREDITED_AT } from "./confirmations.ts";
import { eventsAbout } from "../../../kernel/store/events.ts";
import { timeOf, timeParameters } from "./registries.ts";
import type { Database, Queryable, SqlValue } from "../../../kernel/store/database.ts";

// Retention and erasure. Personal data is in `sealed` columns only: without them and their salts, the commitments on the
// ledger can be linked to nobody. What is unfinished on either side is never erased, whatever is asked; what cannot be
// known to be finished counts as unfinished. What the wallet was told to credit is in the wallet's books, which are its
// own.

export interface Erased {
  /** Own customers' transfers whose details are gone. */
  readonly transfers: number;
  /** Batches from other relays whose payloads are gone. */
  readonly payloads: number;
}

/** Rows of one statement, so that none holds its locks for long. */
const ROWS_AT_ONCE = 5_000;

// Each asks for one row at a time, in the order of its index: EXISTS in an expression may have PostgreSQL read the whole
// table first, and so may a limit without an order.

/**
 * On a transfer `t` with `ITS_BATCH`: nothing is done with its details any more, here or at the target. Of one in a batch the ledger
 * decides: it is refunded, or its payee is known to be credited.
 */
const TRANSFER_IS_FINISHED = `(CASE
  WHEN r.batch IS NULL THEN t.ended IS NOT NULL
  ELSE coalesce(
    (SELECT l.status IN ('rejected', 'expired')
       OR ${CREDITED_AT} IS NOT NULL
       OR (SELECT count(*) > 0 FROM ${eventsAbout("ARRAY[t.uetr]", "ARRAY[r.batch]")} AS a
         WHERE a.uetr = t.uetr AND a.type = 'transfer.rejected')
     FROM ledger_batches l WHERE l.id = r.batch),
    (SELECT b.voided_at IS NOT NULL FROM batches b WHERE b.id = r.batch))
END)`;

/**
 * On a payload `p`: its batch is over. Where it has settled, this relay knows what it promised, and whoever is to be
 * credited has been: a store that was restored may have lost the promise, not the duty.
 */
const PAYLOAD_IS_FINISHED = `coalesce(
  (SELECT l.status IN ('rejected', 'expired')
     OR (l.status = 'settled' AND coalesce((SELECT true FROM decisions d WHERE d.batch = p.batch), false)
       AND (SELECT c.uetr FROM credits c WHERE c.batch = p.batch AND c.credited_at IS NULL
         ORDER BY c.next_attempt_at LIMIT 1) IS NULL)
   FROM ledger_batches l WHERE l.id = p.batch), false)`;

/** On a payload `p`: up to its registry's ledger time, of $2 and $3, its batch was not opened, and now it cannot be. */
const PAYLOAD_IS_PAST_CHANCE = `(p.expires_at_s <= ${timeOf("p.registry", 2)}
  AND (SELECT l.id FROM ledger_batches l WHERE l.id = p.batch) IS NULL)`;

/** What an erasure by age looks at. */
export interface ErasureTimes {
  /** What is older is erased: milliseconds since the epoch, and not in the future. */
  readonly beforeMs: number;
  /** Each registry's as of the block that was read last: batches that the store does not have were not opened until then. */
  readonly ledgerTimes: readonly RegistryTime[];
}

/**
 * Erases the personal data of transfers that were accepted, and payloads that were received, before a time. What is
 * unfinished is left for the next time.
 */
export async function eraseOlderThan(db: Database, { beforeMs, ledgerTimes }: ErasureTimes): Promise<Erased> {
  const transfers = await eraseInParts(
    db,
    `WITH due AS (SELECT t.seq FROM transfers t ${ITS_BATCH}
       WHERE t.accepted_at < $1 AND t.sealed IS NOT NULL AND ${TRANSFER_IS_FINISHED}
       ORDER BY t.accepted_at LIMIT ${ROWS_AT_ONCE}),
     erased AS (UPDATE transfers SET sealed = NULL WHERE seq = ANY (ARRAY(SELECT seq FROM due)) RETURNING 1)
     SELECT count(*)::integer AS erased FROM erased`,
    [beforeMs],
  );
  const payloads = await eraseInParts(
    db,
    `WITH due AS (SELECT p.batch FROM payloads p
       WHERE p.received_at < $1 AND p.sealed IS NOT NULL AND (${PAYLOAD_IS_FINISHED} OR ${PAYLOAD_IS_PAST_CHANCE})
       ORDER BY p.received_at LIMIT ${ROWS_AT_ONCE}),
     erased AS (UPDATE payloads SET sealed = NULL WHERE batch = ANY (ARRAY(SELECT batch FROM due)) RETURNING 1)
     SELECT count(*)::integer AS erased FROM erased`,
    [beforeMs, ...timeParameters(ledgerTimes)],
  );
  return { transfers, payloads };
}

async function eraseInParts(db: Database, statement: string, values: readonly SqlValue[]): Promise<number> {
  let total = 0;
  // Each part leaves less to erase, and a part that is not full is the last.
  for (;;) {
    const [row] = await db.query<{ erased: number }>(statement, values);
    const erased = row?.erased ?? 0;
    total += erased;
    if (erased < ROWS_AT_ONCE) return total;
  }
}

/**
 * Erases the personal data of one transfer, sent or received. It can be repeated. Payloads are sealed by the batch: that
 * of a received transfer goes with those of the others in its batch, when all of them have been credited. A transfer in
 * a batch that expired before it was answered is not found by its UETR, and goes with its age (`eraseOlderThan`).
 */
export async function eraseTransfer(db: Database, uetr: Uetr): Promise<Erasure> {
  return db.transaction(async (tx) => {
    const sent = await eraseEach(
      tx,
      `SELECT ${TRANSFER_IS_FINISHED} AS done FROM transfers t ${ITS_BATCH}
       WHERE t.uetr = $1::uuid FOR UPDATE OF t`,
      "UPDATE transfers SET sealed = NULL WHERE uetr = $1::uuid",
      uetr,
    );
    const received = await eraseEach(
      tx,
      `SELECT ${PAYLOAD_IS_FINISHED} AS done FROM payloads p WHERE p.batch IN (${BATCHES_TO_HERE}) FOR UPDATE`,
      `UPDATE payloads p SET sealed = NULL WHERE p.batch IN (${BATCHES_TO_HERE}) AND ${PAYLOAD_IS_FINISHED}`,
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
