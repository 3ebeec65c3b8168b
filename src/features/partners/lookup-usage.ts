import type { Queryable } from "../../kernel/store/database.ts";

export interface LookupLimits {
  readonly perMinute: number;
  readonly perDay: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * Counts a look-up of somebody's, in all processes that share the database, unless that would be one too many.
 * @returns 0 when it was counted; otherwise after how many milliseconds it would be
 */
export async function countLookup(
  db: Queryable,
  asker: string,
  { perMinute, perDay }: LookupLimits,
  nowMs: number,
): Promise<number> {
  const minute = Math.floor(nowMs / MINUTE_MS);
  const day = Math.floor(nowMs / DAY_MS);
  const [counted] = await db.query(
    `INSERT INTO lookup_usage AS u (asker, minute, in_minute, day, in_day) VALUES ($1, $2, 1, $3, 1)
     ON CONFLICT (asker) DO UPDATE SET
       minute = $2, in_minute = CASE WHEN u.minute = $2 THEN u.in_minute + 1 ELSE 1 END,
       day = $3, in_day = CASE WHEN u.day = $3 THEN u.in_day + 1 ELSE 1 END
     WHERE (u.minute <> $2 OR u.in_minute < $4) AND (u.day <> $3 OR u.in_day < $5)
     RETURNING asker`,
    [asker, minute, day, perMinute, perDay],
  );
  if (counted !== undefined) return 0;
  const [used] = await db.query<{ in_day: number }>("SELECT in_day FROM lookup_usage WHERE asker = $1 AND day = $2", [
    asker,
    day,
  ]);
  const isDayOver = (used?.in_day ?? 0) >= perDay;
  return isDayOver ? (day + 1) * DAY_MS - nowMs : (minute + 1) * MINUTE_MS - nowMs;
}
