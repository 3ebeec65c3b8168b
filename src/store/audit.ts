import type { JsonObject } from "../domain/wire.ts";
import type { Queryable } from "./database.ts";
import { numberOf } from "./values.ts";

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
export async function insertAudit(db: Queryable, entry: AuditEntry): Promise<bigint> {
  const [row] = await db.query<{ seq: bigint }>(
    `INSERT INTO audit_log (at, actor, action, subject, outcome, data)
     VALUES ($1, $2, $3, $4, $5, $6::jsonb) RETURNING seq`,
    [entry.at, entry.actor, entry.action, entry.subject ?? null, entry.outcome, JSON.stringify(entry.data)],
  );
  if (row === undefined) throw new Error("audit_log: an insert returned nothing");
  return row.seq;
}

/** How something came out that was begun. */
export async function concludeAudit(
  db: Queryable,
  seq: bigint,
  { subject, outcome, data }: Pick<AuditEntry, "subject" | "outcome" | "data">,
): Promise<void> {
  await db.query(
    "UPDATE audit_log SET outcome = $2, subject = coalesce($3, subject), data = data || $4::jsonb WHERE seq = $1",
    [seq, outcome, subject ?? null, JSON.stringify(data)],
  );
}

export type NumberedAuditEntry = AuditEntry & { readonly seq: bigint };

/** Entries after a number, in order. */
export async function auditAfter(db: Queryable, seq: bigint, limit: number): Promise<readonly NumberedAuditEntry[]> {
  const rows = await db.query<
    Omit<NumberedAuditEntry, "at" | "subject"> & { readonly at: bigint; readonly subject: string | null }
  >("SELECT seq, at, actor, action, subject, outcome, data FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT $2", [
    seq,
    limit,
  ]);
  return rows.map((row) => ({
    ...row,
    at: numberOf(row.at),
    subject: row.subject ?? undefined,
  }));
}
