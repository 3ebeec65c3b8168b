import { spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";

/** A program to start, with what it adds to the environment. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** How a program ended. */
export interface Outcome {
  /** Exit status; null when a signal ended it. */
  readonly status: number | null;
  /** What it wrote to standard output, line by line, without colours. Empty unless it was captured. */
  readonly lines: readonly string[];
  readonly durationMs: number;
}

interface RunOptions {
  readonly capture?: boolean;
  readonly hold?: boolean;
  readonly output?: NodeJS.WriteStream;
}

/**
 * Runs a program to its end, with nothing on its standard input and its output shown as it comes. With `capture`, the
 * standard output is returned as well; with `hold`, all of it is shown at the end, in one piece.
 * @param output where to show what was captured or held
 * @throws Error when the program cannot be started
 */
export async function run(
  command: Command,
  { capture = false, hold = false, output = process.stdout }: RunOptions = {},
): Promise<Outcome> {
  const startedAt = performance.now();
  const colour = capture && output.isTTY ? { FORCE_COLOR: "1" } : {};
  const child = spawn(command.program, command.args, {
    env: { ...process.env, ...colour, ...command.env },
    stdio: ["ignore", capture ? "pipe" : "inherit", hold ? "pipe" : "inherit"],
  });
  let written = "";
  let held = "";
  const show = (text: string) => {
    if (hold) held += text;
    else output.write(text);
  };
  child.stderr?.setEncoding("utf8").on("data", show);
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    written += text;
    show(text);
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  output.write(held);
  const lines = stripVTControlCharacters(written).split("\n");
  return { status, lines, durationMs: performance.now() - startedAt };
}

/** A duration as a person reads it: "3.2 s", "4 min 05 s". */
export function formatDuration(durationMs: number): string {
  const seconds = durationMs / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
