import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import { codeOf } from "../../../kernel/store/faults.ts";
import type { Queryable } from "../../../kernel/store/database.ts";

// Which attempt of an order another one is of. Rows are written with the later attempt, in its transaction, and never change.

/** An attempt that names the one before it. */
export interface Retry {
  readonly earlier: Uetr;
  readonly later: Uetr;
}

/**
 * A statement that writes down which attempts others are of, where the later ones are stored. It fails with
 * `UNIQUE_VIOLATION` where one has been tried again already.
 * @param stored SQL of rows with the `uetr` of later attempts, and when they came as `at`
 * @param parameter the number of the first of two parameters: see `retryParameters`
 */
export function retrying(stored: string, parameter: number): string {
  // In one order everywhere, so that two who try the same again do not wait for each other.
  return `INSERT INTO retries (earlier, later, at)
    SELECT r.earlier, r.later, s.at FROM ${stored} AS s
      JOIN unnest($${parameter}::uuid[], $${parameter + 1}::uuid[]) AS r(earlier, later) ON r.later = s.uetr
    ORDER BY r.earlier`;
}

/** Those of some attempts that name the one before them. */
export function retriesIn(
  attempts: readonly { readonly uetr: Uetr; readonly retryOf?: Uetr | undefined }[],
): readonly Retry[] {
  return attempts.flatMap(({ uetr, retryOf }) => (retryOf === undefined ? [] : [{ earlier: retryOf, later: uetr }]));
}

export function retryParameters(retries: readonly Retry[]): [readonly Uetr[], readonly Uetr[]] {
  return [retries.map(({ earlier }) => earlier), retries.map(({ later }) => later)];
}

/** Error code of PostgreSQL: of what may be once, there is another one. */
const UNIQUE_VIOLATION = "23505";

/** Whether a statement has failed as somebody else has tried an attempt again meanwhile. */
export function isTriedAgain(failure: unknown): boolean {
  return codeOf(failure) === UNIQUE_VIOLATION;
}

/** By the attempt that was tried again, the later one. */
export async function findRetries(db: Queryable, earlier: readonly Uetr[]): Promise<ReadonlyMap<Uetr, Uetr>> {
  const rows = await db.query<{ earlier: string; later: string }>(
    "SELECT earlier, later FROM retries WHERE earlier = ANY ($1::uuid[])",
    [earlier],
  );
  return new Map(rows.map((row) => [parseUetr(row.earlier), parseUetr(row.later)]));
}
