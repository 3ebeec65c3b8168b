import type { BatchHeader } from "../../../domain/batch.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import type { ReasonCode } from "../../../domain/reason.ts";
import type { Authorization, SignedAcceptance } from "../../../domain/typed-data.ts";
import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import { headerSchema, parseWire } from "../../../domain/wire.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { bytesOf, hexOf } from "../../../kernel/store/values.ts";
import { lockQuotes } from "../../pricing/store/reservations.ts";
import { registryOf } from "./registries.ts";
import { BATCHED, leaveInBatch, ofAnyIn } from "./batch-ranges.ts";
import { failWaiting, queueing } from "./waiting-transfers.ts";

// Batches that are written down and not signed yet: their target is asked about them. They are rows of `batches`, so their
// transfers and money are in no other batch.

export interface ProposedBatch {
  readonly id: Hex;
  /** Whose signature it is for; undefined for the ledger's first. */
  readonly registry: Hex | undefined;
  readonly header: BatchHeader;
  /** How often the work on it has failed. */
  readonly attempts: number;
}

/** Those that are due, the oldest first; some for each target, so that a relay that is slow does not hold up the others'. */
export async function proposedBatches(
  db: Queryable,
  nowMs: number,
  perTarget: number,
): Promise<readonly ProposedBatch[]> {
  const rows = await db.query<{ id: Uint8Array; registry: Uint8Array | null; header: unknown; open_attempts: number }>(
    `SELECT id, registry, header, open_attempts FROM (
       SELECT *, row_number() OVER (PARTITION BY target ORDER BY open_attempts, signed_at, id) AS place FROM batches
       WHERE send_signature IS NULL AND open_due_at <= $1) AS due
     WHERE place <= $2 ORDER BY place, signed_at, id`,
    [nowMs, perTarget],
  );
  return rows.map(({ id, registry, header, open_attempts }) => ({
    id: hexOf(id),
    registry: registryOf(registry),
    header: parseWire(headerSchema, header, "batches.header"),
    attempts: open_attempts,
  }));
}

/** Whether there is any, due or not. */
export async function hasProposed(db: Queryable): Promise<boolean> {
  const rows = await db.query("SELECT 1 AS one FROM batches WHERE send_signature IS NULL LIMIT 1");
  return rows.length > 0;
}

/**
 * Adds to a proposed batch what makes it a signed one. With an acceptance, its target has the payload.
 * @returns false where it is signed, or withdrawn
 */
export async function signProposed(
  db: Queryable,
  id: Hex,
  { send, acceptance }: { readonly send: Authorization; readonly acceptance: SignedAcceptance | undefined },
  nowMs: number,
): Promise<boolean> {
  const signed = await db.query(
    `UPDATE batches SET send_signature = $2::jsonb, acceptance = $3::jsonb, signed_at = $4::bigint,
       payload_delivered_at = CASE WHEN $3::jsonb IS NULL THEN NULL ELSE $4::bigint END, open_attempts = 0,
       open_due_at = 0, open_error = NULL
     WHERE id = $1 AND send_signature IS NULL RETURNING id`,
    [bytesOf(id), JSON.stringify(send), acceptance === undefined ? null : JSON.stringify(acceptance), nowMs],
  );
  return signed.length > 0;
}

/**
 * Gives up a batch that was never signed: nobody can open it. The transfers that were refused fail, the others wait again.
 * @returns those that have failed; undefined where it is signed, or gone
 */
export async function withdrawProposed(
  tx: Queryable,
  id: Hex,
  refused: ReadonlyMap<Uetr, ReasonCode>,
  nowMs: number,
): Promise<ReadonlyMap<ReasonCode, readonly Uetr[]> | undefined> {
  const gone = await tx.query("DELETE FROM batches WHERE id = $1 AND send_signature IS NULL RETURNING id", [
    bytesOf(id),
  ]);
  if (gone.length === 0) return undefined;
  const [priced] = await tx.query<{ quote: Uint8Array | null }>(`SELECT ${ofAnyIn("provider_quote", "$1")} AS quote`, [
    bytesOf(id),
  ]);
  if (priced !== undefined && priced.quote !== null) await lockQuotes(tx, [hexOf(priced.quote)]);
  await tx.query(queueing(`(SELECT t.* FROM ${BATCHED} WHERE r.batch = $1) AS again`), [bytesOf(id)]);
  await leaveInBatch(tx, id, []);
  const failed = new Map<ReasonCode, readonly Uetr[]>();
  for (const [reason, list] of Map.groupBy(refused, ([, why]) => why)) {
    const uetrs = list.map(([uetr]) => parseUetr(uetr));
    failed.set(reason, await failWaiting(tx, uetrs, reason, nowMs));
  }
  return failed;
}

/** Its acceptance does not count any more: the same batch goes in two steps, and its payload is sent for them. */
export async function dropAcceptance(db: Queryable, id: Hex): Promise<void> {
  await db.query(
    "UPDATE batches SET acceptance = NULL, payload_delivered_at = NULL WHERE id = $1 AND acceptance IS NOT NULL",
    [bytesOf(id)],
  );
}
