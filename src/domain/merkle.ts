import { compareBytes, concat, WORD_BYTES } from "./bytes/bytes.ts";
import { toHex } from "./bytes/hex.ts";
import { hashTree, keccak256 } from "./bytes/keccak.ts";
import { InvalidInput } from "./errors.ts";

/**
 * OpenZeppelin's StandardMerkleTree over hashes that are leaves already: a complete binary tree in one array (root at 0,
 * children of i at 2i+1 and 2i+2), leaves sorted ascending and laid from its end backwards, pairs sorted before
 * hashing. So proofs verify with `MerkleProof.sol`.
 */
export interface MerkleTree {
  readonly leafCount: number;
  /** All nodes, 32 bytes each. */
  readonly nodes: Uint8Array;
  /** Node position of each leaf, in the order in which the leaves were given. */
  readonly positions: Uint32Array;
}

/** Proof of several leaves at once, in the order `MerkleProof.multiProofVerify` consumes it. */
export interface Multiproof {
  /** Strictly ascending, whatever order they were asked for in. */
  readonly leaves: readonly Uint8Array[];
  readonly proof: readonly Uint8Array[];
  /** For each hash to compute: is its second operand a leaf or an earlier hash (true), or from `proof`? */
  readonly proofFlags: readonly boolean[];
}

/**
 * Builds the tree of 1…N leaves, each 32 bytes.
 * @throws InvalidInput when there is no leaf, one has another length, or two are equal (named by their indices)
 */
export function buildMerkleTree(leaves: readonly Uint8Array[]): MerkleTree {
  if (leaves.length === 0) throw new InvalidInput("leaves", "at least one");
  requireNodes(leaves, "leaves");
  const built = hashTree(leaves);
  return built === undefined ? buildPlainMerkleTree(leaves) : { leafCount: leaves.length, ...built };
}

/** The same in JavaScript: of any number of leaves, and telling which are equal. */
export function buildPlainMerkleTree(leaves: readonly Uint8Array[]): MerkleTree {
  const ascending = leaves.map((leaf, index) => ({ leaf, index })).sort((a, b) => compareBytes(a.leaf, b.leaf));
  const nodeCount = 2 * leaves.length - 1;
  const nodes = new Uint8Array(nodeCount * WORD_BYTES);
  const positions = new Uint32Array(leaves.length);
  let previous: { readonly leaf: Uint8Array; readonly index: number } | undefined;
  for (const [rank, { leaf, index }] of ascending.entries()) {
    if (previous !== undefined && compareBytes(previous.leaf, leaf) === 0) throw duplicate(previous.index, index, leaf);
    previous = { leaf, index };
    const position = nodeCount - 1 - rank;
    nodes.set(leaf, position * WORD_BYTES);
    positions[index] = position;
  }
  for (let position = leaves.length - 2; position >= 0; position--) {
    nodes.set(hashPair(nodeAt(nodes, 2 * position + 1), nodeAt(nodes, 2 * position + 2)), position * WORD_BYTES);
  }
  return { leafCount: leaves.length, nodes, positions };
}

export function merkleRoot({ nodes }: MerkleTree): Uint8Array {
  return nodeAt(nodes, 0).slice();
}

/**
 * The siblings from a leaf up to the root; none in a tree of one.
 * @param index the leaf's index among those given to `buildMerkleTree`
 * @throws InvalidInput when there is no such leaf
 */
export function merkleProof(tree: MerkleTree, index: number): Uint8Array[] {
  const proof: Uint8Array[] = [];
  for (let position = positionOf(tree, index); position > 0; position = parentOf(position)) {
    proof.push(nodeAt(tree.nodes, siblingOf(position)).slice());
  }
  return proof;
}

/**
 * Proof of one or more leaves at once.
 * @param indices the leaves' indices among those given to `buildMerkleTree`, in any order
 * @throws InvalidInput when there is no index, one is repeated, or there is no such leaf
 */
