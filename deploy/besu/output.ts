import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { refuseGenesisChange } from "./genesis-change.ts";
import { GENESIS_FILE } from "./layout.ts";
import { MANIFEST_FILE, parseManifest, sha256 } from "./manifest.ts";
import type { Files } from "./plan.ts";

/** Of a file that is being written. A crash may leave one; the next run takes it away. */
const UNFINISHED = ".feiqian-unfinished";
/** Config files and no data: what is larger was not generated. */
const MAX_FILE_BYTES = 10_000_000;

/** A folder that must not be written to: it holds what would be lost. */
export class FolderInUse extends Error {
  /** Files that stand in the way; empty where the folder was not generated at all. */
  readonly files: readonly string[];

  constructor(folder: string, files: readonly string[]) {
    super(
      files.length === 0
        ? `${folder} is not empty and was not generated: name a new folder`
        : `${folder} has files that were changed or added since it was generated, which would be lost: ${files.join(", ")}. Put what they are to say into network.json, and move them away`,
    );
    this.name = "FolderInUse";
    this.files = files;
  }
}

/** Which files differ from what was there. */
export interface Written {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
}

/**
 * Writes the files of a plan. A new folder appears whole or not at all. One that was generated before is brought up to
 * date file by file, as its folders may be mounted into containers; each file is the old one or the new one, and the
 * manifest comes last. Interrupted, the same again ends it.
 * @param isNewGenesis whether the ledger may begin anew: it has not begun yet
 * @throws FolderInUse when the folder has what was not generated, or was changed since
 * @throws GenesisChanged when the folder is of a ledger that these files would part from
 */
export async function writeFiles(folder: string, files: Files, isNewGenesis = false): Promise<Written> {
  const target = resolve(folder);
  const found = await readFolder(target);
  if (found === undefined || found.size === 0) {
    await writeNew(target, files);
    return { added: [...files.keys()], changed: [], removed: [], unchanged: 0 };
  }
  const unfinished = [...found.keys()].filter((path) => path.endsWith(UNFINISHED));
  const manifest = parseManifest(found.get(MANIFEST_FILE));
  if (manifest === undefined) throw new FolderInUse(folder, []);
  const generated = new Map(Object.entries(manifest.files));
  const own = [...found].filter(([path, text]) => {
    if (path === MANIFEST_FILE || unfinished.includes(path) || files.get(path) === text) return false;
    return generated.get(path) !== sha256(text);
  });
  if (own.length > 0) throw new FolderInUse(folder, own.map(([path]) => path).toSorted());

  if (!isNewGenesis) refuseGenesisChange(folder, found.get(GENESIS_FILE), files.get(GENESIS_FILE));
  const differing = [...files].filter(([path, text]) => found.get(path) !== text && path !== MANIFEST_FILE);
  for (const [path, text] of differing) await replace(join(target, path), text);
  const removed = [...found.keys()].filter((path) => !files.has(path) && !unfinished.includes(path)).toSorted();
  for (const path of [...removed, ...unfinished]) await rm(join(target, path), { force: true });
  const manifestText = files.get(MANIFEST_FILE);
  if (manifestText !== undefined) await replace(join(target, MANIFEST_FILE), manifestText);
  const paths = differing.map(([path]) => path);
  return {
    added: paths.filter((path) => !found.has(path)),
    changed: paths.filter((path) => found.has(path)),
    removed,
    unchanged: files.size - differing.length,
  };
}

/** Every file of a folder, by its path below; undefined where there is no such folder. What is no text is empty. */
export async function readFolder(folder: string): Promise<Files | undefined> {
  let names: readonly string[];
  try {
    names = await readdir(folder, { recursive: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const files = new Map<string, string>();
  for (const name of names.toSorted()) {
    const path = join(folder, name);
    const stat = await lstat(path);
    if (stat.isDirectory()) continue;
    files.set(name, stat.isFile() && stat.size <= MAX_FILE_BYTES ? await readFile(path, "utf8") : "");
  }
  return files;
}

async function writeNew(target: string, files: Files): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const beside = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  try {
    for (const [path, text] of files) {
      await mkdir(dirname(join(beside, path)), { recursive: true });
      await writeFile(join(beside, path), text);
    }
    // Takes the place of an empty folder, too.
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw error;
  }
}

async function replace(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}${UNFINISHED}`, text);
  await rename(`${path}${UNFINISHED}`, path);
}
