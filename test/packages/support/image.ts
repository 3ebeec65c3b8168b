import { execFile } from "node:child_process";
import { chmod, copyFile, cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, posix } from "node:path";
import { promisify } from "node:util";
import {
  commandOfImage,
  imageStage,
  only,
  stagesOfImage,
  variablesOfImage,
  type Step,
} from "../../unit/deploy/relay/dockerfile.ts";

const run = promisify(execFile);
/** Where a base image has its Node. */
const NODE = "usr/local/bin/node";
/** What the base image's own tools make, or take out of it: there is none here. */
const OF_BASE_IMAGE = [/^apt-get update && apt-get install -y --no-install-recommends tini /, /^rm -rf \/usr\/local\//];
const MADE_OF_BASE_IMAGE = "/usr/bin/tini-static";
/** What hands signals on to process 1's child; a child of a test needs none. */
const INIT = ["tini", "--"];

/** The files of the relay's image in a folder, put together by the steps of its Dockerfile. */
export interface Image {
  /** What `/` is in a container. */
  readonly root: string;
  readonly variables: ReadonlyMap<string, string>;
  /** Program and arguments that a container runs, with paths as they are in the folder. */
  readonly command: readonly string[];
  /** Whom it runs as, where this process may say so. */
  readonly user: { readonly uid?: number; readonly gid?: number };
  remove(): Promise<void>;
}

/**
 * Does what `docker build` would, without an engine: copies what is committed, installs what is locked, stage by stage.
 * Of the base image there is its Node only, so that what the relay needs besides has to be in what is copied.
 */
export async function assembleImage(): Promise<Image> {
  const folder = await mkdtemp(join(tmpdir(), "feiqian-image-"));
  // For the image's user to enter.
  await chmod(folder, 0o755);
  for (const { name, steps } of stagesOfImage()) {
    const root = join(folder, name);
    await mkdir(join(root, dirname(NODE)), { recursive: true });
    await copyFile(process.execPath, join(root, NODE));
    let workdir = "/";
    for (const step of steps) {
      if (step.keyword === "WORKDIR") {
        workdir = step.text;
        await mkdir(join(root, workdir), { recursive: true });
      } else if (step.keyword === "COPY") {
        await copy(step, { folder, root, workdir });
      } else if (step.keyword === "RUN") {
        await execute(step, join(root, workdir), join(root, dirname(NODE)));
      }
    }
  }
  const image = imageStage();
  const root = join(folder, image.name);
  const [uid = "", gid = ""] = only(image, "USER").text.split(":");
  const asWritten = commandOfImage();
  return {
    root,
    variables: variablesOfImage(),
    command: commandIn(root, asWritten.slice(INIT.every((word, index) => asWritten[index] === word) ? INIT.length : 0)),
    user: process.getuid?.() === 0 ? { uid: Number.parseInt(uid, 10), gid: Number.parseInt(gid, 10) } : {},
    remove: () => rm(folder, { recursive: true }),
  };
}

/** A command of the image with its paths, and its Node, in the folder. */
export function commandIn(root: string, words: readonly string[]): readonly string[] {
  return words.map((word) => (word === "node" ? join(root, NODE) : word.startsWith("/") ? join(root, word) : word));
}

interface Place {
  readonly folder: string;
  readonly root: string;
  readonly workdir: string;
}

async function copy({ args, from }: Step, { folder, root, workdir }: Place): Promise<void> {
  const target = args.at(-1) ?? "";
  for (const source of args.slice(0, -1)) {
    if (source === MADE_OF_BASE_IMAGE) continue;
    const to = join(root, posix.resolve(workdir, target.endsWith("/") ? target + basename(source) : target));
    if (from !== undefined) {
      await cp(join(folder, from, source), to, { recursive: true, verbatimSymlinks: true });
      continue;
    }
    for (const file of await committed(source)) {
      const copied = join(to, file.slice(source.length));
      await mkdir(dirname(copied), { recursive: true });
      await copyFile(file, copied);
      // As a checkout has them that was made under a strict umask.
      await chmod(copied, 0o600);
    }
  }
}

async function committed(source: string): Promise<readonly string[]> {
  const { stdout } = await run("git", ["ls-files", "-z", "--", source]);
  const files = stdout.split("\0").filter((file) => file !== "");
  if (files.length === 0) throw new Error(`COPY ${source}: nothing of it is committed`);
  return files;
}

async function execute({ text, args }: Step, cwd: string, node: string): Promise<void> {
  if (OF_BASE_IMAGE.some((pattern) => pattern.test(text))) return;
  const [program = "", ...rest] = args;
  if (program !== "npm" && program !== "chmod") throw new Error(`RUN ${text}: not known here`);
  await run(program, rest, { cwd, env: { ...process.env, PATH: `${node}${delimiter}${process.env["PATH"] ?? ""}` } });
}
