import { startOf } from "../lib/solidity/ast.ts";
import type { AstNode } from "../lib/solidity/ast.ts";

/** What a documentation comment says. Empty where it says nothing. */
export interface NatSpec {
  readonly title: string;
  readonly notice: string;
  readonly dev: string;
  readonly params: ReadonlyMap<string, string>;
  /** In the order of the values returned; a name, where there is one, is still part of the text. */
  readonly returns: readonly string[];
  /** Value of @custom:access: who may call. */
  readonly access: string;
  /** Name of the contract that the rest is taken from. */
  readonly inheritdoc: string;
}

/**
 * The documentation comment that ends just above a node: `///` lines or one block comment. Above a constant of a file
 * the compiler allows no `///`, so there `//` lines count.
 */
export function natSpecOf(node: AstNode, source: Buffer): NatSpec {
  const marker =
    node.nodeType === "VariableDeclaration" && node["stateVariable"] !== true
      ? /^\s*\/\/\/? ?(.*)$/
      : /^\s*\/\/\/ ?(.*)$/;
  return parseNatSpec(commentAbove(source.subarray(0, startOf(node)).toString("utf8"), marker));
}

export function parseNatSpec(comment: string): NatSpec {
  // What comes before the first tag is the notice.
  const tagged = comment.startsWith("@") ? comment : `@notice ${comment}`;
  const tags = [...tagged.matchAll(/(?:^|\n)@([\w:]+) ?([\s\S]*?)(?=\n@[a-z]|$)/g)].map(([, tag = "", text = ""]) => ({
    tag,
    text: text.trim(),
  }));
  const textsOf = (tag: string): readonly string[] =>
    tags.filter((found) => found.tag === tag && found.text !== "").map(({ text }) => text);
  return {
    title: textsOf("title").join(" "),
    notice: textsOf("notice").join("\n\n"),
    dev: textsOf("dev").join("\n\n"),
    params: new Map(textsOf("param").map(splitName)),
    returns: textsOf("return"),
    access: textsOf("custom:access").join(" "),
    inheritdoc: textsOf("inheritdoc").join(""),
  };
}

/** "amount minor units" → ["amount", "minor units"] */
export function splitName(text: string): readonly [string, string] {
  const [, name = text, rest = ""] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  return [name, rest];
}

function commentAbove(before: string, marker: RegExp): string {
  const lines = before.split("\n");
  // The last piece is the start of the node's own line.
  const own = lines.pop() ?? "";
  const block = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(before);
  if (block !== null) {
    return (block[1] ?? "").replaceAll(/^[ \t]*\*? ?/gm, "").trim();
  }
  if (own.trim() !== "") return "";
  const found: string[] = [];
  for (let line = lines.pop(); line !== undefined; line = lines.pop()) {
    const [, text] = marker.exec(line) ?? [];
    if (text === undefined) break;
    found.unshift(text.trimEnd());
  }
  return found.join("\n");
}
