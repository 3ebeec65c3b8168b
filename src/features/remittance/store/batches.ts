import type { Authorization, SignedAcceptance } from "../../../domain/typed-data.ts";
import type { BatchHeader } from "../../../domain/batch.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import { authorizationSchema, headerSchema, parseWire, signedAcceptanceSchema, toJson } from "../../../domain/wire.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { givingBack, lockQuotes } from "../../pricing/store/reservations.ts";
import { bytesOf, hexOf, numberOf, turnOf } from "../../../kernel/store/values.ts";
import type { Ledger } from "../../../ledger/contracts.ts";
import { BATCHED, leaveInBatch, ofAnyIn, ranging } from "./batch-ranges.ts";
import { isOnTreasury, registryColumn, registryOf, treasuryParameters } from "./registries.ts";
import { queueing } from "./waiting-transfers.ts";

/** A batch that this relay has made as source. */
export interface NewBatch {
  readonly id: Hex;
  /** Whose signature it is for; undefined for the ledger's first. */
  readonly registry: Hex | undefined;
  readonly header: BatchHeader;
  /** Undefined where its target is asked about it first. */
  readonly send: Authorization | undefined;
  readonly quote: Authorization;
}

/** One that it has signed, with all that opens it. */
export interface SignedBatch extends NewBatch {
  readonly send: Authorization;
}

/**
 * Writes a batch with its transfers.
 * @param transfers their `seq`
 * @returns false when one of them has been cancelled, failed or put into another batch meanwhile: the transaction must
 * be given up
 */
export async function insertBatch(
  tx: Queryable,
  { id, registry, header, send, quote }: NewBatch,
  transfers: readonly bigint[],
  nowMs: number,
): Promise<boolean> {
  await tx.query(
    `INSERT INTO batches (id, target, header, send_signature, quote_signature, signed_at, registry)
     VALUES ($1, $2, $3::jsonb, $4::jsonb, $5::jsonb, $6, $7)`,
    [
      bytesOf(id),
      header.target,
      JSON.stringify(toJson(header)),
      send === undefined ? null : JSON.stringify(send),
      JSON.stringify(quote),
      nowMs,
      registryColumn(registry),
    ],
  );
  const [taken] = await tx.query<{ transfers: number }>(
    `WITH taken AS (
       DELETE FROM waiting WHERE seq = ANY ($2::bigint[]) RETURNING seq
     ), ranged AS (
       ${ranging("taken")}
     ) SELECT count(*)::integer AS transfers FROM taken`,
    [bytesOf(id), transfers],
  );
  return taken?.transfers === transfers.length;
}

interface SignedRow {
  readonly id: Uint8Array;
  readonly registry: Uint8Array | null;
  readonly header: unknown;
  readonly send_signature: unknown;
  readonly quote_signature: unknown;
}

/** A signed batch of which the ledger is not known to have heard. */
export interface UnopenedBatch extends SignedBatch {
  /** With it, it opens and settles in one step. */
  readonly acceptance: SignedAcceptance | undefined;
  /** How often submitting it has failed. */
  readonly attempts: number;
  /** Whether it has never been submitted, as far as is known. */
  readonly isNew: boolean;
}

/** Those that are due for an attempt: new ones, the oldest first, in turns with what has failed. */
export async function batchesToOpen(db: Queryable, nowMs: number, limit: number): Promise<readonly UnopenedBatch[]> {
  const rows = await db.query<
    SignedRow & { readonly acceptance: unknown; readonly open_attempts: number; readonly is_new: boolean }
  >(
    `SELECT id, registry, header, send_signature, quote_signature, acceptance, open_attempts,
       open_due_at = 0 AS is_new FROM (
       SELECT *, ${turnOf("open_attempts", "open_due_at, signed_at, id")} FROM batches
       WHERE NOT on_ledger AND voided_at IS NULL AND send_signature IS NOT NULL AND open_due_at <= $1) AS due
     ORDER BY turn, open_attempts, id LIMIT $2`,
    [nowMs, limit],
  );
  return rows.map((row) => ({
    ...signedOf(row),
    acceptance:
      row.acceptance === null ? undefined : parseWire(signedAcceptanceSchema, row.acceptance, "batches.acceptance"),
    attempts: row.open_attempts,
    isNew: row.is_new,
  }));
}

/** What there is of signed batches of which the ledger is not known to have heard. */
export interface Unopened {
  /** When the next one is due to be submitted. Milliseconds since the epoch. */
  readonly dueMs: number;
  /** Whether one may be past its chance at the block that was read last; see `batchesPastChance`. */
  readonly isPastChance: boolean;
}

/** Undefined where there is none. */
export async function readUnopened(db: Queryable): Promise<Unopened | undefined> {
  const [row] = await db.query<{ due: bigint | null; past: boolean | null }>(
    `SELECT min(open_due_at) AS due, bool_or(${pastChance("c.block_time_s")}) AS past
     FROM batches LEFT JOIN ledger_cursor c ON true
     WHERE NOT on_ledger AND voided_at IS NULL AND send_signature IS NOT NULL`,
  );
  if (row === undefined || row.due === null) return undefined;
  return { dueMs: numberOf(row.due), isPastChance: row.past === true };
}

