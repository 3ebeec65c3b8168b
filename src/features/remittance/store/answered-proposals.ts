import type { Hex } from "../../../domain/bytes/hex.ts";
import type { PartnerId } from "../../../domain/partner.ts";
import type { ReasonCode } from "../../../domain/reason.ts";
import type { Uetr } from "../../../domain/uetr.ts";
import { parseWire } from "../../../domain/wire.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { bytesOf, numberOf } from "../../../kernel/store/values.ts";
import { rejectionsJson, rejectionsSchema } from "./decisions.ts";

/** What this relay has answered to a batch that another proposed. */
export interface ProposalOutcome {
  /** None where it was accepted. */
  readonly rejections: ReadonlyMap<Uetr, ReasonCode>;
  /** Until when, in seconds of block time. */
  readonly acceptedUntil: number;
}

export async function answeredProposal(db: Queryable, batch: Hex): Promise<ProposalOutcome | undefined> {
  const [row] = await db.query<{ rejections: unknown; accepted_until_s: bigint }>(
    "SELECT rejections, accepted_until_s FROM answered_proposals WHERE batch = $1",
    [bytesOf(batch)],
  );
  if (row === undefined) return undefined;
  const rejections = parseWire(rejectionsSchema, row.rejections, "answered_proposals.rejections");
  return {
    rejections: new Map(rejections.map(({ uetr, reason }) => [uetr, reason])),
    acceptedUntil: numberOf(row.accepted_until_s),
  };
}

/** Longer than a request that somebody has recorded is valid. */
const KEPT_MS = 3_600_000;

/** The first answer stays, until nobody can ask for it again. */
export async function insertAnswer(
  tx: Queryable,
  { batch, source, transfers }: { readonly batch: Hex; readonly source: PartnerId; readonly transfers: number },
  { rejections, acceptedUntil }: ProposalOutcome,
  nowMs: number,
): Promise<void> {
  await tx.query(
    `WITH forgotten AS (DELETE FROM answered_proposals WHERE answered_at < $7)
     INSERT INTO answered_proposals (batch, source, transfers, rejections, accepted_until_s, answered_at)
     VALUES ($1, $2, $3, $4::jsonb, $5, $6) ON CONFLICT (batch) DO NOTHING`,
    [bytesOf(batch), source, transfers, rejectionsJson(rejections), acceptedUntil, nowMs, nowMs - KEPT_MS],
  );
}

const MINUTE_MS = 60_000;

/**
 * Counts transfers that are checked for a source partner, in all processes that share the database, unless that would be
 * too many in this minute. Those of batches that have settled since count no longer: they were paid for.
 * @returns whether they were counted
 */
export async function countChecks(
  db: Queryable,
  source: PartnerId,
  transfers: number,
  perMinute: number,
  nowMs: number,
): Promise<boolean> {
  const minute = Math.floor(nowMs / MINUTE_MS);
  if (await addChecks(db, source, transfers, perMinute, minute)) return true;
  await db.query(
    `WITH paid AS (
       UPDATE answered_proposals p SET paid = true FROM ledger_batches l
       WHERE p.source = $1 AND NOT p.paid AND l.id = p.batch AND l.status = 'settled'
       RETURNING p.transfers, p.answered_at
     ) UPDATE proposal_usage SET transfers = greatest(0,
         transfers - (SELECT coalesce(sum(p.transfers), 0) FROM paid p WHERE p.answered_at >= $3)::integer)
       WHERE source = $1 AND minute = $2`,
    [source, minute, minute * MINUTE_MS],
  );
  return addChecks(db, source, transfers, perMinute, minute);
}

async function addChecks(
  db: Queryable,
  source: PartnerId,
  transfers: number,
  perMinute: number,
  minute: number,
): Promise<boolean> {
  if (transfers > perMinute) return false;
  const counted = await db.query(
    `INSERT INTO proposal_usage AS u (source, minute, transfers) VALUES ($1, $2, $3)
     ON CONFLICT (source) DO UPDATE
       SET minute = $2, transfers = CASE WHEN u.minute = $2 THEN u.transfers ELSE 0 END + $3
     WHERE u.minute <> $2 OR u.transfers + $3 <= $4
     RETURNING source`,
    [source, minute, transfers, perMinute],
  );
  return counted.length > 0;
}
