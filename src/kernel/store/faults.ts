import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { Database, Queryable, SqlValue } from "./database.ts";

// What PostgreSQL and PGlite have in common in failing.

/**
 * The database cannot be worked with now: it is down, restarting, out of reach, in use by somebody else, or it answers
 * and cannot do its work. What was being committed may or may not have taken effect. Retryable.
 */
export class StoreUnavailable extends Error {
  readonly code = "STORE_UNAVAILABLE";
  readonly retryable = true;
  /** Why it cannot do its work although it answers; undefined where it does not answer. Nothing of what was asked. */
  readonly unable: string | undefined;

  constructor(message: string, cause?: unknown, unable?: string) {
    super(message, { cause });
    this.name = "StoreUnavailable";
    this.unable = unable;
  }
}

/** Codes of PostgreSQL with which nothing has happened and another attempt may succeed. */
const SERIALIZATION_FAILURE = "40001";
const DEADLOCK_DETECTED = "40P01";
const MAX_ATTEMPTS = 8;
const RETRY_DELAY_MS = 10;

/** Codes of PostgreSQL about the connection, or with which it ends one. Class 08 is added to them. */
const CONNECTION_LOST: ReadonlySet<string> = new Set([
  // What it had prepared returns something else by now, or is gone: another connection prepares it anew.
  "0A000", // feature_not_supported
  "26000", // invalid_sql_statement_name
  "25P03", // idle_in_transaction_session_timeout
  "53300", // too_many_connections
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "57P05", // idle_session_timeout
]);
/** Codes of the operating system and of the resolver of names. */
const NOT_REACHED =
  /^(?:ECONN(?:REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|E(?:HOST|NET)(?:UNREACH|DOWN)|ENOTFOUND|EAI_AGAIN|ENOENT)$/;
/** What the driver says without a code. */
const DRIVER_LOST_IT =
  /^(?:Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying|timeout expired|Query read timeout|The server does not support SSL)/i;

const READ_ONLY = "25006";
/** Codes of PostgreSQL with which it says that it cannot do its work now, whatever it is asked. */
const UNABLE: ReadonlyMap<string, string> = new Map([
  [READ_ONLY, "it is read-only"],
  ["53000", "it has too few resources"],
  ["53100", "its disk is full"],
  ["53200", "it is out of memory"],
  ["53400", "a limit of its configuration is reached"],
  ["57014", "a statement takes too long"],
  ["58030", "its disk fails"],
]);

/** The code of a failure, of PostgreSQL or of the operating system. */
export function codeOf(failure: unknown): string | undefined {
  if (typeof failure !== "object" || failure === null || !("code" in failure)) return undefined;
  return typeof failure.code === "string" ? failure.code : undefined;
}

/** Whether the connection that a failure came over is of no more use. */
function isConnectionFailure(failure: unknown): boolean {
  if (failure instanceof StoreUnavailable) return true;
  // Node tries every address of a name, and tells of all of them.
  if (failure instanceof AggregateError) return failure.errors.some(isConnectionFailure);
  const code = codeOf(failure);
  if (code !== undefined) return code.startsWith("08") || CONNECTION_LOST.has(code) || NOT_REACHED.test(code);
  return failure instanceof Error && DRIVER_LOST_IT.test(failure.message);
}

/** Whether the connection that a failure came over is to be used no more. */
export function endsConnection(failure: unknown): boolean {
  if (!(failure instanceof StoreUnavailable)) return false;
  // A server that became a replica stays one: another connection may lead to its successor.
  return failure.unable === undefined || codeOf(failure.cause) === READ_ONLY;
}

/**
 * A failure as callers get it: as StoreUnavailable where the connection fails or the database cannot do its work, all
 * else as the database said it.
 */
export function storeFailure(failure: unknown): unknown {
  if (failure instanceof StoreUnavailable) return failure;
  const unable = UNABLE.get(codeOf(failure) ?? "");
  if (unable !== undefined) return new StoreUnavailable(`the database cannot do its work: ${unable}`, failure, unable);
  if (!isConnectionFailure(failure)) return failure;
  const why = failure instanceof Error && failure.message !== "" ? failure.message : codeOf(failure);
  return new StoreUnavailable(`the database cannot be reached: ${why ?? "unknown reason"}`, failure);
}

/** A database that tells of every failure of its own, to whom it is given. */
export function reportingFailures(db: Database, report: (failure: StoreUnavailable) => void): Database {
  const watched = async <Result>(work: Promise<Result>): Promise<Result> => {
    try {
      return await work;
    } catch (failure) {
      if (failure instanceof StoreUnavailable) report(failure);
      throw failure;
    }
  };
  return {
    query: (sql, values) => watched(db.query(sql, values)),
    transaction: (work) => watched(db.transaction(work)),
    tryLease: (name) => watched(db.tryLease(name)),
    close: () => db.close(),
  };
}

/** Tries a transaction again while what it meets is the fault of another one. */
export async function retrying<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (failure) {
      const code = codeOf(failure);
      const another = code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED;
      if (!another || attempts === MAX_ATTEMPTS) throw failure;
      await delay(attempts * RETRY_DELAY_MS);
    }
  }
}