/** Records an attempt, and when there may be another; with the error where it failed. */
export async function recordOpenAttempt(
  db: Queryable,
  id: Hex,
  dueAtMs: number,
  error: string | undefined,
): Promise<void> {
  await db.query(
    `UPDATE batches SET open_attempts = open_attempts + $3, open_due_at = $2, open_error = $4
     WHERE id = $1 AND NOT on_ledger`,
    [bytesOf(id), dueAtMs, error === undefined ? 0 : 1, error ?? null],
  );
}

/**
 * Marks a batch that the ledger does not open as its provider cannot deliver.
 * @returns whether it was not marked before
 */
export async function markProviderFault(tx: Queryable, id: Hex, fault: string): Promise<boolean> {
  const marked = await tx.query(
    "UPDATE batches SET provider_fault = $2 WHERE id = $1 AND provider_fault IS NULL RETURNING id",
    [bytesOf(id), fault],
  );
  return marked.length > 0;
}

/** Signed batches of which the ledger is not known to have heard, by what ends their chance to be opened. */
export interface ExpiringBatch {
  readonly id: Hex;
  /** Whose signature it is for; undefined for the ledger's first. */
  readonly registry: Hex | undefined;
  readonly target: number;
  /** Seconds of ledger time. */
  readonly expiresAt: number;
  /** Seconds of block time; undefined without a quote. */
  readonly quoteValidUntil: number | undefined;
}

/** At a block time, in seconds. */
const pastChance = (blockTime: string): string =>
  `(header->>'expiresAt')::bigint <= ${blockTime}
   OR ((header->'quote'->>'provider')::integer <> 0 AND (header->'quote'->>'validUntil')::bigint < ${blockTime})`;

/** Those that may be past it at a block time: ledger time is never ahead of it. */
export async function batchesPastChance(db: Queryable, blockTimeSeconds: number): Promise<readonly ExpiringBatch[]> {
  const rows = await db.query<{
    id: Uint8Array;
    registry: Uint8Array | null;
    target: number;
    expires: bigint;
    valid: bigint;
    provider: number;
  }>(
    `SELECT id, registry, target, (header->>'expiresAt')::bigint AS expires,
       (header->'quote'->>'validUntil')::bigint AS valid, (header->'quote'->>'provider')::integer AS provider
     FROM batches
     WHERE NOT on_ledger AND voided_at IS NULL AND send_signature IS NOT NULL AND (${pastChance("$1::bigint")})`,
    [blockTimeSeconds],
  );
  return rows.map(({ id, registry, target, expires, valid, provider }) => ({
    id: hexOf(id),
    registry: registryOf(registry),
    target,
    expiresAt: numberOf(expires),
    quoteValidUntil: provider === 0 ? undefined : numberOf(valid),
  }));
}

/** What becomes of the transfers of a batch that is void, each in the order of their acceptance. */
export interface VoidedBatch {
  readonly failed: readonly Uetr[];
  /** They wait for another batch. */
  readonly requeued: readonly Uetr[];
}

/** How often a transfer is given another batch, as the provider of one did not deliver. */
const MOST_REQUEUED = 3;
const MOST_EXTENDED_MS = 86_400_000;

/**
 * Gives a batch up that can never be opened any more. Where that was its provider's fault, or its registry's, its transfers
 * wait again, with what they reserved, and for as much longer as they were in it. The others fail, and what they reserved
 * of the quote is given back.
 * @param isRegistrysFault the registry that it was signed for opens nothing
 * @returns undefined when it is on the ledger or void
 */
export async function voidBatch(
  tx: Queryable,
  id: Hex,
  isRegistrysFault: boolean,
  nowMs: number,
): Promise<VoidedBatch | undefined> {
  const [voided] = await tx.query<{ provider_fault: string | null; signed_at: bigint }>(
    `UPDATE batches SET voided_at = $2 WHERE id = $1 AND NOT on_ledger AND voided_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM ledger_batches l WHERE l.id = $1) RETURNING provider_fault, signed_at`,
    [bytesOf(id), nowMs],
  );
  if (voided === undefined) return undefined;
  const members = await tx.query<Member>(
    `SELECT t.seq, t.uetr, t.requeued FROM ${BATCHED} WHERE r.batch = $1 ORDER BY t.seq`,
    [bytesOf(id)],
  );
  const [priced] = await tx.query<{ quote: Uint8Array | null }>(`SELECT ${ofAnyIn("provider_quote", "$1")} AS quote`, [
    bytesOf(id),
  ]);
  if (priced !== undefined && priced.quote !== null) await lockQuotes(tx, [hexOf(priced.quote)]);
  const isTheirs = voided.provider_fault === null && !isRegistrysFault;
  const [failed, requeued] = [
    members.filter((member) => isTheirs || member.requeued >= MOST_REQUEUED),
    members.filter((member) => !isTheirs && member.requeued < MOST_REQUEUED),
  ];
  if (requeued.length > 0) {
    await leaveInBatch(tx, id, seqsOf(failed));
    const inItMs = Math.min(Math.max(0, nowMs - numberOf(voided.signed_at)), MOST_EXTENDED_MS);
    await requeue(tx, seqsOf(requeued), inItMs);
  }
  await tx.query(givingBack("(SELECT * FROM transfers WHERE seq = ANY ($1::bigint[])) AS failed"), [seqsOf(failed)]);
  return { failed: uetrsOf(failed), requeued: uetrsOf(requeued) };
}

