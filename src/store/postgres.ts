import pg from "pg";
import { InvalidInput } from "../domain/errors.ts";
import type { Database, Lease, Queryable, SqlValue } from "./database.ts";
import {
  abortedTransaction,
  createSchema,
  createTransactionScope,
  requireSchema,
  retrying,
  storeFailure,
  StoreUnavailable,
  type TransactionScope,
} from "./faults.ts";

export interface PostgresOptions {
  /** Where the tables are; made where it is missing. The server's default (`public`) when left out. */
  readonly schema?: string;
  /** As the server's list of sessions shows it. */
  readonly applicationName?: string;
  readonly maxConnections?: number;
  /** How long one statement may take. 0 for as long as it likes. */
  readonly statementTimeoutMs?: number;
}

const OLDEST_VERSION = 140_000;
const MAX_CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_CONNECTION_MS = 30_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** A transaction waits for nothing but its own statements: one that is idle for so long has lost its process. */
const IDLE_IN_TRANSACTION_MS = 30_000;
/** What the network may take on top of a statement before the connection counts as lost. */
const REPLY_GRACE_MS = 5_000;
const KEEPALIVE_MS = 2_000;
const KEEPALIVE_TIMEOUT_MS = 5_000;
/** The server gives up, within half a minute, a lease whose holder's machine has vanished. */
const LEASE_KEEPALIVE = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4";

/** What the driver would give as text, or as a Buffer. */
const OWN_PARSERS = new Map<number, (text: string) => unknown>([
  [pg.types.builtins.INT8, BigInt],
  [pg.types.builtins.NUMERIC, BigInt],
  [pg.types.builtins.BYTEA, bytesFromText],
]);

/**
 * Connects to PostgreSQL, 14 or later. A lease needs a session of its own: a pooler between may pool sessions, not
 * transactions.
 * @throws InvalidInput when the URL is none of PostgreSQL; it is not shown, for it has a password
 * @throws StoreUnavailable when the server cannot be reached
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Database> {
  const config = clientConfig(url, options);
  const pool = new pg.Pool({
    ...config,
    max: options.maxConnections ?? MAX_CONNECTIONS,
    idleTimeoutMillis: IDLE_CONNECTION_MS,
  });
  // A connection that breaks is thrown away by the pool if it is idle, and fails its statement if it is not: whoever
  // needs it is told. Without listeners the process would end.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));

  const scope = createTransactionScope();
  const leases = new Set<Lease>();
  let closing: Promise<void> | undefined;

  async function withClient<Result>(use: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    scope.requireOutside();
    const client = await pool.connect().catch((failure: unknown) => {
      throw storeFailure(failure);
    });
    let broken = false;
    try {
      return await use(client);
    } catch (failure) {
      broken = failure instanceof StoreUnavailable;
      throw failure;
    } finally {
      client.release(broken);
    }
  }

  const database: Database = {
    query: (sql, values) => withClient((client) => send(client, sql, values)),
    transaction: (work) => retrying(() => withClient((client) => transact(client, scope, work))),
    async tryLease(name) {
      const lease = await takeLease(config, name);
      if (lease !== undefined) leases.add(lease);
      return lease;
    },
    close() {
      closing ??= Promise.all([...leases].map((lease) => lease.release())).then(() => pool.end());
      return closing;
    },
  };
  try {
    await prepare(database, options.schema);
  } catch (failure) {
    await database.close();
    throw failure;
  }
  return database;
}

function clientConfig(url: string, options: PostgresOptions): pg.ClientConfig {
  if (!/^postgres(?:ql)?:/.test(url) || !URL.canParse(url)) throw new InvalidInput("database.url", "a postgres:// URL");
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  return {
    connectionString: url,
    application_name: options.applicationName ?? "feiqian",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    ...(statementTimeoutMs === 0 ? {} : { query_timeout: statementTimeoutMs + REPLY_GRACE_MS }),
    ...(options.schema === undefined ? {} : { options: `-c search_path=${requireSchema(options.schema)}` }),
    types: { getTypeParser },
  };
}

/** Of this database's connections only: the driver's own table is shared by all that use it. */
function getTypeParser(
  type: Parameters<typeof pg.types.getTypeParser>[0],
  format?: "text" | "binary",
): (value: string) => unknown {
  const own = format === "binary" ? undefined : OWN_PARSERS.get(type);
  // Its parsers of both formats are any to the types, and functions in truth.
  return own ?? (pg.types.getTypeParser(type, format) as (value: string) => unknown);
}

