import type { Readable } from "node:stream";
import { setImmediate as immediate } from "node:timers/promises";
import type { ProblemJson } from "../../../schema/problems.ts";
import type { LineResult, ParsedSubmitRequest } from "../../../schema/transfers.ts";
import type { Clock } from "../../../kernel/clock/clock.ts";
import { createUtf8Check } from "../../../kernel/text-file.ts";
import type { BrokenSubmission } from "./content.ts";
import type { Intake, Submission } from "./intake.ts";
import { acceptanceJson } from "../json.ts";
import { refused, type Refusal } from "../../../kernel/refusal.ts";
import { tooMany, type Grant } from "../../../kernel/access/auth.ts";
import type { OpenStream } from "../../../kernel/http/streams.ts";
import { parseStrictJson } from "../../../kernel/http/strict-json.ts";
import { problemOf } from "../../../kernel/http/problem.ts";
import { readSubmission } from "./submission.ts";

export const NDJSON_TYPE = "application/x-ndjson";
/** A submission is a fraction of this. */
const MAX_LINE_BYTES = 16_384;
/** Lines that are stored together. */
const LINES_PER_CHUNK = 500;
const NEWLINE = 0x0a;

/** A line that has been read, with its number. */
interface Line {
  readonly line: number;
  /** For the intake; or refused at once, for its UETR cannot be read. */
  readonly read: ParsedSubmitRequest | BrokenSubmission | Refusal;
}

export interface LineOptions {
  /** Ends it after the lines that have been read. */
  readonly stopping: AbortSignal;
  /** A refusal, as the answer to a submission of this request. */
  readonly problem: (refusal: Refusal) => ProblemJson;
  /** Lines are taken for as long as it has not ended. */
  readonly stream: OpenStream;
  /** Lets so many more transfers through, of as many as are there. */
  readonly grant: (atMost: number) => Grant;
  readonly clock: Pick<Clock, "sleep">;
}

/**
 * A stream waits for so long at most, all its pauses together, until its key may go on: then it ends, and tells when that
 * is. Callers that wait for an answer give up after a minute or so.
 */
const MAX_PAUSE_MS = 30_000;

/**
 * Takes a stream of submissions, a line each, and gives a line of result for each, in order, as it goes. It reads on only
 * as far as its own results are taken, so what it keeps is bounded. A line that is refused does not hurt the others;
 * lines whose result was given before the stream broke are accepted, and lines without one may be sent again. Where its
 * key may not go on, the last result says so: nothing was done with that line and those after it. So it does at bytes that
 * are not UTF-8, for the encoding is that of all of it: of what arrived with them nothing is taken.
 */
export async function* submitLines(body: Readable, intake: Intake, options: LineOptions): AsyncGenerator<string> {
  const { stopping, stream, problem } = options;
  const splitter = createSplitter();
  const isUtf8 = createUtf8Check();
  const interrupted = AbortSignal.any([stopping, stream.ended]);
  const left = Promise.withResolvers<"left">();
  const leave = () => left.resolve("left");
  interrupted.addEventListener("abort", leave);
  if (interrupted.aborted) leave();
  // Left where it is when the stream ends before its body: to destroy it would destroy the connection, and the last results.
  const chunks = body.iterator({ destroyOnReturn: false });
  const lines: Line[] = [];
  const pauses = { leftMs: MAX_PAUSE_MS };
  const submit = (all: boolean) => submitSome(lines, all, intake, { ...options, interrupted, pauses });
  let end: Refusal | undefined;
  try {
    for (;;) {
      const next = await Promise.race([chunks.next(), left.promise]);
      if (next === "left") {
        end = stopping.aborted ? STOPPING : await whyEnded(stream);
        break;
      }
      const isOver = next.done === true;
      // A request's body without an encoding comes as bytes.
      const chunk = isOver ? undefined : (next.value as Uint8Array);
      if (!isUtf8(chunk)) {
        end = NOT_UTF8;
        break;
      }
      lines.push(...(chunk === undefined ? splitter.end() : splitter.push(chunk)));
      end = yield* submit(isOver);
      if (end !== undefined || isOver) break;
      // What has arrived meanwhile, on its way through this process, is stored with it; nothing waits for what has not.
      if (body.readableLength === 0) await immediate();
      if (body.readableLength === 0) end = yield* submit(true);
      if (end !== undefined) break;
    }
    if (end !== undefined) yield endedAt(lines, splitter.nextLine(), end, problem);
  } finally {
    interrupted.removeEventListener("abort", leave);
    stream.close();
  }
}

interface Interruptible extends LineOptions {
  readonly interrupted: AbortSignal;
  readonly pauses: { leftMs: number };
}

const STOPPING = refused("unavailable", "the relay is stopping");
const NOT_UTF8 = refused("malformed-request", "the stream stops being UTF-8; convert all of it");

/**
 * Has lines submitted, as far as the key may go on: in full chunks, or all.
 * @returns why the stream ends, if it does
 */
