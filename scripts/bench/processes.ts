// Processes that a measurement starts, and what each of them takes. Linux only.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";

/** What has been started, as what ends it. */
export type Stops = (() => Promise<unknown>)[];

/** Ends what the work has started, the last first, whatever becomes of it. */
export async function withStops<Result>(work: (stops: Stops) => Promise<Result>): Promise<Result> {
  const stops: Stops = [];
  try {
    return await work(stops);
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/** One of the programs beside this file, which has said that it is ready. */
export interface Part {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it said then. */
  readonly said: string;
}

export async function startPart(
  name: "wallet" | "load" | "answer" | "naive",
  options: object,
  stops: Stops,
): Promise<Part> {
  const child = fork(new URL(`./${name}-process.ts`, import.meta.url), [JSON.stringify(options)]);
  stops.push(() => endOf(child, () => child.send("stop")));
  const said = await answerOf(child);
  if (typeof said !== "string") throw new Error(`the process "${name}" does not start`);
  return { child, pid: pidOf(child), said };
}

/** Resolves with what a process says next; rejects when it ends instead. */
export async function answerOf(child: ChildProcess): Promise<unknown> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`a process of the measurement ended with ${code}`);
  });
  const [message] = (await Promise.race([once(child, "message"), ended])) as unknown[];
  return message;
}

export async function endOf(child: ChildProcess, ask: () => unknown): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  ask();
  await ended;
}

export function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error("a process could not be started");
  return pid;
}

/** Ticks of `/proc/<pid>/stat`, which Linux counts a hundred a second of for every program. */
const TICK_MS = 10;
const KILOBYTES_A_MEGABYTE = 1_024;

/** Milliseconds of processor, user and system, of a process and of those that it has had. */
export async function processorMs(pid: number): Promise<number> {
  const fields = await statOf(pid);
  return TICK_MS * [11, 12, 13, 14].reduce((sum, index) => sum + Number.parseInt(fields[index] ?? "0", 10), 0);
}

/** The most memory that a process has had at a time, in megabytes. */
export async function peakMb(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, "utf8");
  return Number.parseInt(/^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1] ?? "", 10) / KILOBYTES_A_MEGABYTE;
}

/** As `processorMs`, of the server that has this process, with all of its others. */
export async function serverMs(backend: number): Promise<number> {
  const server = Number.parseInt((await statOf(backend))[1] ?? "", 10);
  let sum = await processorMs(server);
  for (const child of await childrenOf(server)) sum += await processorMs(child).catch(() => 0);
  return sum;
}

/** As they are now. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text
    .split(" ")
    .filter((child) => child !== "")
    .map((child) => Number.parseInt(child, 10));
}

/** From the process's state on: its name, in brackets, may have blanks in it. */
async function statOf(pid: number): Promise<readonly string[]> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