export function merkleMultiproof(tree: MerkleTree, indices: readonly number[]): Multiproof {
  if (indices.length === 0) throw new InvalidInput("indices", "at least one");
  const leafPositions = indices.map((index) => positionOf(tree, index)).sort((a, b) => b - a);
  if (new Set(leafPositions).size !== leafPositions.length) throw new InvalidInput("indices", "no index twice");

  const queue = leafPositions.slice();
  const proof: Uint8Array[] = [];
  const proofFlags: boolean[] = [];
  for (let head = 0; ;) {
    const position = queue[head++];
    if (position === undefined || position === 0) break;
    const sibling = siblingOf(position);
    const siblingIsKnown = queue[head] === sibling;
    proofFlags.push(siblingIsKnown);
    if (siblingIsKnown) head++;
    else proof.push(nodeAt(tree.nodes, sibling).slice());
    queue.push(parentOf(position));
  }
  return { leaves: leafPositions.map((position) => nodeAt(tree.nodes, position).slice()), proof, proofFlags };
}

/**
 * Whether `proof` leads from `leaf` to `root`.
 * @throws InvalidInput when a hash is not 32 bytes
 */
export function verifyProof(root: Uint8Array, leaf: Uint8Array, proof: readonly Uint8Array[]): boolean {
  requireNode(root, "root");
  requireNode(leaf, "leaf");
  requireNodes(proof, "proof");
  return compareBytes(proof.reduce(hashPair, leaf), root) === 0;
}

/**
 * Whether a multiproof leads from all its leaves to `root`, as `MerkleProof.multiProofVerify` judges it but for one case:
 * a proof of no leaves proves nothing and is false.
 * @internal The ledger verifies what relays prove. Here it is for tests, which check proofs by it without a chain.
 * @throws InvalidInput when a hash is not 32 bytes
 */
export function verifyMultiproof(root: Uint8Array, { leaves, proof, proofFlags }: Multiproof): boolean {
  requireNode(root, "root");
  requireNodes(leaves, "leaves");
  requireNodes(proof, "proof");
  if (leaves.length === 0 || leaves.length + proof.length !== proofFlags.length + 1) return false;

  const queue = leaves.slice();
  let head = 0;
  let used = 0;
  for (const flag of proofFlags) {
    const left = queue[head++];
    const right = flag ? queue[head++] : proof[used++];
    // The counts above leave one way to use up both queue and proof; any other flags run one of them dry.
    if (left === undefined || right === undefined) return false;
    queue.push(hashPair(left, right));
  }
  const last = queue.at(-1);
  return last !== undefined && compareBytes(last, root) === 0;
}

function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  return keccak256(compareBytes(left, right) <= 0 ? concat(left, right) : concat(right, left));
}

function nodeAt(nodes: Uint8Array, position: number): Uint8Array {
  return nodes.subarray(position * WORD_BYTES, (position + 1) * WORD_BYTES);
}

function parentOf(position: number): number {
  return (position - 1) >> 1;
}

function siblingOf(position: number): number {
  return position % 2 === 0 ? position - 1 : position + 1;
}

function positionOf({ positions, leafCount }: MerkleTree, index: number): number {
  const position = positions[index];
  if (position === undefined) throw new InvalidInput("index", `a leaf's index, from 0 to ${leafCount - 1}`, index);
  return position;
}

function requireNode(node: Uint8Array, field: string): void {
  if (node.length !== WORD_BYTES) throw new InvalidInput(field, `${WORD_BYTES} bytes`, node.length);
}

function requireNodes(nodes: readonly Uint8Array[], field: string): void {
  const index = nodes.findIndex((node) => node.length !== WORD_BYTES);
  if (index >= 0) throw new InvalidInput(`${field}[${index}]`, `${WORD_BYTES} bytes`, nodes[index]?.length);
}

function duplicate(first: number, second: number, leaf: Uint8Array): InvalidInput {
  const [lower, upper] = first < second ? [first, second] : [second, first];
  return new InvalidInput(`leaves[${upper}]`, `another leaf than leaves[${lower}]`, toHex(leaf));
}