async function* submitSome(
  lines: Line[],
  all: boolean,
  intake: Intake,
  { stream, grant, problem, clock, stopping, interrupted, pauses }: Interruptible,
): AsyncGenerator<string, Refusal | undefined> {
  while (lines.length >= (all ? 1 : LINES_PER_CHUNK)) {
    const why = await whyEnded(stream);
    if (why?.code === "unauthorized") return why;
    const granted = grant(Math.min(lines.length, LINES_PER_CHUNK));
    if (granted.kind === "granted") {
      yield await submitChunk(lines.splice(0, granted.transfers), why ?? intake, problem);
      continue;
    }
    pauses.leftMs -= granted.waitMs;
    if (pauses.leftMs < 0) return tooMany(granted.waitMs).refusal;
    await clock.sleep(granted.waitMs, interrupted).catch((failure: unknown) => {
      if (!interrupted.aborted) throw failure;
    });
    if (stopping.aborted) return STOPPING;
  }
  return undefined;
}

/** A store that cannot tell is not a key that has ended: its lines can be sent again. */
async function whyEnded(stream: OpenStream): Promise<Refusal | undefined> {
  try {
    return await stream.whyEnded();
  } catch (failure) {
    return problemOf(failure).refusal;
  }
}

/** @param intake why nothing can be taken in, instead */
async function submitChunk(
  lines: readonly Line[],
  intake: Intake | Refusal,
  problem: LineOptions["problem"],
): Promise<string> {
  const submissions = lines.flatMap(({ read }) => ("kind" in read ? [] : [read]));
  const all = "kind" in intake ? submissions.map(() => intake) : await submitAll(submissions, intake);
  const answers = all.values();
  return lines
    .map(({ line, read }) => {
      if ("kind" in read) return resultLine({ line }, read, problem);
      const answer = answers.next().value ?? refused("internal", "the line was not answered");
      return resultLine({ line, uetr: read.uetr }, answer, problem);
    })
    .join("");
}

/** A fault while storing is the answer of these lines, and the stream goes on: it may be over by the next. */
async function submitAll(
  submissions: readonly (ParsedSubmitRequest | BrokenSubmission)[],
  intake: Intake,
): Promise<readonly Submission[]> {
  try {
    return submissions.length === 0 ? [] : await intake.submit(submissions);
  } catch (failure) {
    const { refusal } = problemOf(failure);
    return submissions.map(() => refusal);
  }
}

function resultLine(
  about: Pick<LineResult, "line" | "uetr">,
  answer: Submission,
  problem: LineOptions["problem"],
): string {
  let result: LineResult;
  if (answer.kind === "accepted") {
    const { transfer, replayed } = answer;
    result = { ...about, status: 202, ...(replayed ? { replayed } : {}), acceptance: acceptanceJson(transfer) };
  } else {
    const told = problem(answer);
    result = { ...about, status: told.status, problem: told };
  }
  return `${JSON.stringify(result)}\n`;
}

/** Tells where the stream was left: from that line on nothing was done. */
function endedAt(lines: readonly Line[], nextLine: number, why: Refusal, problem: LineOptions["problem"]): string {
  const refusal = { ...why, detail: `${why.detail}: nothing was done with this line and those after it` };
  const line = lines[0]?.line ?? nextLine;
  return resultLine({ line }, refusal, problem);
}

interface Splitter {
  push(chunk: Uint8Array): readonly Line[];
  end(): readonly Line[];
  /** The number of the line that is being read. */
  nextLine(): number;
}

function createSplitter(): Splitter {
  let parts: Uint8Array[] = [];
  let length = 0;
  let number = 1;

  const add = (part: Uint8Array): void => {
    length += part.length;
    // Of a line that is too long nothing is kept.
    if (length > MAX_LINE_BYTES) parts = [];
    else parts.push(part);
  };
  const finish = (): Line | undefined => {
    const line = readLine(number++, length > MAX_LINE_BYTES ? undefined : Buffer.concat(parts));
    parts = [];
    length = 0;
    return line;
  };

  return {
    push(chunk) {
      const lines: Line[] = [];
      let from = 0;
      for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
        add(chunk.subarray(from, to));
        const line = finish();
        if (line !== undefined) lines.push(line);
        from = to + 1;
      }
      // A copy: the chunk is the stream's to use again.
      add(Uint8Array.from(chunk.subarray(from)));
      return lines;
    },
    end() {
      const last = length === 0 ? undefined : finish();
      return last === undefined ? [] : [last];
    },
    nextLine: () => number,
  };
}

/** Undefined for an empty line. */
function readLine(line: number, bytes: Buffer | undefined): Line | undefined {
  if (bytes === undefined) {
    return { line, read: refused("payload-too-large", `a line has at most ${MAX_LINE_BYTES} bytes`) };
  }
  if (bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) return undefined;
  try {
    return { line, read: readSubmission(parseStrictJson(bytes)) };
  } catch (failure) {
    return { line, read: problemOf(failure).refusal };
  }
}
