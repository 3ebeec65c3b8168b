import { linearized, lookUp, nodeAt, nodesAt, numberAt, overriddenBy, textAt, walk } from "../lib/solidity/ast.ts";
import type { AstNode, NodesById } from "../lib/solidity/ast.ts";

/** What can happen inside a function, as far as its code tells. */
export interface Reach {
  /** Custom errors it may end with, its own and those of what it calls. */
  readonly errors: ReadonlySet<AstNode>;
  /** Whether it looks at who calls. */
  readonly readsCaller: boolean;
}

/** In code that is reached, behind a condition that is checked before: `Settlements` looks at a proof's shape first. */
const NEVER_RAISED: ReadonlySet<string> = new Set(["MerkleProofInvalidMultiproof"]);

interface Search {
  readonly nodes: NodesById;
  /** Contracts that can be deployed: what a call through an interface may arrive at. */
  readonly deployed: readonly AstNode[];
  readonly errors: Set<AstNode>;
  readonly visited: Set<string>;
  readsCaller: boolean;
}

/**
 * Follows a function of a contract through everything it calls: its modifiers, internal functions, libraries, and calls
 * through interfaces to the deployed contracts that implement them. Errors in the target of a `try` stay there.
 */
export function reachOf(entry: AstNode, contract: AstNode, nodes: NodesById, deployed: readonly AstNode[]): Reach {
  const search: Search = { nodes, deployed, errors: new Set(), visited: new Set(), readsCaller: false };
  follow(entry, contract, true, search);
  return { errors: search.errors, readsCaller: search.readsCaller };
}

/** @param own whether `msg.sender` is still the one who called the entry */
function follow(code: AstNode, contract: AstNode, own: boolean, search: Search): void {
  const key = `${code.id}:${contract.id}:${String(own)}`;
  if (search.visited.has(key)) return;
  search.visited.add(key);
  const tried = new Set<AstNode>();
  for (const node of walk(code)) {
    if (node.nodeType === "TryStatement") {
      const call = nodeAt(node, "externalCall");
      const target = call === undefined ? undefined : nodeAt(call, "expression");
      if (target !== undefined) tried.add(target);
    }
    if (own && isCaller(node)) search.readsCaller = true;
    if (tried.has(node)) continue;
    for (const target of lookUp(search.nodes, referenceOf(node))) visit(node, target, contract, own, search);
  }
}

function visit(reference: AstNode, target: AstNode, contract: AstNode, own: boolean, search: Search): void {
  if (target.nodeType === "ErrorDefinition") {
    if (!NEVER_RAISED.has(textAt(target, "name"))) search.errors.add(target);
  } else if (target.nodeType === "ModifierDefinition") {
    follow(implementationIn(contract, target, search.nodes) ?? target, contract, own, search);
  } else if (target.nodeType === "FunctionDefinition") {
    if (isExternal(reference)) {
      for (const other of search.deployed) {
        const code = implementationIn(other, target, search.nodes);
        if (code !== undefined) follow(code, other, false, search);
      }
    } else {
      const code = isSuper(reference) ? target : (implementationIn(contract, target, search.nodes) ?? target);
      follow(code, contract, own, search);
    }
  }
}

/** The function or modifier that runs in `contract` where `target` is called: `target`, or what overrides it last. */
function implementationIn(contract: AstNode, target: AstNode, nodes: NodesById): AstNode | undefined {
  for (const base of linearized(contract, nodes)) {
    const found = nodesAt(base, "nodes").find(
      (member) => nodeAt(member, "body") !== undefined && overriddenBy(member, nodes).includes(target),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

function referenceOf(node: AstNode): number | undefined {
  return numberAt(node, "referencedDeclaration") ?? numberAt(node, "function");
}

function isExternal(reference: AstNode): boolean {
  const types: unknown = reference["typeDescriptions"];
  if (typeof types !== "object" || types === null || !("typeIdentifier" in types)) return false;
  return typeof types.typeIdentifier === "string" && types.typeIdentifier.startsWith("t_function_external");
}

function isSuper(reference: AstNode): boolean {
  const target = nodeAt(reference, "expression");
  return target !== undefined && textAt(target, "name") === "super";
}

function isCaller(node: AstNode): boolean {
  const object = nodeAt(node, "expression");
  return (
    node.nodeType === "MemberAccess" &&
    textAt(node, "memberName") === "sender" &&
    textAt(object ?? node, "name") === "msg"
  );
}
