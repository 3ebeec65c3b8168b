import { z } from "zod/v4";
import type { Hex } from "../../../domain/bytes/hex.ts";
import type { PartnerId } from "../../../domain/partner.ts";
import { parseReason, reasonToBytes4 } from "../../../domain/reason.ts";
import { parsedBy, parseWire } from "../../../domain/wire.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import type { FinalBatch, LedgerPlace, OpenedBatch } from "./ledger-projection.ts";
import { bytesList, hexOf, numberOf } from "../../../kernel/store/values.ts";

/** A call of the ledger that asks for a partner's signature. */
export type SignedCall = "open" | "settle";
export const SIGNED_CALLS: readonly SignedCall[] = ["open", "settle"];

/** Something on the ledger with a signature of this partner's, as this relay's own store does not explain it. */
export interface UnknownSignature {
  readonly call: SignedCall;
  readonly batch: Hex;
  readonly at: LedgerPlace;
  /** What the store has instead. */
  readonly why: "not signed here" | "given up here" | "not decided here" | "decided otherwise here";
}

/** Own batches that were opened, and that this relay has not signed, or that it took for impossible and has refunded. */
export async function unknownOpenings(
  db: Queryable,
  partner: PartnerId,
  opened: readonly OpenedBatch[],
): Promise<readonly UnknownSignature[]> {
  const own = opened.filter(({ header }) => header.source === partner);
  if (own.length === 0) return [];
  const rows = await db.query<{ id: Uint8Array; voided: boolean }>(
    "SELECT id, voided_at IS NOT NULL AS voided FROM batches WHERE id = ANY ($1::bytea[])",
    [bytesList(own.map(({ id }) => id))],
  );
  const known = new Map(rows.map(({ id, voided }) => [hexOf(id), voided]));
  return own.flatMap(({ id, at }): UnknownSignature[] => {
    if (known.get(id) === false) return [];
    return [{ call: "open", batch: id, at, why: known.has(id) ? "given up here" : "not signed here" }];
  });
}

const rejectionsSchema = z.array(z.object({ reason: parsedBy(z.string(), (code) => parseReason(code)) }));

/**
 * Batches to this partner that were settled or rejected, and not as this relay has decided: the number of rejections and
 * their reasons are compared, for which of the transfers they are stands in the payload only.
 */
export async function unknownSettlements(
  db: Queryable,
  partner: PartnerId,
  finished: readonly FinalBatch[],
): Promise<readonly UnknownSignature[]> {
  const answered = new Map(finished.flatMap((batch) => (batch.status === "expired" ? [] : [[batch.id, batch]])));
  if (answered.size === 0) return [];
  const rows = await db.query<{ id: Uint8Array; rejections: unknown }>(
    `SELECT l.id, d.rejections FROM ledger_batches l LEFT JOIN decisions d ON d.batch = l.id
     WHERE l.target = $1 AND l.id = ANY ($2::bytea[]) ORDER BY l.final_block, l.final_log`,
    [partner, bytesList([...answered.keys()])],
  );
  return rows.flatMap(({ id, rejections }): UnknownSignature[] => {
    const batch = answered.get(hexOf(id));
    if (batch === undefined) return [];
    const { at } = batch;
    if (rejections === null) return [{ call: "settle", batch: batch.id, at, why: "not decided here" }];
    const decided = parseWire(rejectionsSchema, rejections, "decisions.rejections").map(({ reason }) =>
      reasonToBytes4(reason),
    );
    const found = batch.rejected.map(({ code }) => code);
    if (decided.sort().join() === found.sort().join()) return [];
    return [{ call: "settle", batch: batch.id, at, why: "decided otherwise here" }];
  });
}

/** How many signatures were found since a time that this relay does not know, by call. */
export async function countUnknownSignatures(db: Queryable, sinceMs: number): Promise<ReadonlyMap<SignedCall, number>> {
  const rows = await db.query<{ call: SignedCall; count: bigint }>(
    `SELECT data->>'call' AS call, sum((data->>'count')::bigint) AS count FROM events
     WHERE type = 'signature.unknown' AND at >= $1 GROUP BY data->>'call'`,
    [sinceMs],
  );
  return new Map(rows.map(({ call, count }) => [call, numberOf(count)]));
}
