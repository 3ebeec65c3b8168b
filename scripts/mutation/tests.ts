import { readdir } from "node:fs/promises";
import { basename } from "node:path";

const FOLDER = "test/contracts";
/** Gas is that of optimised code, and the trees of branches say nothing of a contract. */
const LEFT_OUT = new Set([`${FOLDER}/gas.test.ts`, `${FOLDER}/trees.test.ts`]);

/** The contracts' tests in TypeScript, by path. */
export async function contractTests(): Promise<readonly string[]> {
  const names = await readdir(FOLDER, { recursive: true });
  const files = names.filter((name) => name.endsWith(".test.ts")).map((name) => `${FOLDER}/${name}`);
  return files.filter((file) => !LEFT_OUT.has(file)).sort();
}

/**
 * The same, but those where a fault is most likely to show first: the folder of the file that it is in, then those of
 * the contracts that have it in their code.
 */
export function inOrderFor(tests: readonly string[], file: string, contracts: readonly string[]): readonly string[] {
  const folders = [basename(file, ".sol"), ...contracts].map((name) => `${FOLDER}/${kebab(name)}/`);
  const rankOf = (test: string): number => {
    const rank = folders.findIndex((folder) => test.startsWith(folder));
    return rank < 0 ? folders.length : rank;
  };
  return tests.toSorted((left, right) => rankOf(left) - rankOf(right));
}

function kebab(name: string): string {
  return name.replace(/\B[A-Z]/g, "-$&").toLowerCase();
}
