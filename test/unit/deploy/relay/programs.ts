import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs a program of the machine, and throws with what it has said where it does not end with 0. */
export type Program = (...args: readonly string[]) => Promise<string>;

/** Prometheus' own checker, where it is installed: CI has it. */
export async function promtool(): Promise<Program | undefined> {
  return programOf("promtool", "--version");
}

/** systemd's own checker, where it is installed: CI has it. */
export async function systemdAnalyze(): Promise<Program | undefined> {
  return programOf("systemd-analyze", "--version");
}

async function programOf(name: string, probe: string): Promise<Program | undefined> {
  const program: Program = async (...args) => {
    const { stdout, stderr } = await run(name, args);
    return `${stdout}${stderr}`;
  };
  try {
    await program(probe);
    return program;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
