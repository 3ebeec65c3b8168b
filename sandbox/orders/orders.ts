import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import type { PartnerId } from "../../src/domain/partner.ts";
import type { Uetr } from "../../src/domain/uetr.ts";
import type { Random } from "../../src/kernel/random.ts";
import { findWrongEncoding } from "../../src/kernel/text-file.ts";
import { hasCorridor } from "../day/flows.ts";
import type { Order } from "./order.ts";
import type { FieldContext, Fields, OrderReason } from "./columns.ts";
import { orRefusal, parseOrder, RefusedField } from "./columns.ts";
import type { Header } from "./csv.ts";
import { foreignHeader, parseHeader, parseRow } from "./csv.ts";
import type { CsvRecord, Line, MalformedLine } from "./lines.ts";
import { joinCsvRecords, splitLines, TOO_LONG_RULE } from "./lines.ts";
import { parseJsonLine } from "./ndjson.ts";

export type { OrderReason } from "./columns.ts";
export type OrdersFormat = "csv" | "ndjson";

/** Orders of one file: their UETRs are kept in memory to find duplicates. */
const MAX_ORDERS = 1_000_000;

export interface AcceptedOrder {
  readonly accepted: true;
  readonly line: number;
  readonly order: Order;
  /** Whether the sandbox opens an account for the creditor; without one, the transfer is to be refused (AC03). */
  readonly creditorExists: boolean;
}

export interface RefusedOrder {
  readonly accepted: false;
  /** The line of the file, from 1; of a record over several lines the first. */
  readonly line: number;
  readonly lastLine: number;
  /** The first column at fault; "line" for the line as a whole, "file" for the file. */
  readonly field: string;
  /** What a valid value looks like. Never the value itself: it can be personal data. */
  readonly rule: string;
  readonly reason: OrderReason;
}

export type OrderResult = AcceptedOrder | RefusedOrder;

export interface ReadOptions {
  /** Found out from the content when left out: NDJSON starts with "{". */
  readonly format?: OrdersFormat;
  /** Makes the UETRs of orders that come without: the same file and seed give the same ones. */
  readonly random: Random;
  /** Default: the corridors of the sandbox network. */
  readonly hasCorridor?: (source: PartnerId, target: PartnerId) => boolean;
  /** How many orders to accept; the first line after them is refused and ends the reading. Default `MAX_ORDERS`. */
  readonly maxOrders?: number;
}

/**
 * Reads orders of one's own: CSV (RFC 4180, header first, comma) or NDJSON (one object a line, every value a
 * string), UTF-8 with or without BOM, lines ended by LF or CRLF, records of at most 64 KiB. Blank lines are skipped,
 * and spaces around values dropped. Every bad line gives one refusal, for its first fault; the others go on. A CSV
 * header with unknown, repeated or missing columns ends the reading, and of a file in another encoding nothing is read:
 * lines of it that happen to be UTF-8 say something else.
 *
 * | column | required | value |
 * |---|---|---|
 * | `source` | yes | sending wallet: name, in any case, or partner id |
 * | `target` | yes | receiving wallet, written the same way; another one, with a corridor from the source |
 * | `amount` | yes | what leaves the debtor, in major units: digits and at most one point, such as `1500` or `99.50`; no more decimals than the currency has. In NDJSON a string |
 * | `currency` | yes | ISO 4217 code; the source wallet's own |
 * | `debtor_name` | yes | who pays, in Latin letters: text of at most 140 characters, by the rules of `domain/text.ts` |
 * | `debtor_phone` | yes | mobile number of the source wallet's country: `+85251234567`, or as it is written there |
 * | `creditor_name` | yes | who is paid; the same rules |
 * | `creditor_phone` | yes | mobile number of the target wallet's country; the same rules |
 * | `uetr` | no | UUID version 4, lower case; made up when empty. The second order of one UETR is refused (AM05) |
 * | `debtor_name_local` | no | the name in the debtor's own script; by default as `debtor_name` |
 * | `creditor_name_local` | no | the same, of the creditor |
 * | `purpose` | no | ISO 20022 purpose code: DEPD, EDUC, GIFT, MDCS, RENT, UBIL, SAVG, HLRP, LOAR, CHAR or OTHR (default) |
 * | `remittance` | no | message to the creditor, text of the same kind; line breaks become spaces |
 * | `at` | no | time of day in UTC, `HH:MM:SS`; by default 00:00:00 |
 * | `creditor_exists` | no | `no` for a beneficiary without an account, whose transfer is then refused (AC03); by default `yes` |
 */
export async function* readOrders(
  open: () => AsyncIterable<Uint8Array>,
  options: ReadOptions,
): AsyncGenerator<OrderResult> {
  const wrong = await findWrongEncoding(open());
  if (wrong !== undefined) {
    yield refusal({ line: wrong.line, lastLine: wrong.line }, new RefusedField("file", wrong.rule, "RR10"));
    return;
  }
  const lines = splitLines(open());
  const first = await firstLine(lines);
  const format = options.format ?? (first?.bytes?.find(isPrinted) === OPENING_BRACE ? "ndjson" : "csv");
  const problem = first === undefined ? new RefusedField("file", "not empty", "FF01") : problemOfFile(first, format);
  if (first === undefined || problem !== undefined) {
    await lines.return(undefined);
    const line = first?.number ?? 1;
    if (problem !== undefined) yield refusal({ line, lastLine: line }, problem);
    return;
  }
  const all = startWith(first, lines);
  yield* toOrders(format === "csv" ? readCsv(all) : readNdjson(all), options);
}

