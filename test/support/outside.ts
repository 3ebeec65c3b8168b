import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { delimiter } from "node:path";

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const MOST_OUTPUT_BYTES = 16_000_000;
/** Far longer than anything takes on a busy machine: what hangs is killed, and fails. */
const TIMEOUT_MS = 240_000;
/** How this machine reaches the registry. Nothing else of ours goes along. */
const KEPT = /^(HOME|npm_config_(registry|cache|userconfig|globalconfig)|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i;

/** The environment of somebody who has installed nothing of ours: programs of the system, and their own Node first. */
export function outsideEnv(nodeFolder?: string): Readonly<Record<string, string>> {
  const kept = Object.entries(process.env).filter(([name]) => KEPT.test(name));
  const system = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  const path = nodeFolder === undefined ? system : [nodeFolder, ...system];
  return Object.fromEntries([...kept, ["PATH", path.join(delimiter)]].map(([name, value]) => [name, value ?? ""]));
}

/** Runs a program to its end. How it ends is the caller's to judge, unless it cannot be started. */
export async function runOutside(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { ...options, maxBuffer: MOST_OUTPUT_BYTES, timeout: TIMEOUT_MS }, (failure, out, err) => {
      if (failure !== null && typeof failure.code !== "number") reject(new Error(failure.message, { cause: failure }));
      else resolve({ code: typeof failure?.code === "number" ? failure.code : 0, out, err });
    });
  });
}

/** As `runOutside`, for what has to succeed; returns what it printed. */
export async function mustRun(...given: Parameters<typeof runOutside>): Promise<string> {
  const { code, out, err } = await runOutside(...given);
  if (code !== 0) throw new Error(`${given[0]} ${given[1].join(" ")} ended with ${code}:\n${out}${err}`);
  return out;
}

/** The version of a package that this project is built and tested with. */
export async function versionHere(name: string): Promise<string> {
  // npm's own form.
  const { version } = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8")) as { version: string };
  return version;
}
