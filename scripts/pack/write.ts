import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { run } from "../lib/run.ts";
import type { Package } from "./packages.ts";

/** Writes a package's tarball into a folder, and returns its path. */
export async function writePackage({ name, files }: Package, folder: string): Promise<string> {
  const staged = await mkdtemp(join(tmpdir(), "feiqian-pack-"));
  try {
    for (const [path, text] of files) {
      const file = join(staged, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
    }
    await mkdir(folder, { recursive: true });
    const args = ["pack", "--silent", "--pack-destination", resolve(folder), staged];
    const { status, lines } = await run({ program: "npm", args }, { capture: true, output: process.stderr });
    const [tarball = ""] = lines;
    if (status !== 0 || !tarball.endsWith(".tgz")) throw new Error(`npm could not pack ${name}`);
    return join(folder, tarball);
  } finally {
    await rm(staged, { recursive: true });
  }
}
