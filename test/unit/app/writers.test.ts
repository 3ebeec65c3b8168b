import { readdir, readFile } from "node:fs/promises";
import { expect } from "chai";

const SOURCES = new URL("../../../src/", import.meta.url);
/**
 * Change what is of one kind in any table that has it: sealed columns, when a data key is replaced; due times, when the
 * clock that has set them was ahead.
 */
const OF_ANY_TABLE: ReadonlySet<string> = new Set(["kernel/store/sealed-rows.ts", "kernel/store/due-times.ts"]);
/** A path's feature, or the part of the kernel that it belongs to. */
const OWNER = /^(?:features|kernel)\/[^/]+/;

/** Statements that change rows, and of which table; a table that is put in later is `${…}`. */
const WRITING = /\b(?:INSERT INTO|UPDATE|DELETE FROM|TRUNCATE(?: TABLE)?)\s+(?:ONLY\s+)?(\$\{|[a-z_]+)/g;

describe("tables", () => {
  it("are each written by one feature, or one part of the kernel", async () => {
    const files = await readdir(SOURCES, { recursive: true });
    const read = async (ending: string) =>
      Promise.all(
        files
          .filter((path) => path.endsWith(ending))
          .map(async (path) => ({ path, text: await readFile(new URL(path, SOURCES), "utf8") })),
      );
    const migrations = await read(".sql");
    const tables = new Set(
      migrations.flatMap(({ text }) => [...text.matchAll(/^CREATE TABLE (\w+)/gm)].map(([, name]) => name)),
    );
    expect(tables.size).to.be.greaterThan(20);

    const writers = new Map<string, Set<string>>();
    for (const { path, text } of await read(".ts")) {
      if (OF_ANY_TABLE.has(path)) continue;
      for (const [statement, table = ""] of text.matchAll(WRITING)) {
        expect(table, `${path}: "${statement}…": say which table`).not.to.equal("${");
        if (!tables.has(table)) continue;
        const owner = OWNER.exec(path)?.[0] ?? path;
        writers.set(table, (writers.get(table) ?? new Set()).add(owner));
      }
    }
    const shared = [...writers].filter(([, owners]) => owners.size > 1).map(([table, owners]) => [table, ...owners]);
    expect(shared).to.deep.equal([]);
    // What only triggers write, migrations define the writing of.
    const kept = new Set(migrations.flatMap(({ text }) => [...text.matchAll(WRITING)].map(([, table]) => table)));
    const unwritten = [...tables].filter((table) => table !== undefined && !writers.has(table) && !kept.has(table));
    expect(unwritten).to.deep.equal([]);
  });
});
