import type { Readable } from "node:stream";
import { setImmediate as immediate } from "node:timers/promises";
import { submitRequestSchema, type LineResult, type ParsedSubmitRequest } from "../contract/transfers.ts";
import { isUetr } from "../domain/uetr.ts";
import type { Intake, Submission } from "../relay/intake.ts";
import { acceptanceJson } from "../relay/json.ts";
import { refused, type Refusal } from "../relay/refusal.ts";
import { parseStrictJson } from "./strict-json.ts";
import { problemJson, problemOf } from "./problem.ts";
import { faultOf } from "./validation.ts";
import { PROBLEMS } from "../contract/problems.ts";

export const NDJSON_TYPE = "application/x-ndjson";
/** A submission is a fraction of this. */
const MAX_LINE_BYTES = 16_384;
/** Lines that are stored together. */
const LINES_PER_CHUNK = 500;
const NEWLINE = 0x0a;

/** A line that has been read, with its number. */
type Line = { readonly line: number; readonly uetr: string | undefined } & (
  { readonly kind: "request"; readonly request: ParsedSubmitRequest } | Refusal
);

/**
 * Takes a stream of submissions, a line each, and gives a line of result for each, in order, as it goes. It reads on only
 * as far as its own results are taken, so what it keeps is bounded. A line that is refused does not hurt the others;
 * lines whose result was given before the stream broke are accepted, and lines without one may be sent again.
 * @param stopping ends it after the lines that have been read
 * @param instance how the log names the request
 */
export async function* submitLines(
  body: Readable,
  intake: Intake,
  { stopping, instance }: { readonly stopping: AbortSignal; readonly instance: string },
): AsyncGenerator<string> {
  const splitter = createSplitter();
  const stopped = Promise.withResolvers<"stopped">();
  const stop = () => stopped.resolve("stopped");
  stopping.addEventListener("abort", stop);
  if (stopping.aborted) stop();
  // Left where it is when the relay is stopping: to destroy it would destroy the connection, and the last results.
  const chunks = body.iterator({ destroyOnReturn: false });
  const lines: Line[] = [];
  try {
    for (;;) {
      const next = await Promise.race([chunks.next(), stopped.promise]);
      if (next === "stopped") {
        yield stoppedAt(lines, splitter.nextLine(), instance);
        return;
      }
      if (next.done === true) break;
      // A request's body without an encoding comes as bytes.
      lines.push(...splitter.push(next.value as Uint8Array));
      while (lines.length >= LINES_PER_CHUNK) {
        yield await submitChunk(lines.splice(0, LINES_PER_CHUNK), intake, instance);
      }
      // What has arrived meanwhile, on its way through this process, is stored with it; nothing waits for what has not.
      if (body.readableLength === 0) await immediate();
      if (lines.length > 0 && body.readableLength === 0) yield await submitChunk(lines.splice(0), intake, instance);
    }
    lines.push(...splitter.end());
    while (lines.length > 0) yield await submitChunk(lines.splice(0, LINES_PER_CHUNK), intake, instance);
  } finally {
    stopping.removeEventListener("abort", stop);
  }
}

async function submitChunk(lines: readonly Line[], intake: Intake, instance: string): Promise<string> {
  const requests = lines.filter((line) => line.kind === "request");
  const answers = await submitAll(
    requests.map(({ request }) => request),
    intake,
  );
  const byLine = new Map(requests.map(({ line }, index) => [line, answers[index]]));
  return lines.map((line) => resultLine(line, byLine.get(line.line) ?? line, instance)).join("");
}

/** A fault while storing is the answer of these lines, and the stream goes on: it may be over by the next. */
async function submitAll(requests: readonly ParsedSubmitRequest[], intake: Intake): Promise<readonly Submission[]> {
  try {
    return requests.length === 0 ? [] : await intake.submit(requests);
  } catch (failure) {
    const { refusal } = problemOf(failure);
    return requests.map(() => refusal);
  }
}

function resultLine({ line, uetr }: Line, answer: Submission | Line, instance: string): string {
  const about = { line, ...(uetr === undefined ? {} : { uetr }) };
  let result: LineResult;
  if (answer.kind === "accepted") {
    const { transfer, replayed } = answer;
    result = { ...about, status: 202, ...(replayed ? { replayed } : {}), acceptance: acceptanceJson(transfer) };
  } else {
    const refusal = answer.kind === "refused" ? answer : refused("internal", "the line was not answered");
    result = { ...about, status: PROBLEMS[refusal.code].status, problem: problemJson(refusal, instance) };
  }
  return `${JSON.stringify(result)}\n`;
}

/** Tells where the stream was left: from that line on nothing was looked at. */
function stoppedAt(lines: readonly Line[], nextLine: number, instance: string): string {
  const refusal = refused("unavailable", "the relay is stopping: send this line and those after it again");
  const line = lines[0]?.line ?? nextLine;
  return resultLine({ line, uetr: undefined, ...refusal }, refusal, instance);
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
    return { line, uetr: undefined, ...refused("payload-too-large", `a line has at most ${MAX_LINE_BYTES} bytes`) };
  }
  if (bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) return undefined;
  let json: unknown;
  try {
    json = parseStrictJson(bytes);
  } catch (failure) {
    return { line, uetr: undefined, ...problemOf(failure).refusal };
  }
  const uetr = uetrOf(json);
  const parsed = submitRequestSchema.safeParse(json);
  if (parsed.success) return { line, uetr, kind: "request", request: parsed.data };
  return { line, uetr, ...faultOf(parsed.error, "body") };
}

function uetrOf(json: unknown): string | undefined {
  if (typeof json !== "object" || json === null || !("uetr" in json)) return undefined;
  return typeof json.uetr === "string" && isUetr(json.uetr) ? json.uetr : undefined;
}
