import { parse } from "csv-parse/sync";
import { isColumn, printableName, RefusedField, REQUIRED_COLUMNS, type Column, type Fields } from "./columns.ts";

/** What others put between values, and what it is called. */
const FOREIGN_DELIMITERS: readonly (readonly [delimiter: string, name: string])[] = [
  [";", "semicolons"],
  ["\t", "tabs"],
  ["|", "bars"],
];

export interface Header {
  /** In the order of the file. */
  readonly columns: readonly Column[];
  /** Unknown, repeated and missing columns; with any, the file cannot be read. */
  readonly problems: readonly RefusedField[];
}

/** Why a first line is no header of comma-separated values, where it is one of another kind. */
export function foreignHeader(line: string): RefusedField | undefined {
  if (/^"?sep=/i.test(line.trim())) {
    return new RefusedField("header", 'the names of the columns: delete the line "sep=" before them', "FF01");
  }
  const columnsOf = (delimiter: string) =>
    line.split(delimiter).filter((name) => isColumn(name.replaceAll('"', "").trim())).length;
  const found = FOREIGN_DELIMITERS.find(([delimiter]) => columnsOf(delimiter) > Math.max(1, columnsOf(",")));
  if (found === undefined) return undefined;
  return new RefusedField(
    "header",
    `commas between the columns, not ${found[1]}: save it as "CSV (comma delimited)"`,
    "FF01",
  );
}

/** Reads a CSV header, a well-formed record. */
export function parseHeader(record: string): Header {
  const names = splitRecord(record);
  const columns = names.filter(isColumn);
  const unknown = names.filter((name) => !isColumn(name));
  const repeated = columns.filter((name, index) => columns.indexOf(name) !== index);
  const missing = REQUIRED_COLUMNS.filter((name) => !columns.includes(name));
  const problems = [
    ...unknown.map((name) => new RefusedField(printableName(name), "a known column", "CH17")),
    ...repeated.map((name) => new RefusedField(name, "no column twice", "FF01")),
    ...missing.map((name) => new RefusedField(name, "a required column", "CH21")),
  ];
  return { columns, problems };
}

/**
 * Reads a well-formed record under its header. Undefined when it is blank.
 * @throws RefusedField when it has another number of fields than the header
 */
export function parseRow(record: string, columns: readonly Column[]): Fields | undefined {
  const values = splitRecord(record);
  if (values.every((value) => value === "")) return undefined;
  if (values.length !== columns.length) {
    throw new RefusedField("line", `${columns.length} fields, as the header has (this has ${values.length})`, "FF01");
  }
  return new Map(columns.map((column, index) => [column, values[index] ?? ""] as const).filter(([, value]) => value));
}

function splitRecord(record: string): readonly string[] {
  // A fixed delimiter: csv-parse would otherwise take a lone CR for a line end.
  const records: string[][] = parse(record, { record_delimiter: "\n", relax_column_count: true });
  return records.flat().map((value) => value.trim());
}
