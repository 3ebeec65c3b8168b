import type { Hex } from "../../domain/bytes/hex.ts";
import { parseUetr, type Uetr } from "../../domain/uetr.ts";
import type { Json, JsonObject } from "../../domain/wire.ts";
import { chunksOf } from "../steps/chunks.ts";
import type { Queryable } from "./database.ts";
import { epochColumn, headOf, nameOf } from "./feeds.ts";
import { hexDigits, hexOf, jsonOf, numberOf } from "./values.ts";

// Events are written as rows of one, or as runs: what happened to several transfers of a batch at the same moment is one
// row that takes a number for each of them, and is many events again where it is read. See
// docs/adr/0051-runs-of-events.md.

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

/**
 * The same that happened to several transfers of one batch. What was told of a transfer is looked for by its UETR and by its
 * batch: nothing belongs here that is told of a batch which its transfers leave again.
 */
export interface NewEvents extends Omit<NewEvent, "uetr" | "batch"> {
  readonly batch: Hex;
  readonly uetrs: readonly Uetr[];
  /** What each has beside `data`, in the order of the UETRs. */
  readonly own?: readonly JsonObject[] | undefined;
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

/** For a statement: of a row `r` of events the one with a number, as `e`. */
function eventOfRow(number: string): string {
  const place = `(${number} - r.seq + r.size)::integer`;
  return `LATERAL (SELECT ${number} AS seq, r.type, coalesce(r.uetr, r.uetrs[${place}]) AS uetr, r.batch, r.at, r.block,
    r.log_index, CASE WHEN r.own IS NULL THEN r.data ELSE r.data || (r.own -> (${place} - 1)) END AS data) AS e`;
}

/** For a statement: the events `e` after a number. They are in their order by `r.seq, e.seq`, as is found by an index. */
export function eventsFrom(after: string): string {
  return `(SELECT * FROM events WHERE seq > ${after}) AS r
    CROSS JOIN LATERAL generate_series(greatest(r.seq - r.size, ${after}) + 1, r.seq) AS n(seq)
    CROSS JOIN ${eventOfRow("n.seq")}`;
}

/** For a statement: the row of the event with a number, or the first after it where there is none. */
export function rowNumbered(number: string): string {
  return `(SELECT * FROM events WHERE seq >= ${number} ORDER BY seq LIMIT 1)`;
}

/** For a statement: the event with a number, as `e`. */
export function eventNumbered(number: string): string {
  return `LATERAL ${rowNumbered(number)} AS r
    CROSS JOIN ${eventOfRow(number)}`;
}

/**
 * For a statement: rows of `uetr` and `type`, one for each event that there is about some transfers; and about others of
 * their batches, so that they are to be joined by the UETR.
 * @param uetrs and their batches, as arrays
 */
export function eventsAbout(uetrs: string, batches: string): string {
  return `(SELECT one.uetr, one.type FROM events one WHERE one.uetr = ANY (${uetrs})
    UNION ALL
    SELECT each.uetr, run.type FROM events run CROSS JOIN LATERAL unnest(run.uetrs) AS each(uetr)
    WHERE run.batch = ANY (${batches}) AND run.uetrs IS NOT NULL)`;
}

/** The most that one row is: short enough to lie in a table's page as it is. */
const LONGEST_RUN = 64;

/**
 * Writes events down, and numbers them in their order. From here to the end of the transaction nobody else can, so that
 * numbers become visible in their order; make it the transaction's last statement.
 * @param tx a transaction, not the database
 */
export async function appendEvents(tx: Queryable, events: readonly (NewEvent | NewEvents)[]): Promise<void> {
  const rows = events.flatMap((event) => ("uetrs" in event ? runsOf(event) : [rowOf(event)]));
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO events (type, uetr, uetrs, batch, at, block, log_index, data, own)
     SELECT e.type, e.uetr, e.uetrs::uuid[], decode(e.batch, 'hex'), e.at, e.block, e.log, e.data, e.own
     FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (type text, uetr uuid, uetrs text, batch text, at bigint,
       block bigint, log integer, data jsonb, own jsonb)) WITH ORDINALITY
       AS e(type, uetr, uetrs, batch, at, block, log, data, own, place)
     ORDER BY e.place`,
    [jsonOf(rows)],
  );
}

/** How many events it is. */
export function countOf(event: NewEvent | NewEvents): number {
  return "uetrs" in event ? event.uetrs.length : 1;
}

/** Members that are undefined are left out, which is null there. */
function rowOf({ type, uetr, batch, at, ledger, data }: NewEvent): object {
  return {
    type,
    uetr,
    batch: batch === undefined ? undefined : hexDigits(batch),
    at,
    block: ledger?.block,
    log: ledger?.logIndex,
    data,
  };
}

function runsOf({ uetrs, own, ...event }: NewEvents): readonly object[] {
  const places = Array.from(uetrs, (uetr, index) => ({ uetr, more: own?.[index] ?? {} }));
  return chunksOf(places, LONGEST_RUN).map((run) => {
    const { shared, rest } = parted(run.map(({ more }) => more));
    const row = rowOf({
      ...event,
      uetr: run.length === 1 ? run[0]?.uetr : undefined,
      data: { ...event.data, ...shared },
    });
    // One alone is found by its UETR.
    return run.length === 1 ? row : { ...row, uetrs: `{${run.map(({ uetr }) => uetr).join()}}`, own: rest };
  });
}

/** What all have alike, and what is left of each; nothing where that is nothing of any. */
function parted(all: readonly JsonObject[]): {
  readonly shared: JsonObject;
  readonly rest: readonly JsonObject[] | undefined;
} {
  const [first = {}] = all;
  const isShared = ([name, value]: [string, Json]) =>
    all.every((each) => each === first || (Object.hasOwn(each, name) && isAlike(each[name], value)));
  const shared = Object.fromEntries(Object.entries(first).filter(isShared));
  const rest = all.map((each) =>
    Object.fromEntries(Object.entries(each).filter(([name]) => !Object.hasOwn(shared, name))),
  );
  return { shared, rest: rest.every((each) => Object.keys(each).length === 0) ? undefined : rest };
}

function isAlike(one: Json | undefined, other: Json): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
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
      ? `SELECT ${EVENT_COLUMNS} FROM ${eventsFrom("$1::bigint")} ORDER BY r.seq, e.seq LIMIT $2`
      : `SELECT ${EVENT_COLUMNS} FROM ${eventsFrom("$1::bigint")}
         WHERE r.type = ANY ($3::text[]) ORDER BY r.seq, e.seq LIMIT $2`,
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
