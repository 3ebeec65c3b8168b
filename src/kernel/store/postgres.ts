import pg from "pg";
import { InvalidInput } from "../../domain/errors.ts";
import type { Database, Lease, Queryable, SqlValue } from "./database.ts";
import {
  abortedTransaction,
  createSchema,
  createTransactionScope,
  endsConnection,
  requireSchema,
  retrying,
  storeFailure,
  StoreUnavailable,
  type TransactionScope,
} from "./faults.ts";
import { takeLease } from "./leases.ts";
import { isOneStatement, parameter } from "./values.ts";

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
const IDLE_IN_TRANSACTION_MS = 10_000;
/** What the network may take on top of a statement before the connection counts as lost. */
const REPLY_GRACE_MS = 5_000;
/** Statements that are kept prepared by each connection: more than there are. */
const MAX_PREPARED = 1_000;
/** Leases have a connection of their own, so that renewing one never waits for others' statements, and not for long. */
const LEASE_QUERY_MS = 2_000;

/** What the driver would give as text, or as a Buffer. */
const OWN_PARSERS = new Map<number, (text: string) => unknown>([
  [pg.types.builtins.INT8, BigInt],
  [pg.types.builtins.NUMERIC, BigInt],
  [pg.types.builtins.BYTEA, bytesFromText],
]);

/**
 * Connects to PostgreSQL, 14 or later. Nothing needs a session for longer than a transaction: a pooler between may pool
 * transactions, where the settings that every session has to have are those of the role. Statements are kept prepared
 * where there is none.
 * @throws InvalidInput when the URL is none of PostgreSQL, or of a server or pooler that cannot be worked with; it is
 * not shown, for it has a password
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
  const leasing = new pg.Pool({ ...config, max: 1, query_timeout: LEASE_QUERY_MS });
  for (const each of [pool, leasing]) {
    each.on("error", () => undefined);
    each.on("connect", (client) => client.on("error", () => undefined));
  }

  const scope = createTransactionScope();
  const prepared = createPreparedNames();
  const leases = new Set<Lease>();
  let closing: Promise<void> | undefined;

  async function withClient<Result>(
    use: (client: pg.PoolClient) => Promise<Result>,
    from: pg.Pool = pool,
  ): Promise<Result> {
    scope.requireOutside();
    const client = await from.connect().catch((failure: unknown) => {
      throw storeFailure(failure);
    });
    let broken = false;
    try {
      return await use(client);
    } catch (failure) {
      broken = endsConnection(failure);
      throw failure;
    } finally {
      client.release(broken);
    }
  }

  const database: Database = {
    query: (sql, values) => retrying(() => withClient((client) => send(client, prepared, sql, values))),
    transaction: (work) => retrying(() => withClient((client) => transact(client, prepared, scope, work))),
    async tryLease(name) {
      const leaseDb: Queryable = {
        query: (sql, values) => withClient((client) => send(client, prepared, sql, values), leasing),
      };
      const lease = await takeLease(leaseDb, name);
      if (lease !== undefined) leases.add(lease);
      return lease;
    },
    close() {
      closing ??= Promise.all([...leases].map((lease) => lease.release())).then(() =>
        Promise.all([pool.end(), leasing.end()]).then(() => undefined),
      );
      return closing;
    },
  };
  try {
    await prepare(database, options);
    if (await withClient(isOwnSession)) prepared.begin();
  } catch (failure) {
    await database.close();
    throw whyUnsuitable(failure);
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

interface ServerState {
  readonly version: number;
  readonly encoding: string;
  readonly output: string;
  readonly standby: boolean;
  readonly idle: number;
  readonly statement: number;
}

async function prepare(database: Database, { schema, statementTimeoutMs }: PostgresOptions): Promise<void> {
  const inMs = (name: string): string => `(SELECT setting::integer FROM pg_settings WHERE name = '${name}')`;
  // In a transaction, which a pooler of single statements does not have.
  const [server] = await database.transaction((tx) =>
    tx.query<ServerState>(
      `SELECT current_setting('server_version_num')::integer AS version, current_setting('server_encoding') AS encoding,
         current_setting('bytea_output') AS output, pg_is_in_recovery() AS standby,
         ${inMs("idle_in_transaction_session_timeout")} AS idle, ${inMs("statement_timeout")} AS statement`,
    ),
  );
  if (server === undefined || server.version < OLDEST_VERSION) {
    throw new Error(`PostgreSQL 14 or later is needed (this is ${server?.version ?? "unknown"})`);
  }
  if (server.encoding !== "UTF8") throw new Error(`the database must be in UTF8 (this one is in ${server.encoding})`);
  if (server.output !== "hex") throw new Error(`bytea_output must be hex (it is ${server.output})`);
  if (server.standby) {
    throw new InvalidInput("database.url", "the primary server, not a standby, which is read-only");
  }
  const unset = [
    ...(server.idle === 0 ? ["idle_in_transaction_session_timeout"] : []),
    ...(server.statement === 0 && statementTimeoutMs !== 0 ? ["statement_timeout"] : []),
  ];
  if (unset.length > 0) throw new InvalidInput("database.url", withoutSettings(`it drops ${unset.join(" and ")}`));
  if (schema === undefined) return;
  await createSchema(database.query.bind(database), schema);
  const [found] = await database.query<{ schema: string | null }>("SELECT current_schema() AS schema");
  if (found?.schema !== schema) throw new InvalidInput("database.url", withoutSettings("it drops search_path"));
}

function withoutSettings(what: string): string {
  return (
    `a pooler in front of PostgreSQL does not pass on its clients' settings: ${what}. Give the role these settings ` +
    "(ALTER ROLE … SET …), and have PgBouncer ignore them (ignore_startup_parameters); see docs/relay-operator.md, Poolers"
  );
}

/** What a pooler answers to what it does not do is no failure of the connection: it would never change. */
function whyUnsuitable(failure: unknown): unknown {
  const message = failure instanceof Error ? failure.message : "";
  const [, setting] = /unsupported startup parameter(?: in options)?: (\S+)/i.exec(message) ?? [];
  if (setting !== undefined) return new InvalidInput("database.url", withoutSettings(`it refuses ${setting}`));
  if (!/transaction blocks not allowed in statement pooling/i.test(message)) return failure;
  return new InvalidInput("database.url", "a pooler of transactions or sessions: this one pools single statements");
}

