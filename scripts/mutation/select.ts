import { createHash } from "node:crypto";
import { InvalidInput } from "../../src/domain/errors.ts";
import type { Mutant } from "./generate.ts";

/**
 * The mutants of the given files, folders and ids; all of them without any.
 * @throws InvalidInput for one that names no mutant
 */
export function pick(mutants: readonly Mutant[], names: readonly string[]): readonly Mutant[] {
  for (const name of names) {
    if (!mutants.some((mutant) => isNamed(mutant, name))) {
      throw new InvalidInput("--only", "a file or folder with mutants, or a mutant's id (--list shows them)", name);
    }
  }
  return names.length === 0 ? mutants : mutants.filter((mutant) => names.some((name) => isNamed(mutant, name)));
}

/**
 * Some of the mutants, in their order. The seed decides which: the same ones as long as they are there, whatever else
 * comes and goes.
 */
export function drawSample(mutants: readonly Mutant[], count: number, seed: string): readonly Mutant[] {
  const lots = new Map(mutants.map((mutant) => [mutant, lotOf(mutant, seed)]));
  const drawn = mutants.toSorted((left, right) => ((lots.get(left) ?? "") < (lots.get(right) ?? "") ? -1 : 1));
  const chosen = new Set(drawn.slice(0, count));
  return mutants.filter((mutant) => chosen.has(mutant));
}

function isNamed({ id, file }: Mutant, name: string): boolean {
  const path = name.replace(/\/$/, "");
  return id === path || file === path || file.startsWith(`${path}/`);
}

function lotOf({ id }: Mutant, seed: string): string {
  return createHash("sha256")
    .update(JSON.stringify([seed, id]))
    .digest("hex");
}
