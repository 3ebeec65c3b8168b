import { readFile } from "node:fs/promises";
import { z } from "zod";
import { idOf } from "./generate.ts";
import type { MutantKey } from "./generate.ts";
import { OPERATORS } from "./operators.ts";

/** A mutant that is known to survive, and why it may. */
export interface Acceptance extends MutantKey {
  /**
   * `equivalent`: it behaves as the contract does, wherever it can be called; it counts for nothing. `tolerated`: it
   * does not, and no test says so; it counts as survived.
   */
  readonly kind: "equivalent" | "tolerated";
  readonly reason: string;
}

const ACCEPTED = "scripts/mutation/accepted.json";

const schema = z.array(
  z
    .object({
      file: z.string(),
      scope: z.string(),
      operator: z.enum(OPERATORS),
      was: z.string(),
      becomes: z.string(),
      occurrence: z.number().int().positive(),
      kind: z.enum(["equivalent", "tolerated"]),
      reason: z.string().min(20),
    })
    .strict(),
);

/** The acceptances by their mutants' ids. */
export async function readAccepted(): Promise<ReadonlyMap<string, Acceptance>> {
  return parseAccepted(await readFile(ACCEPTED, "utf8"));
}

/** @throws ZodError for what is no list of acceptances, Error for two of one mutant */
export function parseAccepted(text: string): ReadonlyMap<string, Acceptance> {
  const list = schema.parse(JSON.parse(text));
  const byId = new Map(list.map((acceptance) => [idOf(acceptance), acceptance]));
  if (byId.size < list.length) throw new Error(`${ACCEPTED} has one mutant twice`);
  return byId;
}
