/** The longest record, CSV or NDJSON, in bytes without its line end. Memory stays within a few of these. */
export const MAX_RECORD_BYTES = 65_536;

/** Rules that a line can break before it is read at all. */
export const TOO_LONG_RULE = `at most ${MAX_RECORD_BYTES} bytes`;
const MISPLACED_QUOTE_RULE = "RFC 4180: a field with quotes is quoted as a whole, and a quote in it doubled";
const NEVER_CLOSED_RULE = `a quote that opens has to close, within ${MAX_RECORD_BYTES} bytes`;

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const COMMA = 0x2c;
const NO_BYTES = new Uint8Array();

/** One physical line, without its LF or CRLF. */
export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Undefined when longer than `MAX_RECORD_BYTES`. */
  readonly bytes: Uint8Array | undefined;
}

/** One CSV record: a line, or several where a quoted field has line breaks. */
export interface CsvRecord {
  readonly line: number;
  readonly lastLine: number;
  readonly bytes: Uint8Array;
}

/** A line that begins no record. */
export interface MalformedLine {
  readonly line: number;
  readonly lastLine: number;
  readonly bytes: undefined;
  /** What it should be. */
  readonly rule: string;
}

/** Splits a stream into lines. A line that is too long is skipped as it arrives, never kept. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let number = 1;
  let parts: Uint8Array[] = [];
  let length = 0;

  function take(): Line {
    const bytes = length > MAX_RECORD_BYTES + 1 ? undefined : withoutCr(Buffer.concat(parts));
    const line = { number, bytes: bytes !== undefined && bytes.length > MAX_RECORD_BYTES ? undefined : bytes };
    number += 1;
    parts = [];
    length = 0;
    return line;
  }

  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      keep(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    keep(chunk.subarray(from));
  }
  if (length > 0) yield take();

  function keep(part: Uint8Array): void {
    length += part.length;
    // One byte more than the limit: it can be the CR of a line that just fits.
    if (length <= MAX_RECORD_BYTES + 1) parts.push(part);
    else parts = [];
  }
}

/**
 * Joins lines to CSV records (RFC 4180): a line break inside quotes belongs to the field. A record that is not well
 * formed, or not complete within the limit, spoils only the line that it begins on: reading goes on with the next, so
 * that one forgotten quote does not swallow the good orders after it. Every line is read at most a few times.
 */
export async function* joinCsvRecords(lines: AsyncGenerator<Line>): AsyncGenerator<CsvRecord | MalformedLine> {
  const source = withPushBack(lines);
  try {
    for (let first = await source.next(); first !== undefined; first = await source.next()) {
      const { taken, brokenRule } = await takeRecord(first, source.next);
      const [line, lastLine] = [first.number, taken.at(-1)?.number ?? first.number];
      if (brokenRule === undefined) {
        yield { line, lastLine, bytes: joinWithLf(taken) };
      } else {
        source.pushBack(taken.slice(1));
        yield { line, lastLine: line, bytes: undefined, rule: brokenRule };
      }
    }
  } finally {
    await lines.return(undefined);
  }
}

interface TakenLines {
  readonly taken: readonly Line[];
  /** What the record should have kept to; undefined for a well-formed one. */
  readonly brokenRule?: string;
}

/** Lines up to the end of the record that begins with `first`, or to where it turns out not to be one. */
async function takeRecord(first: Line, next: () => Promise<Line | undefined>): Promise<TakenLines> {
  const taken: Line[] = [];
  let length = 0;
  let state: QuoteState = "closed";
  for (let line: Line | undefined = first; line !== undefined; line = await next()) {
    taken.push(line);
    if (line.bytes === undefined) return { taken, brokenRule: line === first ? TOO_LONG_RULE : NEVER_CLOSED_RULE };
    length += line.bytes.length + 1;
    if (length > MAX_RECORD_BYTES + 1) return { taken, brokenRule: NEVER_CLOSED_RULE };
    state = quoteStateAfter(line.bytes, state);
    if (state === "misplaced") return { taken, brokenRule: MISPLACED_QUOTE_RULE };
    if (state === "closed") return { taken };
  }
  return { taken, brokenRule: NEVER_CLOSED_RULE };
}

/** Reads lines one by one, and takes some back to be read again. */
function withPushBack(lines: AsyncGenerator<Line>): {
  readonly next: () => Promise<Line | undefined>;
  readonly pushBack: (again: readonly Line[]) => void;
} {
  let queue: readonly Line[] = [];
  let head = 0;
  return {
    async next() {
      if (head < queue.length) return queue[head++];
      const result = await lines.next();
      return result.done === true ? undefined : result.value;
    },
    pushBack(again) {
      queue = [...again, ...queue.slice(head)];
      head = 0;
    },
  };
}

/** At the end of a line: no quoted field is open, one is, or a quote is where none may be. */
type QuoteState = "closed" | "open" | "misplaced";

function quoteStateAfter(bytes: Uint8Array, before: QuoteState): QuoteState {
  let inQuotes = before === "open";
  let atFieldStart = !inQuotes;
  for (let index = 0; index < bytes.length; index++) {
    const [byte, next] = [bytes[index], bytes[index + 1]];
    if (byte !== QUOTE) {
      if (!inQuotes) atFieldStart = byte === COMMA;
    } else if (!inQuotes) {
      if (!atFieldStart) return "misplaced";
      inQuotes = true;
    } else if (next === QUOTE) {
      index += 1;
    } else {
      if (next !== undefined && next !== COMMA) return "misplaced";
      inQuotes = false;
      atFieldStart = false;
    }
  }
  return inQuotes ? "open" : "closed";
}

function joinWithLf(lines: readonly Line[]): Uint8Array {
  const lineEnd = Uint8Array.of(LF);
  return Buffer.concat(lines.flatMap(({ bytes = NO_BYTES }, index) => (index === 0 ? [bytes] : [lineEnd, bytes])));
}

function withoutCr(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes;
}
