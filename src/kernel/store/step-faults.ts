import type { Queryable } from "./database.ts";
import { numberOf } from "./values.ts";

/** What became of the last attempt at something that has no row of its own with a place for it. */
export interface StepFault {
  /** How many have failed, one after the other. */
  readonly attempts: number;
  /** Not tried again before. Milliseconds since the epoch. */
  readonly dueAt: number;
  readonly error: string;
}

/** What has not come up again for so long is forgotten: it is no more there. */
const FORGOTTEN_AFTER_MS = 86_400_000;

/** A step's, by item. */
export async function stepFaults(db: Queryable, step: string): Promise<ReadonlyMap<string, StepFault>> {
  const rows = await db.query<{ item: string; attempts: number; due_at: bigint; last_error: string }>(
    "SELECT item, attempts, due_at, last_error FROM step_faults WHERE step = $1",
    [step],
  );
  return new Map(
    rows.map(({ item, attempts, due_at, last_error }) => [
      item,
      { attempts, dueAt: numberOf(due_at), error: last_error },
    ]),
  );
}

export async function recordFault(db: Queryable, step: string, item: string, fault: StepFault): Promise<void> {
  const { attempts, dueAt, error } = fault;
  await db.query("DELETE FROM step_faults WHERE step = $1 AND due_at < $2", [step, dueAt - FORGOTTEN_AFTER_MS]);
  await db.query(
    `INSERT INTO step_faults (step, item, attempts, due_at, last_error) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (step, item) DO UPDATE
       SET attempts = excluded.attempts, due_at = excluded.due_at, last_error = excluded.last_error`,
    [step, item, attempts, dueAt, error],
  );
}

export async function forgetFault(db: Queryable, step: string, item: string): Promise<void> {
  await db.query("DELETE FROM step_faults WHERE step = $1 AND item = $2", [step, item]);
}
