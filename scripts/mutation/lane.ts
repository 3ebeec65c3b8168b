import { deployablesIn } from "./affected.ts";
import type { Deployable } from "./affected.ts";
import type { Code, Pipeline } from "./code.ts";
import { startCompiler } from "./compiler.ts";
import type { Compiler } from "./compiler.ts";
import { mutate } from "./generate.ts";
import type { Mutant } from "./generate.ts";
import { inOrderFor } from "./tests.ts";
import { install, openWorkshop, runTests } from "./workshop.ts";
import type { TestOutcome, Workshop } from "./workshop.ts";
import type { Source } from "../lib/solidity/compile.ts";

/** What became of a mutant. */
export type Verdict =
  | { readonly kind: "killed"; readonly test: string }
  | { readonly kind: "survived" }
  /** Counts as killed: the tests would not have ended. */
  | { readonly kind: "timed-out" }
  /** Counts for nothing: the compiler refuses it, or makes the same code of it. */
  | { readonly kind: "invalid"; readonly why: string };

export interface Result {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
}

/** The contracts without a fault, made as mutants are. */
export interface Subject {
  readonly texts: ReadonlyMap<string, Buffer>;
  readonly contracts: readonly SubjectContract[];
  /** Test files, by path. */
  readonly tests: readonly string[];
}

interface SubjectContract extends Deployable {
  readonly pipeline: Pipeline;
  readonly code: Code;
}

/** Where one mutant after the other is made and tested. */
export interface Lane {
  readonly compiler: Compiler;
  readonly workshop: Workshop;
}

/** A lane whose workshop has the contracts without a fault. The folder is empty. */
export async function openLane(folder: string): Promise<Lane> {
  return { compiler: startCompiler(), workshop: await openWorkshop(folder) };
}

/**
 * Makes the code of all contracts in `sources` that can be deployed.
 * @throws Error when they do not compile
 */
export async function makeSubject(
  { compiler }: Lane,
  sources: readonly Source[],
  isOwn: (path: string) => boolean,
  tests: readonly string[],
): Promise<Subject> {
  const texts = new Map(sources.filter(({ path }) => isOwn(path)).map(({ path, text }) => [path, text]));
  const contracts: SubjectContract[] = [];
  for (const deployable of deployablesIn(sources, isOwn)) {
    contracts.push({ ...deployable, ...(await makeCode(compiler, texts, deployable)) });
  }
  return { texts, contracts, tests };
}

/** By the old pipeline where it can; by the new one where functions have too many variables for that. */
async function makeCode(
  compiler: Compiler,
  texts: ReadonlyMap<string, Buffer>,
  { path, name }: Deployable,
): Promise<Pick<SubjectContract, "pipeline" | "code">> {
  const targets = [{ path, name }];
  const old = await compiler.build({ texts, targets, pipeline: "legacy" });
  if (old.kind === "built") return { pipeline: "legacy", code: only(old.codes) };
  if (!old.errors.some((error) => error.includes("Stack too deep"))) throw new Error(old.errors.join("\n"));
  const built = await compiler.build({ texts, targets, pipeline: "ir" });
  if (built.kind === "refused") throw new Error(built.errors.join("\n"));
  return { pipeline: "ir", code: only(built.codes) };
}

function only([code]: readonly Code[]): Code {
  if (code === undefined) throw new Error("the compiler made no code");
  return code;
}

export async function installSubject({ workshop }: Lane, { contracts }: Subject): Promise<void> {
  await install(
    workshop,
    contracts.map(({ code }) => code),
  );
}

export async function testSubject({ workshop }: Lane, { tests }: Subject, signal: AbortSignal): Promise<TestOutcome> {
  return runTests(workshop, tests, 0, signal);
}

/** Makes the mutant, tests it, and puts things back. */
export async function tryMutant(
  { compiler, workshop }: Lane,
  { texts, contracts, tests }: Subject,
  mutant: Mutant,
  limitMs: number,
  signal: AbortSignal,
): Promise<Verdict> {
  const affected = contracts.filter(({ definitions }) => definitions.has(mutant.definition));
  const original = texts.get(mutant.file);
  if (original === undefined || affected.length === 0) {
    return { kind: "invalid", why: "no contract has it in its code" };
  }
  const changed = new Map(texts).set(mutant.file, mutate(original, mutant.change));
  const codes: Code[] = [];
  for (const pipeline of ["legacy", "ir"] as const) {
    const targets = affected.filter((contract) => contract.pipeline === pipeline);
    if (targets.length === 0) continue;
    const built = await compiler.build({
      texts: changed,
      targets: targets.map(({ path, name }) => ({ path, name })),
      pipeline,
    });
    if (built.kind === "refused") return { kind: "invalid", why: built.errors[0] ?? "the compiler refuses it" };
    codes.push(...built.codes);
  }
  const before = affected.map(({ code }) => code);
  if (codes.every(({ creation }) => before.some((code) => code.creation === creation))) {
    return { kind: "invalid", why: "it compiles to the same code" };
  }
  await install(workshop, codes);
  const names = affected.map(({ name }) => name);
  const outcome = await runTests(workshop, inOrderFor(tests, mutant.file, names), limitMs, signal);
  await install(workshop, before);
  if (outcome.kind === "failed") return { kind: "killed", test: outcome.test };
  return outcome.kind === "passed" ? { kind: "survived" } : outcome;
}
