import type { Hex } from "../domain/bytes/hex.ts";
import { parseUetr, type Uetr } from "../domain/uetr.ts";
import type { JsonObject } from "../domain/wire.ts";
import type { Queryable } from "./database.ts";
import { hexDigits, hexOf, numberOf } from "./values.ts";

/** Something that happened, as it is written down. */
export interface NewEvent {
  /** Names with points, as transfer.settled. */
  readonly type: string;
  readonly uetr?: Uetr | undefined;
  readonly batch?: Hex | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Where it stands on the ledger, if that is where it comes from. */
  readonly ledger?: { readonly block: number; readonly logIndex: number } | undefined;
  /** Never personal data: events are kept. */
  readonly data: JsonObject;
}

export interface StoredEvent {
  /** The relay's own count: who has seen one has seen all below it. There may be gaps. */
  readonly seq: bigint;
  readonly type: string;
  readonly uetr: Uetr | undefined;
  readonly batch: Hex | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ledger: { readonly block: number; readonly logIndex: number } | undefined;
  readonly data: JsonObject;
}

/** The columns of events that `eventOf` reads. */
export const EVENT_COLUMNS = "seq, type, uetr, batch, at, block, log_index, data";

export interface EventRow {
  readonly seq: bigint;
  readonly type: string;
  readonly uetr: string | null;
  readonly batch: Uint8Array | null;
  readonly at: bigint;
  readonly block: bigint | null;
  readonly log_index: number | null;
  readonly data: JsonObject;
}

/**
 * Writes events down, in their order. From here to the end of the transaction nobody else can, so that numbers become
 * visible in their order; make it the transaction's last statement.
 * @param tx a transaction, not the database
 * @returns their numbers, in the order given
 */
export async function appendEvents(tx: Queryable, events: readonly NewEvent[]): Promise<readonly bigint[]> {
  if (events.length === 0) return [];
  await tx.query("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.events', 0))");
  const rows = events.map(({ type, uetr, batch, at, ledger, data }) => ({
    type,
    uetr,
    batch: batch === undefined ? undefined : hexDigits(batch),
    at,
    block: ledger?.block,
    log: ledger?.logIndex,
    data,
  }));
  const stored = await tx.query<{ seq: bigint }>(
    `INSERT INTO events (type, uetr, batch, at, block, log_index, data)
     SELECT e.type, e.uetr, decode(e.batch, 'hex'), e.at, e.block, e.log, e.data
     FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (type text, uetr uuid, batch text, at bigint, block bigint,
       log integer, data jsonb)) WITH ORDINALITY AS e(type, uetr, batch, at, block, log, data, place)
     ORDER BY e.place RETURNING seq`,
    [JSON.stringify(rows)],
  );
  return stored.map(({ seq }) => seq);
}

/**
 * A page of events in their order: those after a number.
 * @param types only these; all when left out
 */
export async function eventsAfter(
  db: Queryable,
  after: bigint,
  limit: number,
  types?: readonly string[],
): Promise<readonly StoredEvent[]> {
  const rows = await db.query<EventRow>(
    types === undefined
      ? `SELECT ${EVENT_COLUMNS} FROM events WHERE seq > $1 ORDER BY seq LIMIT $2`
      : `SELECT ${EVENT_COLUMNS} FROM events
         WHERE seq > $1 AND type IN (SELECT jsonb_array_elements_text($3::jsonb)) ORDER BY seq LIMIT $2`,
    [after, limit, ...(types === undefined ? [] : [JSON.stringify(types)])],
  );
  return rows.map(eventOf);
}

/** The number of the last event, 0 before the first: where a reader begins who wants only what is to come. */
export async function lastEventSeq(db: Queryable): Promise<bigint> {
  const [row] = await db.query<{ seq: bigint }>("SELECT coalesce(max(seq), 0) AS seq FROM events");
  return row?.seq ?? 0n;
}

export function eventOf({ seq, type, uetr, batch, at, block, log_index: logIndex, data }: EventRow): StoredEvent {
  return {
    seq,
    type,
    uetr: uetr === null ? undefined : parseUetr(uetr),
    batch: batch === null ? undefined : hexOf(batch),
    at: numberOf(at),
    ledger: block === null || logIndex === null ? undefined : { block: numberOf(block), logIndex },
    data,
  };
}
