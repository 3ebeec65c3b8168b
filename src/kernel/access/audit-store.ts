import type { JsonObject } from "../../domain/wire.ts";
import type { Database, Queryable } from "../store/database.ts";
import { epochColumn, nameOf } from "../store/feeds.ts";
import { jsonOf, numberOf } from "../store/values.ts";

/** What an operator did, or tried to. Nothing of it is personal data, and none of it a secret. */
export interface AuditEntry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** An API key's id, or the operating system's user. */
  readonly actor: string;
  /** As `keys.create`. */
  readonly action: string;
  /** What it was done to. */
  readonly subject: string | undefined;
  /** "begun" until it is known: so it stays where the process was killed in between. */
  readonly outcome: string;
  readonly data: JsonObject;
}

/** @returns the entry's number, for `concludeAudit` */
export async function insertAudit(db: Database, entry: AuditEntry): Promise<bigint> {
  return db.transaction(async (tx) => {
    const [row] = await tx.query<{ seq: bigint }>(
      `INSERT INTO audit_log (at, actor, action, subject, outcome, data)
       VALUES ($1, $2, $3, $4, $5, $6::jsonb) RETURNING seq`,
      [entry.at, entry.actor, entry.action, entry.subject ?? null, entry.outcome, jsonOf(entry.data)],
    );
    if (row === undefined) throw new Error("audit_log: an insert returned nothing");
    return row.seq;
  });
}

/** How something came out that was begun. */
export async function concludeAudit(
  db: Queryable,
  seq: bigint,
  { subject, outcome, data }: Pick<AuditEntry, "subject" | "outcome" | "data">,
): Promise<void> {
  await db.query(
    "UPDATE audit_log SET outcome = $2, subject = coalesce($3, subject), data = data || $4::jsonb WHERE seq = $1",
    [seq, outcome, subject ?? null, jsonOf(data)],
  );
}

/** `id` is its permanent name; see feeds.ts. */
export type NumberedAuditEntry = AuditEntry & { readonly seq: bigint; readonly id: string };

/** Entries after a number, in order. One that was begun when it was read is concluded later, under its number. */
export async function auditAfter(db: Queryable, seq: bigint, limit: number): Promise<readonly NumberedAuditEntry[]> {
  const rows = await db.query<
    Omit<NumberedAuditEntry, "at" | "subject" | "id"> & {
      readonly epoch: string;
      readonly at: bigint;
      readonly subject: string | null;
    }
  >(
    `SELECT a.seq, ${epochColumn("audit_log", "a.seq")}, a.at, a.actor, a.action, a.subject, a.outcome, a.data
     FROM audit_log a WHERE a.seq > $1 ORDER BY a.seq LIMIT $2`,
    [seq, limit],
  );
  return rows.map(({ epoch, ...row }) => ({
    ...row,
    id: nameOf("audit_log", epoch, row.seq),
    at: numberOf(row.at),
    subject: row.subject ?? undefined,
  }));
}
