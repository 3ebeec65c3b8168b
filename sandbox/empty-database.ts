import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";

/**
 * The image of an empty embedded database, made once for all processes of this checkout: PGlite takes seconds to make
 * one, and a quarter of that to load it.
 */
export async function emptyDatabase(): Promise<Blob> {
  const require = createRequire(import.meta.url);
  // The package's own file, which has a version.
  const { version } = require("../node_modules/@electric-sql/pglite/package.json") as { version: string };
  const folder = new URL("../node_modules/.cache/feiqian/", import.meta.url).pathname;
  const path = join(folder, `pglite-${version}.tar`);
  if (!existsSync(path)) {
    const empty = await PGlite.create();
    const image = await empty.dumpDataDir("none");
    await empty.close();
    await mkdir(folder, { recursive: true });
    // Under its name only when it is complete: others may be doing the same.
    const unfinished = `${path}.${process.pid}`;
    await writeFile(unfinished, Buffer.from(await image.arrayBuffer()));
    await rename(unfinished, path);
  }
  return new Blob([await readFile(path)]);
}
