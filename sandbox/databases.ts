import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { migrationsOf } from "../src/app/composition.ts";
import { FEATURES } from "../src/app/features.ts";
import { migrate, migrationsDigest } from "../src/kernel/store/migrate.ts";
import { openPgliteSchemas } from "../src/kernel/store/pglite.ts";

// Images of embedded databases, made once for all processes of this checkout: PGlite takes seconds to make one, and a
// quarter of that to load it.

/** An empty one. */
export function emptyDatabase(): Promise<Blob> {
  return kept("empty", "", async () => {
    const store = await openPgliteSchemas(undefined);
    return store.image().finally(() => store.close());
  });
}

/** One with a relay's tables in each of the schemas, as a relay that starts would make them. */
export async function relayDatabases(schemas: readonly string[]): Promise<Blob> {
  const folders = migrationsOf(FEATURES);
  return kept(`relays-${schemas.length}`, await migrationsDigest(folders), async () => {
    const store = await openPgliteSchemas(undefined, await emptyDatabase());
    try {
      for (const schema of schemas) await migrate(await store.database(schema), folders);
      return await store.image();
    } finally {
      await store.close();
    }
  });
}

/** @param digest of what it is made from: that of others is not kept */
async function kept(name: string, digest: string, make: () => Promise<Blob>): Promise<Blob> {
  const require = createRequire(import.meta.url);
  // The package's own file, which has a version.
  const { version } = require("../node_modules/@electric-sql/pglite/package.json") as { version: string };
  const folder = new URL("../node_modules/.cache/feiqian/", import.meta.url).pathname;
  const start = `pglite-${version}-${name}-`;
  const file = `${start}${digest.slice(0, DIGEST_LENGTH)}.tar`;
  const path = join(folder, file);
  if (!existsSync(path)) {
    const image = await make();
    await mkdir(folder, { recursive: true });
    const old = (await readdir(folder)).filter((each) => each.startsWith(start) && each.endsWith(".tar"));
    for (const each of old) await rm(join(folder, each), { force: true });
    // Under its name only when it is complete: others may be doing the same.
    const unfinished = `${path}.${process.pid}`;
    await writeFile(unfinished, Buffer.from(await image.arrayBuffer()));
    await rename(unfinished, path);
  }
  return new Blob([await readFile(path)]);
}

const DIGEST_LENGTH = 16;
