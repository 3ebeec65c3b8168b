import type { Database } from "../../../src/kernel/store/database.ts";
import { migrate } from "../../../src/kernel/store/migrate.ts";

/**
 * Schemas with all tables and nothing in them, made once and used by one test after the other: making the tables takes
 * ten times as long as emptying them.
 */
export interface SpareSchemas {
  /** One that nobody uses; undefined where there is none. */
  take(): string | undefined;
  /** Makes the tables of a new one. */
  furnish(schema: string, database: Database): Promise<void>;
  /** Empties one that nobody uses any more; false for one whose tables are not as `furnish` has made them. */
  putBack(schema: string, database: Database): Promise<boolean>;
}

export function createSpareSchemas(): SpareSchemas {
  const spare: string[] = [];
  /** As they were made. */
  const made = new Map<string, string>();
  return {
    take: () => spare.pop(),
    async furnish(schema, database) {
      await migrate(database);
      made.set(schema, await shapeOf(database));
    },
    async putBack(schema, database) {
      const shape = made.get(schema);
      if (shape === undefined || shape !== (await shapeOf(database))) return false;
      await empty(database);
      spare.push(schema);
      return true;
    },
  };
}

/**
 * What changes with any statement that defines something, in whatever way: rows of the catalogue have new versions then.
 * Of the tables themselves only what emptying leaves as it is; of the migrations their rows, which are not emptied.
 */
async function shapeOf(database: Database): Promise<string> {
  const versions = (catalogue: string, where: string) =>
    `SELECT '${catalogue}' AS of, count(*)::text AS one, max(xmin::text::bigint)::text AS two FROM ${catalogue} WHERE ${where}`;
  const ours = "(SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)";
  const parts = [
    `SELECT relname AS of, concat_ws(' ', oid, relkind, relpersistence, reltype, relowner) AS one,
       concat_ws(' ', relacl::text, reloptions::text, relrowsecurity, relhasrules) AS two
     FROM pg_class WHERE relnamespace = current_schema()::regnamespace`,
    versions("pg_attribute", `attrelid IN ${ours}`),
    versions("pg_attrdef", `adrelid IN ${ours}`),
    versions("pg_constraint", "connamespace = current_schema()::regnamespace"),
    versions("pg_trigger", `tgrelid IN ${ours}`),
    versions("pg_index", `indrelid IN ${ours}`),
    versions("pg_proc", "pronamespace = current_schema()::regnamespace"),
    versions("pg_sequence", `seqrelid IN ${ours}`),
    versions("migrations", "true"),
  ];
  const rows = await database.query(`${parts.join(" UNION ALL ")} ORDER BY 1, 2, 3`);
  return JSON.stringify(rows);
}

async function empty(database: Database): Promise<void> {
  // A table that never had a row has no page.
  const used = await database.query<{ name: string }>(
    `SELECT quote_ident(relname) AS name FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname <> 'migrations'
       AND pg_relation_size(oid) > 0`,
  );
  const truncate = used.length === 0 ? "" : `TRUNCATE ${used.map(({ name }) => name).join(", ")} CASCADE;`;
  await database.query(
    `${truncate} SELECT setval(seqrelid, seqstart, false) FROM pg_sequence
     JOIN pg_class ON pg_class.oid = seqrelid WHERE relnamespace = current_schema()::regnamespace`,
  );
}
