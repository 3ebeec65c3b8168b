import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { mustRun, outsideEnv } from "../../support/outside.ts";

/** How npm is asked by these tests: from its cache where it can. */
export const QUIET = ["--prefer-offline", "--no-audit", "--no-fund"];

/** Installs a relay's file as the operator's manual has it; returns the folder. */
export async function unpack(tarball: string, cwd: string): Promise<string> {
  const env = outsideEnv(dirname(process.execPath));
  await mkdir(cwd);
  await mustRun("tar", ["-xzf", tarball, "-C", cwd, "--strip-components=1"], { cwd, env });
  await mustRun("npm", ["ci", "--ignore-scripts", ...QUIET], { cwd, env });
  return cwd;
}
