import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";

const LF = 0x0a;
const NUL = 0;
const MOST_BYTES_A_ZERO = 8;
const MAX_INCOMPLETE_BYTES = 3;
const BOM = "\ufeff";
/** How much of a file is looked at to tell what it is in. */
const SAMPLE_BYTES = 65_536;

/** A file is in another encoding than UTF-8, all of it: where some lines are, it is by chance, and says something else. */
export interface WrongEncoding {
  /** The first line that shows it, from 1. */
  readonly line: number;
  /** What the file should be, what it seems to be in, and how to convert it. */
  readonly rule: string;
}

/** A file that was to be read as text is not UTF-8. */
export class NotUtf8 extends Error {
  readonly code = "NOT_UTF_8";
  readonly rule: string;

  constructor(path: string, { rule }: WrongEncoding) {
    super(`${path}: ${rule}`);
    this.name = "NotUtf8";
    this.rule = rule;
  }
}

/**
 * A file's text, without a byte order mark.
 * @throws NotUtf8, or Node's error where it cannot be read
 */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readFile(path);
  const wrong = await findWrongEncoding([bytes]);
  if (wrong !== undefined) throw new NotUtf8(path, wrong);
  const text = bytes.toString("utf8");
  return text.startsWith(BOM) ? text.slice(BOM.length) : text;
}

/** Goes through all of a file, and keeps a chunk at a time. Undefined where it is UTF-8, with or without a byte order mark. */
export async function findWrongEncoding(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<WrongEncoding | undefined> {
  const check = createUtf8Check();
  let line = 1;
  // As much as a character can have before its last byte.
  let tail = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (isUtf16(chunk) || !check(chunk)) {
      const faulty = Buffer.concat([tail, chunk]);
      return { line: line - countOf(LF, tail) + linesBeforeFault(faulty), rule: ruleFor(faulty) };
    }
    line += countOf(LF, chunk);
    tail = Buffer.concat([tail, chunk.subarray(-MAX_INCOMPLETE_BYTES)]).subarray(-MAX_INCOMPLETE_BYTES);
  }
  return check() ? undefined : { line, rule: ruleFor(tail) };
}

/** Checks bytes chunk by chunk: whether all so far are UTF-8; called without a chunk, whether the last was complete. */
export function createUtf8Check(): (chunk?: Uint8Array) => boolean {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return (chunk) => {
    try {
      decoder.decode(chunk, { stream: chunk !== undefined });
      return true;
    } catch {
      return false;
    }
  };
}

/** Lines of a chunk, which can begin in the middle of a character, that end before the first fault. */
function linesBeforeFault(chunk: Uint8Array): number {
  let lines = 0;
  let from = chunk.findIndex((byte) => (byte & 0b1100_0000) !== 0b1000_0000);
  for (let to = chunk.indexOf(LF, from); to !== -1; to = chunk.indexOf(LF, from)) {
    const piece = chunk.subarray(from, to);
    if (isUtf16(piece) || !isUtf8(piece)) break;
    lines++;
    from = to + 1;
  }
  return lines;
}

/** By its zeros: ASCII in UTF-16 is valid UTF-8 with a zero in every character. */
function isUtf16(bytes: Uint8Array): boolean {
  return countOf(NUL, bytes) * MOST_BYTES_A_ZERO > bytes.length;
}

function countOf(wanted: number, bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + 1)) count++;
  return count;
}

/**
 * Encodings of the network's countries, by what nearly all of their bytes above 0x7f look like: pairs of the common
 * characters, Thai letters in the order in which they are written, single letters with accents inside Latin words.
 */
const ENCODINGS: readonly (readonly [name: string, iconv: string, looks: RegExp])[] = [
  ["EUC-KR", "CP949", /[\xb0-\xc8][\xa1-\xfe]/g],
  ["GBK", "GB18030", /[\xb0-\xd7][\xa1-\xfe]/g],
  ["Big5", "BIG5-HKSCS", /[\xa4-\xc6][\x40-\x7e\xa1-\xfe]/g],
  ["Thai (Windows-874)", "CP874", /[\xe0-\xe4]?[\xa1-\xce][\xd1\xd4-\xda]?[\xe7-\xee]?|[\xd0\xd2\xd3\xdf\xe5\xe6]/g],
  ["Windows-1252", "CP1252", /(?<=[A-Za-z])[\xc0-\xff]|[\xc0-\xff](?=[A-Za-z])|[\x91-\x94]/g],
];
const MOST = 0.9;
/** How .xlsx and .xls begin. */
const SPREADSHEET_FILES: readonly string[] = ["504b0304", "d0cf11e0"];
const ASCII = /\p{ASCII}/gv;

function ruleFor(chunk: Uint8Array): string {
  const convert = (iconv: string) =>
    `convert it ("iconv -f ${iconv} -t UTF-8"), or save it from the spreadsheet as "CSV UTF-8"`;
  const [first, second] = chunk;
  const hasBom = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  if (SPREADSHEET_FILES.includes(Buffer.from(chunk.subarray(0, 4)).toString("hex"))) {
    return 'text in UTF-8, not a spreadsheet\'s own file (.xlsx, .xls): save it from the spreadsheet as "CSV UTF-8"';
  }
  if (hasBom || isUtf16(chunk)) return `in UTF-8, not UTF-16: ${convert("UTF-16")}`;
  const sample = Buffer.from(chunk.subarray(0, SAMPLE_BYTES)).toString("latin1");
  const highOf = (text: string) => text.replaceAll(ASCII, "").length;
  const likely = ENCODINGS.filter(([, , looks]) => {
    const matched = Array.from(sample.matchAll(looks), ([text]) => text).join("");
    return highOf(matched) >= highOf(sample) * MOST;
  });
  const [best] = likely;
  if (best === undefined) return `in UTF-8, all of it: convert it, or save it from the spreadsheet as "CSV UTF-8"`;
  return `in UTF-8, and it looks like ${likely.map(([name]) => name).join(" or ")}: ${convert(best[1])}`;
}
