import { SimpleMerkleTree, StandardMerkleTree } from "@openzeppelin/merkle-tree";
import { expect } from "chai";
import * as fc from "fast-check";
import { compareBytes } from "../../../src/domain/bytes/bytes.ts";
import { fromHex, toHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import { keccak256 } from "../../../src/domain/bytes/keccak.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import {
  buildMerkleTree,
  merkleMultiproof,
  merkleProof,
  merkleRoot,
  verifyMultiproof,
  verifyProof,
  type MerkleTree,
} from "../../../src/domain/merkle.ts";
import { transferLeaf, type Transfer } from "../../../src/domain/transfer.ts";
import { uetrFromRandom, uetrToBytes16 } from "../../../src/domain/uetr.ts";
import { anyTransfer } from "./arbitraries.ts";

type LeafTuple = [uetr: Hex, sourceAmount: bigint, targetAmount: bigint, detailsHash: Hex];
const LEAF_ENCODING = ["bytes16", "uint128", "uint128", "bytes32"];

const tupleOf = ({ uetr, sourceAmount, targetAmount, detailsHash }: Transfer): LeafTuple => [
  toHex(uetrToBytes16(uetr)),
  sourceAmount,
  targetAmount,
  detailsHash,
];

/** What OpenZeppelin's trees have in common. */
interface TheirTree<Leaf> {
  readonly root: string;
  getProof(index: number): string[];
  getMultiProof(indices: number[]): { leaves: Leaf[]; proof: string[]; proofFlags: boolean[] };
  leafHash(leaf: Leaf): string;
}

interface Trees<Leaf> {
  readonly transfers: readonly Transfer[];
  readonly ours: MerkleTree;
  readonly theirs: TheirTree<Leaf>;
}

function bothTrees(transfers: readonly Transfer[]): Trees<LeafTuple> {
  const ours = buildMerkleTree(transfers.map(transferLeaf));
  const theirs = StandardMerkleTree.of(transfers.map(tupleOf), LEAF_ENCODING);
  return { transfers, ours, theirs };
}

/** Over leaves that are hashed already: OpenZeppelin's hashing of a leaf takes twice as long as all of its tree. */
function bothTreesOfLeaves(transfers: readonly Transfer[]): Trees<Parameters<SimpleMerkleTree["leafHash"]>[0]> {
  const leaves = transfers.map(transferLeaf);
  return { transfers, ours: buildMerkleTree(leaves), theirs: SimpleMerkleTree.of(leaves.map(toHex)) };
}

/** Distinct transfers without the cost of drawing each from fast-check. */
function manyTransfers(count: number, salt: number): Transfer[] {
  return Array.from({ length: count }, (_, index) => {
    const seed = keccak256(Uint8Array.of(salt, index >> 16, index >> 8, index));
    return {
      uetr: uetrFromRandom(seed.slice(0, 16)),
      sourceAmount: BigInt(index),
      targetAmount: BigInt(index) * 3n,
      detailsHash: toHex(seed),
    };
  });
}

const anyTransfers = (maxLength: number) =>
  fc.uniqueArray(anyTransfer, { minLength: 1, maxLength, selector: ({ uetr }) => uetr, size: "max" });
/** Which of `count` leaves: at least one. */
const anyIndices = (count: number) =>
  fc.shuffledSubarray(
    Array.from({ length: count }, (_, index) => index),
    { minLength: 1 },
  );

function expectSame<Leaf>({ transfers, ours, theirs }: Trees<Leaf>, subset: readonly number[]): void {
  const root = merkleRoot(ours);
  expect(toHex(root)).to.equal(theirs.root);

  for (const index of subset.slice(0, 5)) {
    const proof = merkleProof(ours, index);
    expect(proof.map(toHex)).to.deep.equal(theirs.getProof(index));
    const transfer = transfers[index];
    expect(transfer !== undefined && verifyProof(root, transferLeaf(transfer), proof)).to.equal(true);
  }

  const multiproof = merkleMultiproof(ours, subset);
  const expected = theirs.getMultiProof([...subset]);
  expect(multiproof.leaves.map(toHex)).to.deep.equal(expected.leaves.map((leaf) => theirs.leafHash(leaf)));
  expect(multiproof.proof.map(toHex)).to.deep.equal(expected.proof);
  expect(multiproof.proofFlags).to.deep.equal(expected.proofFlags);
  expect(verifyMultiproof(root, multiproof)).to.equal(true);
}