/** Sends one statement. */
export type Send = <Row extends object>(sql: string, values?: readonly SqlValue[]) => Promise<readonly Row[]>;

/** Keeps statements and transactions of one database apart. */
export interface TransactionScope {
  /** @throws Error inside a transaction, which waits for a connection that it may have itself */
  requireOutside(): void;
  /**
   * Runs the work of a transaction: its statements one after the other, as long as it lasts.
   * @param send to the connection of the transaction
   */
  run<Result>(send: Send, work: (tx: Queryable) => Promise<Result>): Promise<Result>;
}

export function createTransactionScope(): TransactionScope {
  const current = new AsyncLocalStorage<{ open: boolean }>();

  return {
    requireOutside() {
      if (current.getStore()?.open !== true) return;
      throw new Error("inside a transaction, statements go to the transaction");
    },

    async run<Result>(send: Send, work: (tx: Queryable) => Promise<Result>): Promise<Result> {
      const state = { open: true };
      let last: Promise<unknown> = Promise.resolve();
      const tx: Queryable = {
        query<Row extends object>(sql: string, values?: readonly SqlValue[]): Promise<readonly Row[]> {
          if (!state.open) return Promise.reject(new Error("the transaction has ended"));
          const sent = last.then(() => send<Row>(sql, values));
          last = sent.catch(() => undefined);
          return sent;
        },
      };
      try {
        return await current.run(state, () => work(tx));
      } finally {
        state.open = false;
        // What was sent and not waited for ends before the transaction does.
        await last;
      }
    },
  };
}

/** For a COMMIT that was answered with a ROLLBACK: somebody went on after a statement had failed. */
export function abortedTransaction(): Error {
  return new Error("a statement of the transaction has failed, so nothing of it was committed");
}

const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

/** The name of a schema, which goes into statements as it is. */
export function requireSchema(schema: string): string {
  if (!SCHEMA.test(schema)) throw new Error(`schema: lower-case letters, digits and _, at most 63 (given ${schema})`);
  return schema;
}

/** Codes of PostgreSQL for what another session has created at the same moment. */
const ALREADY_THERE: ReadonlySet<string> = new Set(["23505", "42P06", "42P07"]);

/** CREATE … IF NOT EXISTS is not safe from another session that does the same. */
export async function createSchema(send: Send, schema: string): Promise<void> {
  try {
    await send(`CREATE SCHEMA IF NOT EXISTS ${requireSchema(schema)}`);
  } catch (failure) {
    if (!ALREADY_THERE.has(codeOf(failure) ?? "")) throw failure;
  }
}