/**
 * Which statements are kept prepared, by the names that they have on each connection of a database: PostgreSQL takes as
 * long to read and plan a small one as to execute it, and longer. None is, until it is known that sessions keep them.
 */
interface PreparedNames {
  /** Undefined for a statement that is sent as it is. */
  of(sql: string, values: readonly SqlValue[] | undefined): string | undefined;
  begin(): void;
}

function createPreparedNames(): PreparedNames {
  const names = new Map<string, string>();
  let hasBegun = false;
  return {
    of(sql, values) {
      const known = names.get(sql);
      const isNew = known === undefined && hasBegun && names.size < MAX_PREPARED && isOneStatement(sql, values);
      if (!isNew) return known;
      const name = `s${names.size}`;
      names.set(sql, name);
      return name;
    },
    begin: () => void (hasBegun = true),
  };
}

/**
 * Whether a connection is to PostgreSQL itself. A pooler gives its clients other numbers than those of the server's
 * processes, and each transaction another one of these.
 */
async function isOwnSession(client: pg.ClientBase): Promise<boolean> {
  const [row] = (await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows;
  // The driver has it from the server's first messages; its types leave it out.
  return row?.pid === (client as pg.ClientBase & { readonly processID?: number }).processID;
}

async function send<Row extends object>(
  client: pg.ClientBase,
  prepared: PreparedNames,
  sql: string,
  values?: readonly SqlValue[],
): Promise<readonly Row[]> {
  const name = prepared.of(sql, values);
  try {
    const result: unknown = await client.query({
      text: sql,
      ...(name === undefined ? {} : { name }),
      ...(values === undefined ? {} : { values: values.map(parameter) }),
    });
    // Several statements are answered by several results, of which the last counts.
    const last: unknown = Array.isArray(result) ? result.at(-1) : result;
    // The caller says what its statement returns.
    return (last as pg.QueryResult<Row>).rows;
  } catch (failure) {
    throw storeFailure(failure);
  }
}

async function transact<Result>(
  client: pg.ClientBase,
  prepared: PreparedNames,
  scope: TransactionScope,
  work: (tx: Queryable) => Promise<Result>,
): Promise<Result> {
  await send(client, prepared, "BEGIN ISOLATION LEVEL READ COMMITTED");
  let result: Result;
  try {
    result = await scope.run((sql, values) => send(client, prepared, sql, values), work);
  } catch (failure) {
    await send(client, prepared, "ROLLBACK").catch(() => {
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