describe("Merkle tree", () => {
  it("has OpenZeppelin's leaves", () => {
    fc.assert(
      fc.property(anyTransfer, (transfer) => {
        const theirs = StandardMerkleTree.of([tupleOf(transfer)], LEAF_ENCODING);
        expect(toHex(transferLeaf(transfer))).to.equal(theirs.leafHash(tupleOf(transfer)));
      }),
    );
  });

  it("is OpenZeppelin's StandardMerkleTree, proofs, multiproofs and flags included", () => {
    const anyCase = anyTransfers(200).chain((transfers) =>
      fc.tuple(fc.constant(transfers), anyIndices(transfers.length)),
    );
    fc.assert(
      fc.property(anyCase, ([transfers, subset]) => expectSame(bothTrees(transfers), subset)),
      { numRuns: 40 },
    );
  });

  it("is OpenZeppelin's at every small size, for every subset", () => {
    for (let size = 1; size <= 6; size++) {
      const trees = bothTrees(manyTransfers(size, size));
      for (let chosen = 1; chosen < 2 ** size; chosen++) {
        expectSame(
          trees,
          Array.from(trees.transfers.keys()).filter((index) => (chosen >> index) % 2 === 1),
        );
      }
    }
  });

  for (const size of [1_000, 2_048, 3_001]) {
    it(`is OpenZeppelin's with ${size} leaves`, () => {
      const trees = bothTreesOfLeaves(manyTransfers(size, 7));
      const subset = Array.from(trees.transfers.keys()).filter((index) => index % 97 === 3);
      expectSame(trees, subset);
      expectSame(trees, [size - 1]);
    });
  }

  it("of one is its leaf, proved by nothing", () => {
    const leaf = keccak256(Uint8Array.of(1));
    const tree = buildMerkleTree([leaf]);
    expect(merkleRoot(tree)).to.deep.equal(leaf);
    expect(merkleProof(tree, 0)).to.deep.equal([]);
    expect(merkleMultiproof(tree, [0])).to.deep.equal({ leaves: [leaf], proof: [], proofFlags: [] });
    expect(verifyMultiproof(leaf, { leaves: [leaf], proof: [], proofFlags: [] })).to.equal(true);
  });

  it("does not depend on the order of its leaves", () => {
    const leaves = manyTransfers(50, 1).map(transferLeaf);
    expect(merkleRoot(buildMerkleTree(leaves))).to.deep.equal(merkleRoot(buildMerkleTree(leaves.toReversed())));
  });

  it("lists the leaves of a multiproof ascending, as the ledger wants rejections", () => {
    const leaves = manyTransfers(100, 2).map(transferLeaf);
    const { leaves: listed } = merkleMultiproof(buildMerkleTree(leaves), [40, 3, 99, 0, 17]);
    expect(listed).to.deep.equal(listed.toSorted(compareBytes));
  });

  it("hands out copies", () => {
    const tree = buildMerkleTree(manyTransfers(3, 3).map(transferLeaf));
    const before = tree.nodes.slice();
    for (const node of [merkleRoot(tree), ...merkleProof(tree, 0), ...merkleMultiproof(tree, [0]).leaves]) node.fill(0);
    expect(tree.nodes).to.deep.equal(before);
  });

  it("names both indices of equal leaves", () => {
    const leaves = manyTransfers(9, 4).map(transferLeaf);
    leaves[7] = (leaves[2] ?? new Uint8Array()).slice();
    expect(() => buildMerkleTree(leaves)).to.throw(InvalidInput, "leaves[7]: another leaf than leaves[2] (given");
  });

  it("refuses what is no tree", () => {
    expect(() => buildMerkleTree([])).to.throw(InvalidInput, "leaves: at least one");
    expect(() => buildMerkleTree([new Uint8Array(31)])).to.throw(InvalidInput, "leaves[0]: 32 bytes");
  });

  it("refuses indices it does not have", () => {
    const tree = buildMerkleTree(manyTransfers(3, 5).map(transferLeaf));
    for (const index of [-1, 3, 0.5, Number.NaN]) {
      expect(() => merkleProof(tree, index))
        .to.throw(InvalidInput, "from 0 to 2")
        .with.property("field", "index");
      expect(() => merkleMultiproof(tree, [0, index]))
        .to.throw(InvalidInput)
        .with.property("field", "index");
    }
    expect(() => merkleMultiproof(tree, [])).to.throw(InvalidInput, "indices: at least one");
    expect(() => merkleMultiproof(tree, [1, 1])).to.throw(InvalidInput, "indices: no index twice");
  });
});

