import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import type { Database } from "../../../src/kernel/store/database.ts";
import { migrate } from "../../../src/kernel/store/migrate.ts";
import { openPgliteSchemas, type PgliteSchemas } from "../../../src/kernel/store/pglite.ts";
import { openPostgres } from "../../../src/kernel/store/postgres.ts";
import { startPostgres, type PostgresServer } from "./postgres.ts";

export interface OpenOptions {
  /** False for a database without tables. */
  readonly migrated?: boolean;
  /** Opens a database that `open` has returned once more, as another process would. */
  readonly again?: Database;
}

/** A database of the test's own, with all tables and nothing in them. It is removed when the suite has ended. */
export type OpenDatabase = (options?: OpenOptions) => Promise<Database>;

type Kind = "PGlite" | "PostgreSQL";

/** Makes databases of one kind, each in a schema of its own. */
interface Server {
  open(schema: string): Promise<Database>;
  drop(schema: string): Promise<void>;
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
      server = await SERVERS[kind]();
      if (server === undefined) {
        console.warn(`SKIPPED, for there is neither TEST_DATABASE_URL nor a PostgreSQL to start: ${name}`);
        this.skip();
      }
    });

    after(async () => {
      for (const database of schemas.keys()) await database.close();
      for (const schema of new Set(schemas.values())) await server?.drop(schema);
    });

    suite(async ({ migrated = true, again } = {}) => {
      if (server === undefined) throw new Error("databases are opened by tests and hooks only");
      const schema = again === undefined ? newSchema() : schemas.get(again);
      if (schema === undefined) throw new Error("it was not opened here");
      const database = await server.open(schema);
      schemas.set(database, schema);
      if (migrated && again === undefined) await migrate(database);
      return database;
    }, kind);
  });
}

function newSchema(): string {
  return `test_${randomBytes(8).toString("hex")}`;
}

const SERVERS: Readonly<Record<Kind, () => Promise<Server | undefined>>> = {
  PGlite: pgliteServer,
  PostgreSQL: postgresServer,
};

let pglite: Promise<PgliteSchemas> | undefined;
let postgres: Promise<PostgresServer | undefined> | undefined;

after(async function () {
  await (await pglite)?.close();
  await (await postgres)?.stop();
});

async function pgliteServer(): Promise<Server> {
  pglite ??= emptyImage().then((image) => openPgliteSchemas(undefined, image));
  const schemas = await pglite;
  return {
    open: (schema) => schemas.database(schema),
    async drop(schema) {
      const database = await schemas.database(schema);
      await database.query(`DROP SCHEMA ${schema} CASCADE`);
    },
  };
}

/** PGlite takes seconds to make an empty database, and a tenth of that to load one. */
async function emptyImage(): Promise<Blob> {
  const require = createRequire(import.meta.url);
  // The package's own file, which has a version.
  const { version } = require("../../../node_modules/@electric-sql/pglite/package.json") as { version: string };
  const folder = new URL("../../../node_modules/.cache/feiqian/", import.meta.url).pathname;
  const path = join(folder, `pglite-${version}.tar`);
  if (!existsSync(path)) {
    const empty = await PGlite.create();
    const image = await empty.dumpDataDir("none");
    await empty.close();
    await mkdir(folder, { recursive: true });
    // Under its name only when it is complete: others may be doing the same.
    const unfinished = `${path}.${process.pid}`;
    await writeFile(unfinished, Buffer.from(await image.arrayBuffer()));
    await rename(unfinished, path);
  }
  return new Blob([await readFile(path)]);
}

async function postgresServer(): Promise<Server | undefined> {
  const url = await postgresUrl();
  if (url === undefined) return undefined;
  return {
    open: (schema) => openPostgres(url, { schema, maxConnections: 20 }),
    async drop(schema) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(`DROP SCHEMA ${schema} CASCADE`);
      await client.end();
    },
  };
}

/** PostgreSQL's URL for tests: one server for all suites of this process. Undefined where there is none. */
async function postgresUrl(): Promise<string | undefined> {
  const given = process.env["TEST_DATABASE_URL"] ?? "";
  if (given !== "") return given;
  postgres ??= startPostgres();
  return (await postgres)?.url;
}
