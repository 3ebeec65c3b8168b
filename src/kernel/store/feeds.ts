import type { Queryable } from "./database.ts";

// What readers follow by number: events and the audit log. Two rules hold for each of them. Rows become visible in the
// order of their numbers, so that who has seen one has seen all below it. And a name that a row was once given, of an
// epoch and a number, is never given to another row, whatever the database was restored to: see 0008-feeds.sql. The
// database keeps both: whoever adds rows has the feed alone to the end of the transaction, of which that is to be the
// last statement.

export type Feed = "events" | "audit_log";

/** How a feed's rows are named: `evt_<epoch>_<number>`. */
const PREFIXES: Readonly<Record<Feed, string>> = { events: "evt", audit_log: "aud" };
/** Before the first row. */
export const FROM_THE_START = "0";
/** A row's name, or its number alone: that is what rows were named by before there were epochs. */
const CURSOR = /^(?:(?<prefix>[a-z]{3})_(?:(?<epoch>[0-9a-f]{12})_)?)?(?<seq>[0-9]{1,15})$/;

/** For a statement: the epoch of a row, from its number. */
export function epochColumn(feed: Feed, seq: string): string {
  return `coalesce((SELECT f.epoch FROM feed_epochs f WHERE f.feed = '${feed}' AND f.after_seq < ${seq}
    ORDER BY f.after_seq DESC LIMIT 1), '') AS epoch`;
}

export function nameOf(feed: Feed, epoch: string, seq: bigint): string {
  return epoch === "" ? `${PREFIXES[feed]}_${seq}` : `${PREFIXES[feed]}_${epoch}_${seq}`;
}

/** Where a reader is who keeps a cursor. */
export type ReaderPlace =
  /** What comes next has a number above this one; `cursor` is the same place by its name. */
  | { readonly kind: "here"; readonly seq: bigint; readonly cursor: string }
  /** What it has read last is not there any more, and never was in this history. All up to `goOn` is as it was read. */
  | { readonly kind: "lost"; readonly goOn: string };

interface Epoch {
  readonly epoch: string;
  readonly afterSeq: bigint;
}

interface FeedState {
  /** In their order; the first one is that before there were epochs. */
  readonly epochs: readonly Epoch[];
  readonly head: bigint;
}

/**
 * Finds a reader's place from the cursor that it keeps.
 * @returns undefined when the text is none of a cursor of this feed
 */
export async function findPlace(db: Queryable, feed: Feed, cursor: string): Promise<ReaderPlace | undefined> {
  const { prefix = PREFIXES[feed], epoch = "", seq } = CURSOR.exec(cursor)?.groups ?? {};
  if (seq === undefined || prefix !== PREFIXES[feed]) return undefined;
  const state = await readState(db, feed);
  const wanted = BigInt(seq);
  const named = (place: bigint): string => cursorAt(feed, state, place);
  if (wanted === 0n) return { kind: "here", seq: 0n, cursor: FROM_THE_START };
  const index = state.epochs.findIndex((each) => each.epoch === epoch);
  const own = state.epochs[index];
  // An epoch that this database has not had: how far it went together with this one, nobody can tell.
  if (own === undefined || wanted <= own.afterSeq) return { kind: "lost", goOn: FROM_THE_START };
  const last = state.epochs[index + 1]?.afterSeq ?? state.head;
  return wanted <= last ? { kind: "here", seq: wanted, cursor: named(wanted) } : { kind: "lost", goOn: named(last) };
}

/** The place after the last row. */
export async function headOf(db: Queryable, feed: Feed): Promise<{ readonly seq: bigint; readonly cursor: string }> {
  const state = await readState(db, feed);
  return { seq: state.head, cursor: cursorAt(feed, state, state.head) };
}

/** The number of the row that has this name; undefined where none has. */
export async function findNamed(db: Queryable, feed: Feed, name: string): Promise<bigint | undefined> {
  const place = await findPlace(db, feed, name);
  return place?.kind === "here" && place.seq > 0n ? place.seq : undefined;
}

function cursorAt(feed: Feed, { epochs }: FeedState, seq: bigint): string {
  if (seq === 0n) return FROM_THE_START;
  return nameOf(feed, epochs.findLast(({ afterSeq }) => afterSeq < seq)?.epoch ?? "", seq);
}

async function readState(db: Queryable, feed: Feed): Promise<FeedState> {
  // One statement: both are as of one moment. A feed's name is that of its table.
  const rows = await db.query<{ epoch: string | null; after_seq: bigint | null; head: bigint }>(
    `SELECT f.epoch, f.after_seq, h.head FROM (SELECT coalesce(max(seq), 0) AS head FROM ${feed}) AS h
     LEFT JOIN feed_epochs f ON f.feed = $1 ORDER BY f.after_seq`,
    [feed],
  );
  const epochs = rows.flatMap(({ epoch, after_seq: afterSeq }) =>
    epoch === null || afterSeq === null ? [] : [{ epoch, afterSeq }],
  );
  const head = rows[0]?.head ?? 0n;
  const hasEarlier = (epochs[0]?.afterSeq ?? head) > 0n;
  return { epochs: hasEarlier ? [{ epoch: "", afterSeq: 0n }, ...epochs] : epochs, head };
}