/**
 * `readOrders` of a file, which is gone through twice; .csv, .ndjson and .jsonl say what is in it. A file that cannot be
 * read throws Node's error.
 */
export async function* readOrdersFile(path: string, options: Omit<ReadOptions, "format">): AsyncGenerator<OrderResult> {
  if (!(await stat(path)).isFile()) {
    yield refusal({ line: 1, lastLine: 1 }, new RefusedField("file", "a file on a disk, not a pipe or folder", "FF01"));
    return;
  }
  const format = FORMAT_BY_EXTENSION.get(extname(path).toLowerCase());
  yield* readOrders(() => createReadStream(path), format === undefined ? options : { ...options, format });
}

type Span = Pick<RefusedOrder, "line" | "lastLine">;

interface ReadRecord extends Span {
  /** Undefined when blank. */
  readonly content: Fields | RefusedField | undefined;
}

const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;
const SPACE = 0x20;
const FORMAT_BY_EXTENSION: ReadonlyMap<string, OrdersFormat> = new Map([
  [".csv", "csv"],
  [".ndjson", "ndjson"],
  [".jsonl", "ndjson"],
]);

async function* toOrders(
  records: AsyncIterable<ReadRecord>,
  { random, hasCorridor: exists = hasCorridor, maxOrders = MAX_ORDERS }: ReadOptions,
): AsyncGenerator<OrderResult> {
  const seen = new Set<Uetr>();
  for await (const record of records) {
    const { content } = record;
    if (content === undefined) continue;
    if (seen.size >= maxOrders) {
      yield refusal(record, new RefusedField("file", `at most ${maxOrders} orders; the rest is not read`, "FF01"));
      return;
    }
    const uetrBytes = () => random.fork(`uetr of line ${record.line}`).bytes(16);
    yield toOrder(record, content, { uetrBytes, hasCorridor: exists }, seen);
  }
}

function toOrder(
  record: ReadRecord,
  content: Fields | RefusedField,
  context: FieldContext,
  seen: Set<Uetr>,
): OrderResult {
  const parsed = content instanceof RefusedField ? content : orRefusal(() => parseOrder(content, context));
  if (parsed instanceof RefusedField) return refusal(record, parsed);
  if (seen.has(parsed.order.uetr)) {
    return refusal(record, new RefusedField("uetr", "one that no order before in this file has", "AM05"));
  }
  seen.add(parsed.order.uetr);
  return { accepted: true, line: record.line, ...parsed };
}

async function* readCsv(lines: AsyncGenerator<Line>): AsyncGenerator<ReadRecord> {
  let columns: Header["columns"] | undefined;
  for await (const record of joinCsvRecords(lines)) {
    const known = columns;
    if (known !== undefined) {
      yield { ...record, content: orRefusal(() => parseRow(textOf(record), known)) };
      continue;
    }
    const header = orRefusal(() => parseHeader(textOf(record)));
    const problems = header instanceof RefusedField ? [header] : header.problems;
    if (header instanceof RefusedField || problems.length > 0) {
      yield* problems.map((problem) => ({ ...record, content: problem }));
      return;
    }
    columns = header.columns;
  }
}

async function* readNdjson(lines: AsyncGenerator<Line>): AsyncGenerator<ReadRecord> {
  for await (const { number: line, bytes } of lines) {
    const span = { line, lastLine: line };
    const record = bytes === undefined ? { ...span, bytes, rule: TOO_LONG_RULE } : { ...span, bytes };
    yield { ...span, content: orRefusal(() => parseJsonLine(textOf(record))) };
  }
}

/** @throws RefusedField when there is no well-formed text */
function textOf(record: CsvRecord | MalformedLine): string {
  if (record.bytes === undefined) throw new RefusedField("line", record.rule, "FF01");
  // Strictly: all of the file was UTF-8 a moment ago.
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(record.bytes);
}

function refusal({ line, lastLine }: Span, { field, rule, reason }: RefusedField): RefusedOrder {
  return { accepted: false, line, lastLine, field, rule, reason };
}

/** The first line with something on it, without the byte order mark. */
async function firstLine(lines: AsyncGenerator<Line>): Promise<Line | undefined> {
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    const line = next.value.number === 1 ? withoutBom(next.value) : next.value;
    if (line.bytes === undefined || line.bytes.some(isPrinted)) return line;
  }
  return undefined;
}

function withoutBom(line: Line): Line {
  const [first, second, third] = line.bytes ?? [];
  const hasBom = first === 0xef && second === 0xbb && third === 0xbf;
  return hasBom ? { ...line, bytes: line.bytes?.subarray(3) } : line;
}

function problemOfFile({ bytes }: Line, format: OrdersFormat): RefusedField | undefined {
  if (bytes?.find(isPrinted) === OPENING_BRACKET) {
    return new RefusedField("file", "CSV with a header, or NDJSON with one object per line; not a JSON array", "FF01");
  }
  return format === "csv" && bytes !== undefined ? foreignHeader(Buffer.from(bytes).toString("utf8")) : undefined;
}

function isPrinted(byte: number): boolean {
  return byte > SPACE;
}

async function* startWith(first: Line, rest: AsyncGenerator<Line>): AsyncGenerator<Line> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
