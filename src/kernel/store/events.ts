import type { Hex } from "../../domain/bytes/hex.ts";
import { parseUetr, type Uetr } from "../../domain/uetr.ts";
import type { JsonObject } from "../../domain/wire.ts";
import type { Queryable } from "./database.ts";
import { epochColumn, headOf, nameOf, openFeed } from "./feeds.ts";
import { hexDigits, hexOf, jsonOf, numberOf } from "./values.ts";

/**
 * The types of events, names with points as transfer.settled. Each feature adds those that it writes where it declares
 * them, so that a type that there is not does not compile.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- features add to it, the kernel knows none
export interface EventTypes {}
export type EventType = keyof EventTypes;

/** Something that happened, as it is written down. */
export interface NewEvent {
  readonly type: EventType;
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
  /** Its permanent name: readers keep it, and recognise repeated deliveries by it. */
  readonly id: string;
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

/** The columns of events `e` that `eventOf` reads. */
export const EVENT_COLUMNS = `e.seq, ${epochColumn("events", "e.seq")}, e.type, e.uetr, e.batch, e.at, e.block,
  e.log_index, e.data`;

export interface EventRow {
  readonly seq: bigint;
  readonly epoch: string;
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
  await openFeed(tx, "events");
  const rows = runsOf(events).map(({ head: { type, batch, at, ledger, data }, uetrs }) => ({
    type,
    uetrs,
    batch: batch === undefined ? undefined : hexDigits(batch),
    at,
    block: ledger?.block,
    log: ledger?.logIndex,
    data,
  }));
  const stored = await tx.query<{ seq: bigint }>(
    `INSERT INTO events (type, uetr, batch, at, block, log_index, data)
     SELECT e.type, u.uetr::uuid, decode(e.batch, 'hex'), e.at, e.block, e.log, e.data
     FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (type text, uetrs jsonb, batch text, at bigint, block bigint,
       log integer, data jsonb)) WITH ORDINALITY AS e(type, uetrs, batch, at, block, log, data, place)
       CROSS JOIN LATERAL jsonb_array_elements_text(e.uetrs) WITH ORDINALITY AS u(uetr, place)
     ORDER BY e.place, u.place RETURNING seq`,
    [jsonOf(rows)],
  );
  return stored.map(({ seq }) => seq);
}

/** Events that follow each other and differ by their transfer only: most do, and are sent once. */
interface Run {
  readonly head: NewEvent;
  /** Null for an event of no transfer. */
  readonly uetrs: (Uetr | null)[];
}

function runsOf(events: readonly NewEvent[]): readonly Run[] {
  const runs: Run[] = [];
  for (const event of events) {
    const run = runs.at(-1);
    if (run !== undefined && isAlike(run.head, event)) run.uetrs.push(event.uetr ?? null);
    else runs.push({ head: event, uetrs: [event.uetr ?? null] });
  }
  return runs;
}

function isAlike(one: NewEvent, other: NewEvent): boolean {
  return (
    one.type === other.type &&
    one.batch === other.batch &&
    one.at === other.at &&
    one.ledger?.block === other.ledger?.block &&
    one.ledger?.logIndex === other.ledger?.logIndex &&
    (one.data === other.data || jsonOf(one.data) === jsonOf(other.data))
  );
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
      ? `SELECT ${EVENT_COLUMNS} FROM events e WHERE e.seq > $1 ORDER BY e.seq LIMIT $2`
      : `SELECT ${EVENT_COLUMNS} FROM events e
         WHERE e.seq > $1 AND e.type = ANY ($3::text[]) ORDER BY e.seq LIMIT $2`,
    [after, limit, ...(types === undefined ? [] : [types])],
  );
  return rows.map(eventOf);
}

/** The number of the last event, 0 before the first: where a reader begins who wants only what is to come. */
export async function lastEventSeq(db: Queryable): Promise<bigint> {
  return (await headOf(db, "events")).seq;
}

export function eventOf({
  seq,
  epoch,
  type,
  uetr,
  batch,
  at,
  block,
  log_index: logIndex,
  data,
}: EventRow): StoredEvent {
  return {
    id: nameOf("events", epoch, seq),
    seq,
    type,
    uetr: uetr === null ? undefined : parseUetr(uetr),
    batch: batch === null ? undefined : hexOf(batch),
    at: numberOf(at),
    ledger: block === null || logIndex === null ? undefined : { block: numberOf(block), logIndex },
    data,
  };
}
