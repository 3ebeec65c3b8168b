import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A program, unpacked, and the environment in which it finds its library. */
export interface NodeProgram {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs one of the node's own commands to its end. @returns what it printed on stdout @throws Error with what it said */
export async function runNode(program: NodeProgram, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(program.path, args, { env: { ...process.env, ...program.env } });
    return stdout;
  } catch (failure) {
    const said = failure instanceof Error && "stderr" in failure ? String(failure.stderr).trim() : String(failure);
    throw new Error(`the node's "${args.slice(0, 2).join(" ")}" failed: ${said.slice(-1_000)}`, { cause: failure });
  }
}

/** Runs a program of the system's, ip for one. @throws Error with what it said */
export async function runSystem(command: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(command, args);
  return stdout;
}
