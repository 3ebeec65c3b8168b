import { messages, PGlite } from "@electric-sql/pglite";
import { expect } from "chai";
import { emptyDatabase } from "../../../../sandbox/databases.ts";
import { migrationsOf } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";
import type { Database, Queryable, SqlValue } from "../../../../src/kernel/store/database.ts";
import { migrate } from "../../../../src/kernel/store/migrate.ts";
import {
  findStatements,
  type ColumnType,
  type DriverType,
  type FoundStatements,
  type Statement,
} from "../../support/statements.ts";

/** What the drivers make of PostgreSQL's types, by their numbers: see `Queryable`. */
const DRIVER_TYPES: ReadonlyMap<number, DriverType> = new Map([
  [16, "boolean"],
  [17, "Uint8Array"],
  [20, "bigint"],
  [1700, "bigint"],
  [21, "number"],
  [23, "number"],
  [19, "string"],
  [25, "string"],
  [2950, "string"],
  [3802, "json"],
  [1009, "string[]"],
  [2951, "string[]"],
  [1016, "bigint[]"],
]);

interface Column {
  readonly name: string;
  /** PostgreSQL's number of its type. */
  readonly type: number;
  /** What it is in its table, where that lets it be null. A column that is computed, or joined from outside, is not told. */
  readonly nullable: string | undefined;
}

/** As PostgreSQL says, which has been given the statement to prepare. */
interface Described {
  readonly columns: readonly Column[];
  readonly parameters: number;
}

/** What passes on statements of others, and what makes the tables. */
const OPAQUE = ["src/app/fenced.ts", "src/kernel/store/faults.ts", "src/kernel/store/migrate.ts"];

describe("statements", function () {
  this.timeout(180_000);
  let instance: PGlite;
  let found: FoundStatements;
  let nullable: Nullable;

  before(async () => {
    instance = await PGlite.create({ loadDataDir: await emptyDatabase() });
    await migrate(migratable(instance), migrationsOf(FEATURES));
    nullable = await readNullable(instance);
    found = findStatements(new URL("../../../../", import.meta.url).pathname, ["src", "sandbox"]);
  });
  after(() => instance.close());

  it("are declared with the rows that the schema gives them", async () => {
    expect(found.statements.length).to.be.greaterThan(150);
    const problems: string[] = [];
    for (const statement of found.statements) problems.push(...(await problemsOf(instance, nullable, statement)));
    expect(problems).to.deep.equal([]);
  });

  it("have texts that the source tells, but for these", () => {
    expect(found.opaque.map(({ place, why }) => `${place}: ${why}`)).to.have.members(
      OPAQUE.map((place) => `${place}: sql is known at run time only`),
    );
  });

  it("would be refused with a wrong column, type, null, or number of values", async () => {
    const wrong = (text: string, row: Readonly<Record<string, DriverType>>): Statement => ({
      place: "here",
      texts: [text],
      values: 0,
      row: new Map(
        Object.entries(row).map(([name, type]) => [
          name,
          { text: type, isNullable: false, takes: (driver: DriverType) => driver === type },
        ]),
      ),
    });
    const refused = async (statement: Statement) => (await problemsOf(instance, nullable, statement)).join();
    expect(await refused(wrong("SELECT uetr FROM transfers", { uetr: "string" }))).to.equal("");
    expect(await refused(wrong("SELECT uetr FROM transfers", { utr: "string" }))).to.include("utr is not selected");
    expect(await refused(wrong("SELECT seq FROM transfers", { seq: "number" }))).to.include("seq is bigint");
    expect(await refused(wrong("SELECT provider_quote FROM transfers", { provider_quote: "Uint8Array" }))).to.include(
      "may be null",
    );
    expect(await refused(wrong("SELECT uetr FROM transfer", { uetr: "string" }))).to.include("does not exist");
    expect(await refused(wrong("SELECT $1::text AS one", { one: "string" }))).to.include("0 values for 1");
  });
});

async function problemsOf(instance: PGlite, nullable: Nullable, statement: Statement): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const text of statement.texts) {
    try {
      problems.push(...differences(await describeStatement(instance, nullable, text), statement, text));
    } catch (failure) {
      problems.push(`${String(failure)}: ${text}`);
    }
  }
  return [...new Set(problems)].map((problem) => `${statement.place}: ${problem}`);
}

function differences({ columns, parameters }: Described, { values, row }: Statement, text: string): readonly string[] {
  const isCounted = values === undefined || values === parameters;
  const problems = isCounted ? [] : [`${values} values for ${parameters} parameters`];
  if (row === undefined) return problems;
  const selected = new Set(columns.map(({ name }) => name));
  for (const name of row.keys()) if (!selected.has(name)) problems.push(`${name} is not selected`);
  for (const column of columns) {
    const declared = row.get(column.name);
    const problem = declared === undefined ? "is not declared" : problemOf(column, declared, text);
    if (problem !== undefined) problems.push(`${column.name} ${problem}`);
  }
  return problems;
}

function problemOf({ type, nullable }: Column, declared: ColumnType, text: string): string | undefined {
  const driver = DRIVER_TYPES.get(type);
  if (driver === undefined) return `is of a type that this test does not know: ${type}`;
  if (!declared.takes(driver)) return `is ${driver}, declared as ${declared.text}`;
  if (nullable === undefined || declared.isNullable || driver === "json") return undefined;
  const isExcluded = new RegExp(`\\b${nullable} (IS NOT NULL|= ANY)`).test(text);
  return isExcluded ? undefined : `may be null, declared as ${declared.text}`;
}

async function describeStatement(instance: PGlite, nullable: Nullable, text: string): Promise<Described> {
  return instance.runExclusive(async () => {
    const parse = message("P", `\0${text}\0`, "\0\0");
    const { messages: sent } = await instance.execProtocol(Buffer.concat([parse, message("D", "S\0"), message("S")]));
    const rows = sent.find((each) => each instanceof messages.RowDescriptionMessage)?.fields ?? [];
    const parameters = sent.find((each) => each instanceof messages.ParameterDescriptionMessage)?.parameterCount ?? 0;
    const columns = rows.map(({ name, dataTypeID, tableID, columnID }) => {
      return { name, type: dataTypeID, nullable: nullable.get(`${tableID}.${columnID}`) };
    });
    return { columns, parameters };
  });
}

/** The columns of tables that may be null, by the numbers of table and column. */
type Nullable = ReadonlyMap<string, string>;

async function readNullable(instance: PGlite): Promise<Nullable> {
  const { rows } = await instance.query<{ place: string; name: string }>(
    "SELECT attrelid::integer || '.' || attnum AS place, attname AS name FROM pg_attribute WHERE attnum > 0 AND NOT attnotnull",
  );
  return new Map(rows.map(({ place, name }) => [place, name]));
}

/** As much of a database as migrations need. */
function migratable(instance: PGlite): Pick<Database, "transaction"> {
  const tx: Queryable = {
    async query<Row extends object>(sql: string, values?: readonly SqlValue[]) {
      if (values !== undefined) return (await instance.query<Row>(sql, [...values])).rows;
      // Rows as the caller declares them.
      return ((await instance.exec(sql)).at(-1)?.rows ?? []) as Row[];
    },
  };
  return { transaction: (work) => work(tx) };
}

/** Of PostgreSQL's protocol: a letter, the length, the body. */
function message(code: string, ...parts: readonly string[]): Buffer {
  const body = Buffer.from(parts.join(""));
  const head = Buffer.alloc(5);
  head.write(code);
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
