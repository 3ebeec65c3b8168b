import { compile } from "../lib/solidity/compile.ts";
import type { Deployable } from "./affected.ts";

/** A contract's code, as its artifact has it, made without optimisation: a mutant is run a few times only. */
export interface Code {
  readonly path: string;
  readonly name: string;
  readonly creation: string;
  readonly deployed: string;
}

/** How the compiler makes code: the new way takes ten times as long, and is for what the old one has no room for. */
export type Pipeline = "legacy" | "ir";

export type Built =
  | { readonly kind: "built"; readonly codes: readonly Code[] }
  | { readonly kind: "refused"; readonly errors: readonly string[] };

export type Target = Pick<Deployable, "path" | "name">;

/** The code of some of the contracts. */
export function build(texts: ReadonlyMap<string, Buffer>, targets: readonly Target[], pipeline: Pipeline): Built {
  const wanted = ["evm.bytecode.object", "evm.deployedBytecode.object"];
  const { errors, contracts } = compile(texts, {
    viaIR: pipeline === "ir",
    optimizer: { enabled: false },
    // Without a hash of the sources in it, code that does the same is the same.
    metadata: { appendCBOR: false },
    debug: { debugInfo: [] },
    outputSelection: Object.fromEntries(
      Object.entries(Object.groupBy(targets, ({ path }) => path)).map(([path, group = []]) => [
        path,
        Object.fromEntries(group.map(({ name }) => [name, wanted])),
      ]),
    ),
  });
  if (errors.length > 0) return { kind: "refused", errors };
  const codes = targets.map(({ path, name }) => {
    const made = contracts[path]?.[name]?.evm;
    if (made === undefined) throw new Error(`the compiler made no code of ${name} in ${path}`);
    return { path, name, creation: `0x${made.bytecode.object}`, deployed: `0x${made.deployedBytecode.object}` };
  });
  return { kind: "built", codes };
}
