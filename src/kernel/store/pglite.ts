import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PGlite, types } from "@electric-sql/pglite";
import type { Database, Lease } from "./database.ts";
import {
  createSchema,
  createTransactionScope,
  requireSchema,
  retrying,
  storeFailure,
  StoreUnavailable,
  type Send,
  type TransactionScope,
} from "./faults.ts";
import { LeaseLost } from "./leases.ts";
import { createStatements, type PgliteStatements } from "./pglite-statements.ts";

/** Several relays' databases in one PGlite, as schemas: an instance takes some 200 MB. */
export interface PgliteSchemas {
  /** @param schema made where it is missing; the same one may be asked for again, as by a second process */
  database(schema: string): Promise<Database>;
  /** All of it, for another one to begin with. */
  image(): Promise<Blob>;
  close(): Promise<void>;
}

/**
 * Opens the embedded database. What it has committed survives the end of the process, but not surely that of the
 * machine: it does not wait for the disk. Production runs on PostgreSQL.
 * @param folder made where it is missing; in memory when undefined
 * @throws StoreUnavailable when another process has the folder open
 */
export async function openPglite(folder: string | undefined): Promise<Database> {
  const schemas = await openPgliteSchemas(folder);
  const database = await schemas.database("public");
  return {
    ...database,
    async close() {
      await database.close();
      await schemas.close();
    },
  };
}

/**
 * As `openPglite`, for several databases.
 * @param image a database as PGlite dumps it, to begin with instead of an empty one; in memory only
 */
export async function openPgliteSchemas(folder: string | undefined, image?: Blob): Promise<PgliteSchemas> {
  const lock = folder === undefined ? undefined : await lockFolder(folder);
  const instance = await (
    folder === undefined ? createInstance(undefined, image) : openFolder(join(folder, "data"))
  ).catch((failure: unknown) => {
    lock?.close();
    throw failure;
  });
  const connection = createConnection(instance);
  const leases = new Set<string>();
  let closing: Promise<void> | undefined;
  return {
    database: (schema) => openSchema(connection, leases, schema),
    image: () => connection.image(),
    close() {
      closing ??= connection.close().finally(() => lock?.close());
      return closing;
    },
  };
}

/** SQLite's lock on a file, which the operating system takes back when the process ends in whatever way. */
async function lockFolder(folder: string): Promise<DatabaseSync> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = new DatabaseSync(join(folder, "lock"), { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (failure) {
    lock.close();
    throw new StoreUnavailable(`the database in ${folder} is open in another process`, failure);
  }
  return lock;
}

/** A folder has its name only once it is complete: a process killed while making one leaves none behind. */
async function openFolder(data: string): Promise<PGlite> {
  if (!existsSync(data)) {
    const unfinished = `${data}.new`;
    await rm(unfinished, { recursive: true, force: true });
    const made = await createInstance(unfinished);
    await made.close();
    await rename(unfinished, data);
  }
  return createInstance(data);
}

function createInstance(dataDir: string | undefined, image?: Blob): Promise<PGlite> {
  return PGlite.create({
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(image === undefined ? {} : { loadDataDir: image }),
    parsers: { [types.INT8]: BigInt, [types.NUMERIC]: BigInt },
  });
}

/** The one connection that PGlite has, for one at a time, with the tables of its schema in sight. */
interface Connection {
  readonly scope: TransactionScope;
  /** @param work has the connection to itself; what it sends outside of `inTransaction` is committed at once */
  use<Result>(
    schema: string,
    work: (send: Send, inTransaction: PgliteStatements["transaction"]) => Promise<Result>,
  ): Promise<Result>;
  image(): Promise<Blob>;
  close(): Promise<void>;
}

/** So many statements of one schema go before others' that have waited for longer, as each change of schema is one more. */
const MOST_IN_A_ROW = 16;

function createConnection(instance: PGlite): Connection {
  const scope = createTransactionScope();
  const statements = createStatements(instance);
  const waiting: { readonly schema: string | undefined; readonly begin: () => void }[] = [];
  let isTaken = false;
  let searched: string | undefined;
  let inARow = 0;

  async function waitForTurn(schema: string | undefined): Promise<void> {
    if (isTaken) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      waiting.push({ schema, begin: () => resolve(undefined) });
      await promise;
    }
    isTaken = true;
    inARow = schema === searched ? inARow + 1 : 1;
  }

  function passOn(): void {
    const same = inARow < MOST_IN_A_ROW ? waiting.findIndex(({ schema }) => schema === searched) : -1;
    const [next] = waiting.splice(Math.max(0, same), 1);
    // Whoever is next has it from now on: nobody who comes meanwhile is to take it.
    if (next === undefined) isTaken = false;
    else next.begin();
  }

  async function inTurn<Result>(schema: string | undefined, work: () => Promise<Result>): Promise<Result> {
    scope.requireOutside();
    await waitForTurn(schema);
    try {
      return await work();
    } finally {
      passOn();
    }
  }

  return {
    scope,
    use: (schema, work) =>
      inTurn(schema, async () => {
        if (searched !== schema) statements.search(schema);
        searched = schema;
        return work(failing(statements.to(schema)), statements.transaction);
      }),
    image: () =>
      inTurn(undefined, async () => {
        // Whoever begins with it would have to go through its log otherwise.
        await instance.exec("CHECKPOINT");
        return instance.dumpDataDir("none");
      }),
    close: () => inTurn(undefined, () => instance.close()),
  };
}

async function openSchema(connection: Connection, held: Set<string>, given: string): Promise<Database> {
  const schema = requireSchema(given);
  const leases = new Set<Lease>();
  let epochs = 0n;
  let closed = false;

  // Async, so that what is asked of it wrongly is a rejection as everything else.
  const use: typeof connection.use = async (name, work) => {
    if (closed) throw new Error("the database is closed");
    return connection.use(name, work);
  };
  const query: Send = (sql, values) => retrying(() => use(schema, (send) => send(sql, values)));
  await createSchema(query, schema);

  return {
    query,
    transaction: (work) =>
      retrying(() => use(schema, (send, inTransaction) => inTransaction(() => connection.scope.run(send, work)))),
    // One process has it all, so who holds what is known here; and nobody is waited for who cannot do anything.
    tryLease(name) {
      const key = `${schema}.${name}`;
      if (closed || held.has(key)) return Promise.resolve(undefined);
      held.add(key);
      const isHeld = (): boolean => leases.has(lease);
      const lease: Lease = {
        epoch: ++epochs,
        isHeld,
        renew: () => Promise.resolve(isHeld()),
        fence: () => (isHeld() ? Promise.resolve() : Promise.reject(new LeaseLost(name))),
        release() {
          if (leases.delete(lease)) held.delete(key);
          return Promise.resolve();
        },
      };
      leases.add(lease);
      return Promise.resolve(lease);
    },
    async close() {
      closed = true;
      for (const lease of leases) await lease.release();
    },
  };
}

function failing(send: Send): Send {
  return async (sql, values) => {
    try {
      return await send(sql, values);
    } catch (failure) {
      throw storeFailure(failure);
    }
  };
}
