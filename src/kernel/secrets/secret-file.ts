import { stat } from "node:fs/promises";
import { readTextFile } from "../text-file.ts";

const OTHERS = 0o007;

/** A secret's file that cannot be taken as it is. */
export class UnfitSecretFile extends Error {
  readonly code = "UNFIT_SECRET_FILE";
  readonly rule: string;

  constructor(rule: string) {
    super(rule);
    this.name = "UnfitSecretFile";
    this.rule = rule;
  }
}

/** The rule that a file breaks where a secret is in it; undefined where it breaks none. */
export async function whyNotPrivate(path: string): Promise<string | undefined> {
  const { mode } = await stat(path);
  if ((mode & OTHERS) === 0) return undefined;
  return `a file that only the relay's user, or its group, can open: chmod 600 ${path}`;
}

/**
 * A secret that is kept in a file. One that every user of the machine can open is none; its group may, as secrets that
 * Kubernetes mounts for a group (fsGroup, 0440) are read in no other way.
 * @throws UnfitSecretFile, NotUtf8, or Node's error where it cannot be read
 */
export async function readSecretText(path: string): Promise<string> {
  const fault = await whyNotPrivate(path);
  if (fault !== undefined) throw new UnfitSecretFile(fault);
  const text = (await readTextFile(path)).trim();
  if (text === "") throw new UnfitSecretFile(`a file that is not empty (${path})`);
  return text;
}
