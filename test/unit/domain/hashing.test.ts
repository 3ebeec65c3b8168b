import { keccak_256 } from "@noble/hashes/sha3.js";
import { expect } from "chai";
import * as fc from "fast-check";
import { compareBytes, concat, utf8 } from "../../../src/domain/bytes/bytes.ts";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { hashLeaf, hashTree, keccak256 } from "../../../src/domain/bytes/keccak.ts";
import { DETAIL_GROUPS, hashCanonical } from "../../../src/domain/details.ts";
import { buildMerkleTree, buildPlainMerkleTree } from "../../../src/domain/merkle.ts";

// What WebAssembly computes, beside the same in JavaScript: the two have to agree on everything.

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
/** Around the blocks of 136 bytes, and around where JavaScript takes over. */
const messages = fc.oneof(
  { weight: 10, arbitrary: fc.uint8Array({ maxLength: 600, size: "max" }) },
  { weight: 1, arbitrary: fc.integer({ min: -3, max: 3 }).map((more) => new Uint8Array(2 ** 16 + more).fill(7)) },
);
/** In any script, half a surrogate pair among them, and longer than the memory that there is for them. */
const texts = fc.oneof(
  { weight: 20, arbitrary: fc.string({ unit: "binary", maxLength: 400, size: "max" }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 12_000 }).map((length) => "文".repeat(length)) },
);

function plainDetails(groups: Readonly<Record<(typeof DETAIL_GROUPS)[number], string>>, salt: Uint8Array): Uint8Array {
  const commitments = DETAIL_GROUPS.map((group) =>
    keccak_256(concat(keccak_256(concat(salt, utf8(group))), utf8(groups[group]))),
  );
  return keccak_256(concat(...commitments));
}

describe("hashing in WebAssembly", () => {
  it("gives Keccak-256 of any message, as @noble/hashes does (property)", () => {
    for (let length = 0; length < 420; length++) {
      const message = Uint8Array.from({ length }, (_, index) => index * 7 + length);
      expect(toHex(keccak256(message)), `${length} bytes`).to.equal(toHex(keccak_256(message)));
    }
    fc.assert(
      fc.property(messages, (message) => {
        expect(toHex(keccak256(message))).to.equal(toHex(keccak_256(message)));
      }),
    );
  });

  it("gives the hash of any details (property)", () => {
    fc.assert(
      fc.property(bytes(32), texts, texts, texts, (salt, debtor, creditor, remittance) => {
        const groups = { debtor, creditor, remittance };
        expect(hashCanonical(groups, toHex(salt))).to.equal(toHex(plainDetails(groups, salt)));
      }),
      { numRuns: 300 },
    );
  });

  it("gives any leaf (property)", () => {
    fc.assert(
      fc.property(bytes(128), (encoded) => {
        expect(toHex(hashLeaf(encoded))).to.equal(toHex(keccak_256(keccak_256(encoded))));
      }),
    );
  });

  it("builds the tree above any leaves, whatever their order (property)", () => {
    // Few first bytes, so that leaves differ late, too.
    const leaf = fc
      .tuple(fc.constantFrom(0, 255), fc.integer({ min: 0, max: 40 }), bytes(2))
      .map(([first, at, last]) => {
        const made = new Uint8Array(32).fill(first);
        made.set([at], 10);
        made.set(last, 30);
        return made;
      });
    const leaves = fc.uniqueArray(leaf, { minLength: 1, maxLength: 300, selector: toHex, size: "max" });
    fc.assert(
      fc.property(leaves, (some) => {
        for (const order of [some, some.toSorted(compareBytes), some.toSorted(compareBytes).reverse()]) {
          expect(buildMerkleTree(order)).to.deep.equal(buildPlainMerkleTree(order));
        }
        expect(hashTree([...some, ...some.slice(0, 1)]), "one twice").to.equal(undefined);
      }),
      { numRuns: 60 },
    );
  });

  it("builds trees of more leaves than it has memory for in JavaScript", function () {
    this.timeout(60_000);
    const many = Array.from({ length: 16_385 }, (_, index) => keccak256(Uint8Array.of(index >> 8, index)));
    expect(hashTree(many)).to.equal(undefined);
    expect(hashTree(many.slice(1))).to.deep.equal({
      nodes: buildPlainMerkleTree(many.slice(1)).nodes,
      positions: buildPlainMerkleTree(many.slice(1)).positions,
    });
  });
});
