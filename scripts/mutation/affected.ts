import { indexById, linearized, lookUp, membersOf, numberAt, textAt, walk } from "../lib/solidity/ast.ts";
import type { AstNode, NodesById } from "../lib/solidity/ast.ts";
import type { Source } from "../lib/solidity/compile.ts";

/** A contract that can be deployed, with the numbers of all definitions that its code is made of. */
export interface Deployable {
  readonly path: string;
  readonly name: string;
  readonly definitions: ReadonlySet<number>;
}

/** What may be the code of a contract although it is written elsewhere. */
const CODE = new Set(["FunctionDefinition", "ModifierDefinition", "VariableDeclaration"]);

/** The contracts in `own`, of all the files, that can be deployed. */
export function deployablesIn(sources: readonly Source[], own: (path: string) => boolean): readonly Deployable[] {
  const nodes = indexById(sources.map(({ ast }) => ast));
  return sources
    .filter(({ path }) => own(path))
    .flatMap(({ path, ast }) =>
      membersOf(ast, "ContractDefinition")
        .filter((contract) => textAt(contract, "contractKind") === "contract" && contract["abstract"] === false)
        .map((contract) => ({ path, name: textAt(contract, "name"), definitions: definitionsOf(contract, nodes) })),
    );
}

function definitionsOf(contract: AstNode, nodes: NodesById): ReadonlySet<number> {
  const found = new Set<number>();
  const waiting = [...linearized(contract, nodes)];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const node of walk(next)) {
      if (found.has(node.id)) continue;
      found.add(node.id);
      // An operator of a value type is a function, too.
      const named = [numberAt(node, "referencedDeclaration"), numberAt(node, "function")];
      waiting.push(...named.flatMap((id) => lookUp(nodes, id)).filter(({ nodeType }) => CODE.has(nodeType)));
    }
  }
  return found;
}