interface Member {
  readonly seq: bigint;
  readonly uetr: string;
  readonly requeued: number;
}

function seqsOf(members: readonly Member[]): readonly bigint[] {
  return members.map(({ seq }) => seq);
}

function uetrsOf(members: readonly Member[]): readonly Uetr[] {
  return members.map(({ uetr }) => parseUetr(uetr));
}

async function requeue(tx: Queryable, transfers: readonly bigint[], longerMs: number): Promise<void> {
  await tx.query(
    `WITH moved AS (
       UPDATE transfers SET requeued = requeued + 1, expires_at = expires_at + $2
       WHERE seq = ANY ($1::bigint[]) RETURNING *
     ) ${queueing("moved")}`,
    [transfers, longerMs],
  );
}

/**
 * What batches that are not on the ledger yet will take of a currency's money, in minor units, in the treasury
 * where new batches take theirs from.
 */
export async function unopenedMoney(
  db: Queryable,
  ledger: Pick<Ledger, "addresses">,
): Promise<ReadonlyMap<number, bigint>> {
  const rows = await db.query<{ currency: number; minor: bigint }>(
    `SELECT (header->>'sourceCurrency')::integer AS currency,
       sum((header->>'sourceTotal')::numeric + (header->>'fee')::numeric) AS minor
     FROM batches WHERE NOT on_ledger AND voided_at IS NULL AND ${isOnTreasury("registry", 1)} GROUP BY currency`,
    treasuryParameters(ledger),
  );
  return new Map(rows.map(({ currency, minor }) => [currency, minor]));
}

/** Target minor units that the same batches will take of a provider. */
export async function unopenedOfProvider(
  db: Queryable,
  ledger: Pick<Ledger, "addresses">,
  provider: number,
  targetCurrency: number,
): Promise<bigint> {
  const [row] = await db.query<{ minor: bigint }>(
    `SELECT coalesce(sum((header->>'targetTotal')::numeric), 0) AS minor FROM batches
     WHERE NOT on_ledger AND voided_at IS NULL AND ${isOnTreasury("registry", 1)}
       AND (header->'quote'->>'provider')::integer = $3 AND (header->>'targetCurrency')::integer = $4`,
    [...treasuryParameters(ledger), provider, targetCurrency],
  );
  return row?.minor ?? 0n;
}

/** The source totals of signed batches of a corridor that are not on the ledger yet, in minor units. */
export async function unopenedOfCorridor(
  db: Queryable,
  { target, sourceCurrency, targetCurrency }: Pick<BatchHeader, "target" | "sourceCurrency" | "targetCurrency">,
): Promise<bigint> {
  const [row] = await db.query<{ minor: bigint }>(
    `SELECT coalesce(sum((header->>'sourceTotal')::numeric), 0) AS minor FROM batches
     WHERE NOT on_ledger AND voided_at IS NULL AND target = $1 AND (header->>'sourceCurrency')::integer = $2
       AND (header->>'targetCurrency')::integer = $3`,
    [target, sourceCurrency, targetCurrency],
  );
  return row?.minor ?? 0n;
}

function signedOf(row: SignedRow): SignedBatch {
  return {
    id: hexOf(row.id),
    registry: registryOf(row.registry),
    header: parseWire(headerSchema, row.header, "batches.header"),
    send: parseWire(authorizationSchema, row.send_signature, "batches.send_signature"),
    quote: parseWire(authorizationSchema, row.quote_signature, "batches.quote_signature"),
  };
}

/** Batches that were proposed or signed between two times and are not known to be on the ledger yet, by their target partner. */
export async function batchesOnTheirWay(
  db: Queryable,
  afterMs: number,
  untilMs: number,
): Promise<ReadonlyMap<number, number>> {
  const rows = await db.query<{ target: number; batches: number }>(
    `SELECT target, count(*)::integer AS batches FROM batches
     WHERE NOT on_ledger AND voided_at IS NULL AND signed_at > $1 AND signed_at <= $2 GROUP BY target`,
    [afterMs, untilMs],
  );
  return new Map(rows.map(({ target, batches }) => [target, batches]));
}