describe("Merkle proof", () => {
  const leaves = manyTransfers(21, 6).map(transferLeaf);
  const tree = buildMerkleTree(leaves);
  const root = merkleRoot(tree);
  const leafAt = (index: number) => leaves[index] ?? expect.fail("no such leaf");

  it("holds for its own leaf only", () => {
    const proof = merkleProof(tree, 4);
    expect(verifyProof(root, leafAt(4), proof)).to.equal(true);
    expect(verifyProof(root, leafAt(5), proof)).to.equal(false);
    expect(verifyProof(leafAt(4), leafAt(4), proof)).to.equal(false);
  });

  it("breaks at any changed bit", () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(), fc.nat(255), (index, node, bit) => {
        const proof = merkleProof(tree, index);
        const changed = proof[node % proof.length] ?? expect.fail("empty proof");
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(verifyProof(root, leafAt(index), proof)).to.equal(false);
      }),
    );
  });

  it("of several breaks at any missing, added or swapped part", () => {
    const multiproof = merkleMultiproof(tree, [2, 3, 11]);
    const { leaves: listed, proof, proofFlags } = multiproof;
    expect(verifyMultiproof(root, multiproof)).to.equal(true);
    const forged = [
      { ...multiproof, leaves: listed.slice(1) },
      { ...multiproof, leaves: listed.toReversed() },
      { ...multiproof, leaves: [...listed, leafAt(0)] },
      { ...multiproof, proof: proof.slice(1) },
      { ...multiproof, proof: [...proof, root] },
      { ...multiproof, proofFlags: proofFlags.map((flag) => !flag) },
      { ...multiproof, proofFlags: proofFlags.slice(1) },
      { leaves: [], proof: [root], proofFlags: [] },
      { leaves: [], proof: [root, root], proofFlags: [true] },
      { leaves: [leafAt(0), leafAt(1)], proof: [], proofFlags: [] },
      { leaves: [leafAt(0)], proof: [root], proofFlags: [true] },
    ];
    for (const [index, attempt] of forged.entries()) {
      expect(verifyMultiproof(root, attempt), `forgery ${index}`).to.equal(false);
    }
  });

  it("of several holds for no other flags, whichever they are", () => {
    const multiproof = merkleMultiproof(tree, [2, 3, 11]);
    const length = multiproof.proofFlags.length;
    for (let bits = 0; bits < 2 ** length; bits++) {
      const proofFlags = multiproof.proofFlags.map((_, index) => (bits >> index) % 2 === 1);
      const same = proofFlags.every((flag, index) => flag === multiproof.proofFlags[index]);
      expect(verifyMultiproof(root, { ...multiproof, proofFlags }), proofFlags.join()).to.equal(same);
    }
  });

  it("refuses hashes that are not 32 bytes", () => {
    const short = fromHex("0x00");
    expect(() => verifyProof(short, root, []))
      .to.throw(InvalidInput)
      .with.property("field", "root");
    expect(() => verifyProof(root, short, []))
      .to.throw(InvalidInput)
      .with.property("field", "leaf");
    expect(() => verifyProof(root, root, [root, short]))
      .to.throw(InvalidInput)
      .with.property("field", "proof[1]");
    expect(() => verifyMultiproof(root, { leaves: [short], proof: [], proofFlags: [] }))
      .to.throw(InvalidInput)
      .with.property("field", "leaves[0]");
    expect(() => verifyMultiproof(root, { leaves: [root], proof: [short], proofFlags: [false] }))
      .to.throw(InvalidInput)
      .with.property("field", "proof[0]");
  });
});
