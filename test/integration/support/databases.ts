import { randomBytes } from "node:crypto";
import pg from "pg";
import { emptyDatabase } from "../../../sandbox/databases.ts";
import type { Database } from "../../../src/kernel/store/database.ts";
import { openPgliteSchemas } from "../../../src/kernel/store/pglite.ts";
import { openPostgres } from "../../../src/kernel/store/postgres.ts";
import { startPostgres } from "./postgres.ts";
import { createSpareSchemas, type SpareSchemas } from "./spare-schemas.ts";

export interface OpenOptions {
  /** False for a database without tables. */
  readonly migrated?: boolean;
  /** Opens a database that `open` has returned once more, as another process would. */
  readonly again?: Database;
}

/**
 * A database with all tables and nothing in them: the test's own, or that of all of a suite where a `before` opens it.
 * Whoever has the schema next gets it emptied.
 */
export type OpenDatabase = (options?: OpenOptions) => Promise<Database>;

type Kind = "PGlite" | "PostgreSQL";

/** Makes databases of one kind, each in a schema of its own. */
interface Server {
  readonly spare: SpareSchemas;
  open(schema: string): Promise<Database>;
  drop(schema: string): Promise<void>;
  stop(): Promise<void>;
}

const KINDS: readonly Kind[] = ["PGlite", "PostgreSQL"];

/** Runs a suite on both databases. PostgreSQL is that of TEST_DATABASE_URL, or one that is started here. */
export function describeOnBothDatabases(name: string, suite: (open: OpenDatabase, kind: Kind) => void): void {
  for (const kind of KINDS) describeOn(kind, name, suite);
}

/** Runs a suite on one database: the embedded one for what does not depend on it. */
export function describeOn(kind: Kind, name: string, suite: (open: OpenDatabase, kind: Kind) => void): void {
  describe(`${name} (${kind})`, function () {
    const schemas = new Map<Database, string>();
    let server: Server | undefined;

    before(async function () {
      server = await serverOf(kind);
      if (server === undefined) {
        console.warn(`SKIPPED, for there is neither TEST_DATABASE_URL nor a PostgreSQL to start: ${name}`);
        this.skip();
      }
    });

    /** Those that were opened before this test are not its own. */
    let others: ReadonlySet<Database> = new Set();
    const leaveAllBut = async (kept: ReadonlySet<Database>): Promise<void> => {
      const left = [...schemas].filter(([database]) => !kept.has(database));
      for (const [database] of left) await database.close();
      for (const [database] of left) schemas.delete(database);
      const used = new Set(schemas.values());
      for (const schema of new Set(left.map(([, name]) => name))) {
        if (server !== undefined && !used.has(schema)) await leave(server, schema);
      }
    };
    beforeEach(() => void (others = new Set(schemas.keys())));
    afterEach(() => leaveAllBut(others));
    after(() => leaveAllBut(new Set()));

    suite(async ({ migrated = true, again } = {}) => {
      if (server === undefined) throw new Error("databases are opened by tests and hooks only");
      const spare = migrated && again === undefined ? server.spare.take() : undefined;
      const schema = again === undefined ? (spare ?? newSchema()) : schemas.get(again);
      if (schema === undefined) throw new Error("it was not opened here");
      const database = await server.open(schema);
      schemas.set(database, schema);
      if (migrated && again === undefined && spare === undefined) await server.spare.furnish(schema, database);
      return database;
    }, kind);
  });
}

/** A test may have left its tables otherwise than it has got them: nobody else gets those. */
async function leave(server: Server, schema: string): Promise<void> {
  const database = await server.open(schema);
  const isSpare = await server.spare.putBack(schema, database).finally(() => database.close());
  if (!isSpare) await server.drop(schema);
}

function newSchema(): string {
  return `test_${randomBytes(8).toString("hex")}`;
}

/** One of each for all suites of this process; undefined where there is none. */
const servers = new Map<Kind, Promise<Server | undefined>>();

function serverOf(kind: Kind): Promise<Server | undefined> {
  const server = servers.get(kind) ?? STARTS[kind]();
  servers.set(kind, server);
  return server;
}

const STARTS: Readonly<Record<Kind, () => Promise<Server | undefined>>> = {
  PGlite: startPgliteServer,
  PostgreSQL: startPostgresServer,
};

after(async function () {
  for (const server of servers.values()) await (await server)?.stop();
});

async function startPgliteServer(): Promise<Server> {
  const schemas = await openPgliteSchemas(undefined, await emptyDatabase());
  return {
    spare: createSpareSchemas(),
    open: (schema) => schemas.database(schema),
    async drop(schema) {
      const database = await schemas.database(schema);
      await database.query(`DROP SCHEMA ${schema} CASCADE`);
    },
    stop: () => schemas.close(),
  };
}

/** That of TEST_DATABASE_URL, or one of this process's own where there is one to start. */
async function startPostgresServer(): Promise<Server | undefined> {
  const given = process.env["TEST_DATABASE_URL"] ?? "";
  const own = given === "" ? await startPostgres() : undefined;
  const url = own?.url ?? given;
  if (url === "") return undefined;
  const spare = createSpareSchemas();
  const drop = async (schema: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`DROP SCHEMA ${schema} CASCADE`);
    await client.end();
  };
  return {
    spare,
    open: (schema) => openPostgres(url, { schema, maxConnections: 20 }),
    drop,
    async stop() {
      if (own !== undefined) return own.stop();
      // A server that goes on keeps nothing of the tests'.
      for (let schema = spare.take(); schema !== undefined; schema = spare.take()) await drop(schema);
    },
  };
}
