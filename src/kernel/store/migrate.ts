import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { compareBytes } from "../../domain/bytes/bytes.ts";
import type { Database, Queryable } from "./database.ts";

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: Uint8Array;
}

/** Where a part of the relay has its migrations. */
export interface MigrationFolder {
  /** Whose they are: in front of their names. None for those of all that was there before features had their own. */
  readonly owner?: string;
  readonly folder: URL;
}

const BASE: MigrationFolder = { folder: new URL("./migrations/", import.meta.url) };
const NAME = /^\d{4}-[a-z0-9-]+\.sql$/;

/**
 * Brings the tables up to this version, in one transaction. Processes that do so at the same moment wait for each other.
 * @param more folders of files 0001-name.sql, …, applied after the kernel's own in this order, each in that of its names
 * @returns the names of what was applied now
 * @throws Error when a file that was applied has changed since, or the tables are of a later version than this program
 */
export async function migrate(
  db: Pick<Database, "transaction">,
  more: readonly MigrationFolder[] = [],
  base: MigrationFolder = BASE,
): Promise<readonly string[]> {
  const migrations = (await Promise.all([base, ...more].map(readMigrations))).flat();
  return db.transaction(async (tx) => {
    await tx.query("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.migrations', 0))");
    await tx.query(
      `CREATE TABLE IF NOT EXISTS migrations (
         name       text PRIMARY KEY,
         checksum   bytea NOT NULL,
         applied_at timestamptz NOT NULL DEFAULT now()
       )`,
    );
    const applied = await appliedMigrations(tx);
    const due = dueMigrations(migrations, applied);
    for (const { name, sql, checksum } of due) {
      await tx.query(sql);
      await tx.query("INSERT INTO migrations (name, checksum) VALUES ($1, $2)", [name, checksum]);
    }
    return due.map(({ name }) => name);
  });
}

/** The same for the same tables: of all that `migrate` would apply to an empty database. */
export async function migrationsDigest(more: readonly MigrationFolder[] = []): Promise<string> {
  const migrations = (await Promise.all([BASE, ...more].map(readMigrations))).flat();
  const digest = createHash("sha256");
  for (const { name, checksum } of migrations) digest.update(name).update(checksum);
  return digest.digest("hex");
}

async function readMigrations({ owner, folder }: MigrationFolder): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, folder), "utf8");
      return {
        name: owner === undefined ? name : `${owner}/${name}`,
        sql,
        checksum: new Uint8Array(createHash("sha256").update(sql).digest()),
      };
    }),
  );
}

async function appliedMigrations(tx: Queryable): Promise<ReadonlyMap<string, Uint8Array>> {
  const rows = await tx.query<{ name: string; checksum: Uint8Array }>("SELECT name, checksum FROM migrations");
  return new Map(rows.map(({ name, checksum }) => [name, checksum]));
}

function dueMigrations(
  migrations: readonly Migration[],
  applied: ReadonlyMap<string, Uint8Array>,
): readonly Migration[] {
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = [...applied.keys()].filter((name) => !known.has(name)).sort();
  if (unknown.length > 0) {
    throw new Error(
      `the database is from a later version than this program, which does not know ${unknown.join(", ")}`,
    );
  }
  for (const { name, checksum } of migrations) {
    const before = applied.get(name);
    if (before === undefined || compareBytes(before, checksum) === 0) continue;
    throw new Error(`migration ${name} has changed since it was applied; changes go into a migration of their own`);
  }
  return migrations.filter(({ name }) => !applied.has(name));
}