/** PostgreSQL's hexadecimal output of bytea. */
function bytesFromText(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), "hex"));
}

async function prepare(database: Database, schema: string | undefined): Promise<void> {
  const [server] = await database.query<{ version: number; encoding: string; output: string }>(
    `SELECT current_setting('server_version_num')::integer AS version, current_setting('server_encoding') AS encoding,
       current_setting('bytea_output') AS output`,
  );
  if (server === undefined || server.version < OLDEST_VERSION) {
    throw new Error(`PostgreSQL 14 or later is needed (this is ${server?.version ?? "unknown"})`);
  }
  if (server.encoding !== "UTF8") throw new Error(`the database must be in UTF8 (this one is in ${server.encoding})`);
  if (server.output !== "hex") throw new Error(`bytea_output must be hex (it is ${server.output})`);
  if (schema !== undefined) await createSchema(database.query.bind(database), schema);
}

async function send<Row extends object>(
  client: pg.ClientBase,
  sql: string,
  values?: readonly SqlValue[],
): Promise<readonly Row[]> {
  try {
    const result: unknown = await client.query(sql, values?.map(parameter));
    // Several statements are answered by several results, of which the last counts.
    const last: unknown = Array.isArray(result) ? result.at(-1) : result;
    // The caller says what its statement returns.
    return (last as pg.QueryResult<Row>).rows;
  } catch (failure) {
    throw storeFailure(failure);
  }
}

function parameter(value: SqlValue): string | number | boolean | Uint8Array | null {
  return typeof value === "bigint" ? String(value) : value;
}

async function transact<Result>(
  client: pg.ClientBase,
  scope: TransactionScope,
  work: (tx: Queryable) => Promise<Result>,
): Promise<Result> {
  await send(client, "BEGIN ISOLATION LEVEL READ COMMITTED");
  let result: Result;
  try {
    result = await scope.run((sql, values) => send(client, sql, values), work);
  } catch (failure) {
    await send(client, "ROLLBACK").catch(() => {
      throw new StoreUnavailable("the connection was lost in a transaction, which has not taken effect", failure);
    });
    throw failure;
  }
  const { command } = await client.query("COMMIT").catch((failure: unknown) => {
    throw storeFailure(failure);
  });
  if (command !== "COMMIT") throw abortedTransaction();
  return result;
}

/** An advisory lock lives as long as its session: a connection of its own. */
async function takeLease(config: pg.ClientConfig, name: string): Promise<Lease | undefined> {
  const client = new pg.Client({ ...config, query_timeout: KEEPALIVE_TIMEOUT_MS });
  // Before it holds the lock, what breaks the connection fails its statement.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query(LEASE_KEEPALIVE);
    const { rows } = await client.query<{ taken: boolean }>(
      "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || '.lease.' || $1, 0)) AS taken",
      [name],
    );
    if (rows[0]?.taken === true) return holdLease(client, name);
    await disconnect(client);
    return undefined;
  } catch (failure) {
    // On a connection that does not answer, the farewell is not waited for.
    void disconnect(client);
    throw storeFailure(failure);
  }
}

/** Asks the connection again and again whether it is there, for it may be gone without a word. */
function holdLease(client: pg.Client, name: string): Lease {
  const lost = Promise.withResolvers<Error>();
  let asked: Promise<unknown> = Promise.resolve();
  let ending: Promise<void> | undefined;

  function lose(failure?: unknown): void {
    if (ending !== undefined) return;
    ending = Promise.resolve();
    clearInterval(asking);
    void disconnect(client);
    lost.resolve(new StoreUnavailable(`the lease "${name}" is lost with its connection`, failure));
  }

  async function release(): Promise<void> {
    clearInterval(asking);
    await asked;
    // Unlocked before the connection ends, which the server notices when it likes.
    await client.query("SELECT pg_advisory_unlock_all()").catch(() => undefined);
    await disconnect(client);
  }

  const asking = setInterval(() => {
    asked = client.query("SELECT 1").catch(lose);
  }, KEEPALIVE_MS).unref();
  client.on("error", lose);
  client.on("end", lose);
  return { lost: lost.promise, release: () => (ending ??= release()) };
}

function disconnect(client: pg.Client): Promise<void> {
  return client.end().catch(() => undefined);
}
