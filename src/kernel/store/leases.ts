import { hostname } from "node:os";
import { stopwatchMs, type StopwatchMs } from "../clock/clock.ts";
import type { Lease, Queryable } from "./database.ts";

// Leases as rows, by the database's clock: no session is needed, so that any pooler may be in between, and a holder that
// is stopped, cut off or gone loses its lease after a while, whether or not its connection is still there.

/** How long a lease lasts without being renewed. */
const LEASE_MS = 5_000;

/** Shared by every transaction that is tied to a lease; whoever takes it over needs it alone, and does not wait for it. */
const LOCK = "hashtextextended(current_schema() || '.lease.' || $1, 0)";
// A CASE, for the lock must not be tried while the lease is held: that would break in on its holder.
const TAKE = `WITH free AS (
    SELECT name FROM leases WHERE name = $1
      AND CASE WHEN expires_at <= clock_timestamp() THEN pg_try_advisory_xact_lock(${LOCK}) ELSE false END
    FOR UPDATE SKIP LOCKED
  )
  UPDATE leases SET epoch = epoch + 1, holder = $2, expires_at = clock_timestamp() + $3 * interval '1 millisecond'
  FROM free WHERE leases.name = free.name RETURNING epoch`;
const RENEW = `UPDATE leases SET expires_at = clock_timestamp() + $3 * interval '1 millisecond'
  WHERE name = $1 AND epoch = $2 RETURNING epoch`;
const RELEASE = "UPDATE leases SET expires_at = '-infinity' WHERE name = $1 AND epoch = $2";
// What is read may be older than the lock; but a lease that was taken over after that had run out before.
const FENCE = `SELECT epoch FROM leases WHERE name = $1 AND epoch = $2 AND expires_at > clock_timestamp()
  AND pg_try_advisory_xact_lock_shared(${LOCK})`;

/** Work that only the holder of a lease may do was not done: the lease is another's by now, or may be. */
export class LeaseLost extends Error {
  readonly code = "LEASE_LOST";

  constructor(name: string) {
    super(`the lease "${name}" is lost: another process may have it`);
    this.name = "LeaseLost";
  }
}

/**
 * Takes a lease that nobody has, or whose time is over.
 * @returns undefined where another holder has it, or is in the middle of a transaction that it began with it
 */
export async function takeLease(
  db: Queryable,
  name: string,
  nowMs: StopwatchMs = stopwatchMs,
): Promise<Lease | undefined> {
  await db.query("INSERT INTO leases (name) VALUES ($1) ON CONFLICT (name) DO NOTHING", [name]);
  const takenMs = nowMs();
  const [row] = await db.query<{ epoch: bigint }>(TAKE, [name, `${hostname()}:${process.pid}`, LEASE_MS]);
  return row === undefined ? undefined : holdLease({ db, name, epoch: row.epoch, takenMs, nowMs });
}

interface Taken {
  readonly db: Queryable;
  readonly name: string;
  readonly epoch: bigint;
  readonly takenMs: number;
  readonly nowMs: StopwatchMs;
}

function holdLease({ db, name, epoch, takenMs, nowMs }: Taken): Lease {
  // From before the database was asked, which counts from later.
  let untilMs = takenMs + LEASE_MS;
  let ended = false;
  const isHeld = (): boolean => {
    // Once late, always late: what was begun under it may have been done by another.
    ended ||= nowMs() >= untilMs;
    return !ended;
  };
  return {
    epoch,
    isHeld,
    async renew() {
      const askedMs = nowMs();
      if (!isHeld()) return false;
      const renewed = await db.query(RENEW, [name, epoch, LEASE_MS]);
      if (renewed.length === 0) ended = true;
      if (isHeld()) untilMs = askedMs + LEASE_MS;
      return isHeld();
    },
    async fence(tx) {
      if (isHeld() && (await tx.query(FENCE, [name, epoch])).length > 0) return;
      ended = true;
      throw new LeaseLost(name);
    },
    async release() {
      ended = true;
      // Where the database cannot be asked, its time ends by itself. Of a later epoch, it is another's.
      await db.query(RELEASE, [name, epoch]).catch(() => undefined);
    },
  };
}
