import { createHash } from "node:crypto";
import { membersOf, nodesAt, textAt } from "../lib/solidity/ast.ts";
import type { AstNode } from "../lib/solidity/ast.ts";
import type { Source } from "../lib/solidity/compile.ts";
import { changesOf } from "./operators.ts";
import type { Change, Operator } from "./operators.ts";

/** What names a mutant for as long as its lines stay as they are, wherever they move. */
export interface MutantKey {
  readonly file: string;
  /** The function or modifier, with its contract's name where it is in one. */
  readonly scope: string;
  readonly operator: Operator;
  /** The changed lines, as one, before and after. */
  readonly was: string;
  readonly becomes: string;
  /** From 1, among mutants of one scope that are otherwise the same. */
  readonly occurrence: number;
}

/** A contract with one small fault in it. */
export interface Mutant extends MutantKey {
  /** Made of the key: eight hexadecimal digits. */
  readonly id: string;
  /** From 1, as the file is now. */
  readonly line: number;
  /** The compiler's number of the function or modifier. */
  readonly definition: number;
  readonly change: Change;
}

/** All mutants of the sources, in their order. */
export function generate(sources: readonly Source[]): readonly Mutant[] {
  return sources.flatMap((source) => mutantsOf(source));
}

/** The file's text with the mutant's fault. */
export function mutate(text: Buffer, { start, length, replacement }: Change): Buffer {
  return Buffer.concat([text.subarray(0, start), Buffer.from(replacement), text.subarray(start + length)]);
}

export function idOf({ file, scope, operator, was, becomes, occurrence }: MutantKey): string {
  const parts = JSON.stringify([file, scope, operator, was, becomes, occurrence]);
  return createHash("sha256").update(parts).digest("hex").slice(0, 8);
}

function mutantsOf({ path, text, ast }: Source): readonly Mutant[] {
  const seen = new Map<string, number>();
  return definitionsIn(ast).flatMap(({ scope, definition }) =>
    changesOf(definition, text).map((change) => {
      const lines = { file: path, scope, operator: change.operator, ...linesOf(text, change) };
      const same = JSON.stringify(lines);
      const occurrence = (seen.get(same) ?? 0) + 1;
      seen.set(same, occurrence);
      const key = { ...lines, occurrence };
      return { ...key, id: idOf(key), line: lineAt(text, change.start), definition: definition.id, change };
    }),
  );
}

interface Scoped {
  readonly scope: string;
  readonly definition: AstNode;
}

function definitionsIn(file: AstNode): readonly Scoped[] {
  const free = membersOf(file, "FunctionDefinition").map((definition) => ({ scope: nameOf(definition), definition }));
  const members = membersOf(file, "ContractDefinition").flatMap((contract) =>
    nodesAt(contract, "nodes")
      .filter(({ nodeType }) => nodeType === "FunctionDefinition" || nodeType === "ModifierDefinition")
      .map((definition) => ({ scope: `${nameOf(contract)}.${nameOf(definition)}`, definition })),
  );
  return [...free, ...members];
}

/** A constructor has no name but its kind. */
function nameOf(definition: AstNode): string {
  return textAt(definition, "name") || textAt(definition, "kind");
}

function linesOf(text: Buffer, change: Change): { readonly was: string; readonly becomes: string } {
  const end = change.start + change.length;
  const from = text.lastIndexOf("\n", change.start - 1) + 1;
  const newline = text.indexOf("\n", end);
  const to = newline < 0 ? text.length : newline;
  const becomes = [text.subarray(from, change.start), Buffer.from(change.replacement), text.subarray(end, to)];
  return { was: flatten(text.subarray(from, to)), becomes: flatten(Buffer.concat(becomes)) };
}

function flatten(text: Buffer): string {
  return text.toString("utf8").replace(/\s+/g, " ").trim();
}

function lineAt(text: Buffer, offset: number): number {
  return text.subarray(0, offset).toString("utf8").split("\n").length;
}
