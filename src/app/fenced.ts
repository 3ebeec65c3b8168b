import type { RelayContext } from "../features/context.ts";
import { nothingWatched } from "../features/remittance/watched.ts";
import type { Database, Lease } from "../kernel/store/database.ts";
import { LeaseLost } from "../kernel/store/leases.ts";
import { STEPS_LEASE } from "./leader.ts";

/**
 * What the steps work with while this process leads. Once the lease is not surely held any more, nothing is asked of the
 * database, the ledger, the wallet or others in its name, and no transaction that it began takes effect: a process that
 * was stopped and goes on finds that another one leads.
 */
export function fencedContext(context: RelayContext, lease: Lease): RelayContext {
  const { db, submitter, wallet, providers, peers } = context;
  return {
    ...context,
    db: fencedDatabase(db, lease),
    submitter: guarded(submitter, lease),
    wallet: guarded(wallet, lease),
    providers: guarded(providers, lease),
    peers: guarded(peers, lease),
    // Of another time of leading it would be old.
    watched: nothingWatched(context.watched.latest),
  };
}

/** The database as the holder of a lease uses it. */
export function fencedDatabase(db: Database, lease: Lease): Database {
  return {
    ...db,
    async query(sql, values) {
      requireHeld(lease);
      return db.query(sql, values);
    },
    async transaction(work) {
      requireHeld(lease);
      return db.transaction(async (tx) => {
        await lease.fence(tx);
        return work(tx);
      });
    },
  };
}

function requireHeld(lease: Lease): void {
  if (!lease.isHeld()) throw new LeaseLost(STEPS_LEASE);
}

/** The same object, whose methods do nothing but throw once they must not be called. */
function guarded<Target extends object>(target: Target, lease: Lease): Target {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== "function") return value;
      return (...given: unknown[]): unknown => {
        requireHeld(lease);
        return Reflect.apply(value, object, given);
      };
    },
  });
}
