/** A node of the Solidity compiler's syntax tree. What it holds besides depends on its type. */
export interface AstNode {
  readonly id: number;
  readonly nodeType: string;
  /** "start:length:file", in bytes. */
  readonly src: string;
  readonly [key: string]: unknown;
}

/** The nodes of all files by their id, which is how nodes refer to each other. */
export type NodesById = ReadonlyMap<number, AstNode>;

export function isNode(value: unknown): value is AstNode {
  return typeof value === "object" && value !== null && "nodeType" in value && "src" in value;
}

export function nodeAt(node: AstNode, key: string): AstNode | undefined {
  const value = node[key];
  return isNode(value) ? value : undefined;
}

export function nodesAt(node: AstNode, key: string): readonly AstNode[] {
  const value = node[key];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

export function textAt(node: AstNode, key: string): string {
  const value = node[key];
  return typeof value === "string" ? value : "";
}

export function numberAt(node: AstNode, key: string): number | undefined {
  const value = node[key];
  return typeof value === "number" ? value : undefined;
}

function numbersAt(node: AstNode, key: string): readonly number[] {
  const value = node[key];
  return Array.isArray(value) ? value.filter((item) => typeof item === "number") : [];
}

/** The members of a contract or file that are of one type, in the order of the source. */
export function membersOf(node: AstNode, nodeType: string): readonly AstNode[] {
  return nodesAt(node, "nodes").filter((member) => member.nodeType === nodeType);
}

/** Parameters of a function, event, error or modifier; with `returnParameters`, what a function returns. */
export function parametersOf(node: AstNode, key = "parameters"): readonly AstNode[] {
  const list = nodeAt(node, key);
  return list === undefined ? [] : nodesAt(list, "parameters");
}

/** Where the node starts in its file, in bytes. */
export function startOf(node: AstNode): number {
  return Number.parseInt(node.src, 10);
}

/** A node and everything below it, parents first. */
export function* walk(node: AstNode): Generator<AstNode> {
  yield node;
  for (const value of Object.values(node)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (isNode(item)) yield* walk(item);
    }
  }
}

export function indexById(roots: readonly AstNode[]): NodesById {
  const nodes = new Map<number, AstNode>();
  for (const root of roots) {
    for (const node of walk(root)) nodes.set(node.id, node);
  }
  return nodes;
}

/** The functions that a function overrides, directly or not, itself first. */
export function overriddenBy(node: AstNode, nodes: NodesById): readonly AstNode[] {
  const bases = [...numbersAt(node, "baseFunctions"), ...numbersAt(node, "baseModifiers")];
  return [node, ...bases.flatMap((id) => lookUp(nodes, id)).flatMap((base) => overriddenBy(base, nodes))];
}

/** The contracts that a contract is made of, most derived first: itself, then its bases. */
export function linearized(contract: AstNode, nodes: NodesById): readonly AstNode[] {
  return numbersAt(contract, "linearizedBaseContracts").flatMap((id) => lookUp(nodes, id));
}

export function lookUp(nodes: NodesById, id: number | undefined): readonly AstNode[] {
  const node = id === undefined ? undefined : nodes.get(id);
  return node === undefined ? [] : [node];
}
