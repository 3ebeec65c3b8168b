import { expect } from "chai";
import { keccak256 as ethersKeccak256 } from "ethers";
import * as fc from "fast-check";
import { bytesWord, compareBytes, concat, uintWord } from "../../../src/domain/bytes/bytes.ts";
import { fromHex, toHex } from "../../../src/domain/bytes/hex.ts";
import { keccak256 } from "../../../src/domain/bytes/keccak.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { anyBytes, anyUint } from "./arbitraries.ts";

describe("bytes", () => {
  it("hashes as Ethereum does, at every length around the block", () => {
    for (let length = 0; length <= 300; length++) {
      const bytes = new Uint8Array(length).fill(length);
      expect(toHex(keccak256(bytes))).to.equal(ethersKeccak256(bytes));
    }
  });

  it("gives hashes that a later hash does not overwrite", () => {
    const first = keccak256(Uint8Array.of(1));
    const copy = first.slice();
    keccak256(Uint8Array.of(2));
    expect(first).to.deep.equal(copy);
  });

  it("reads back the hexadecimal it writes, in either case", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(fromHex(toHex(bytes))).to.deep.equal(bytes);
        expect(fromHex(`0x${toHex(bytes).slice(2).toUpperCase()}`)).to.deep.equal(bytes);
      }),
    );
  });

  for (const text of ["", "00", "0x0", "0xg0", "0X00", "0x00 "]) {
    it(`does not take ${JSON.stringify(text)} for hexadecimal`, () => {
      expect(() => fromHex(text, undefined, "root"))
        .to.throw(InvalidInput)
        .with.property("field", "root");
    });
  }

  it("holds hexadecimal to its length", () => {
    expect(() => fromHex("0x00", 2, "root")).to.throw(InvalidInput, "root: 2 bytes");
  });

  it("encodes unsigned integers as ABI words", () => {
    fc.assert(
      fc.property(anyUint(256), (value) => {
        expect(toHex(uintWord(value, 256, "value"))).to.equal(`0x${value.toString(16).padStart(64, "0")}`);
      }),
    );
    expect(toHex(uintWord(7, 16, "value"))).to.equal(`0x${"0".repeat(63)}7`);
  });

  for (const [value, bits] of [
    [65_536, 16],
    [-1, 16],
    [1.5, 16],
    [2 ** 53, 64],
    [2n ** 128n, 128],
    [-1n, 256],
    [2n ** 256n, 256],
  ] as const) {
    it(`refuses ${value} as a uint${bits}`, () => {
      expect(() => uintWord(value, bits, "count")).to.throw(InvalidInput, `count: a uint${bits}`);
    });
  }

  it("aligns byte strings left", () => {
    expect(toHex(bytesWord(Uint8Array.of(0xab)))).to.equal(`0xab${"0".repeat(62)}`);
  });

  it("compares as the integers compare", () => {
    fc.assert(
      fc.property(anyBytes(4), anyBytes(4), (left, right) => {
        const order = BigInt(toHex(left)) - BigInt(toHex(right));
        expect(Math.sign(compareBytes(left, right))).to.equal(order === 0n ? 0 : order < 0n ? -1 : 1);
      }),
    );
    expect(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).to.be.below(0);
  });

  it("joins", () => {
    expect(concat(Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3))).to.deep.equal(Uint8Array.of(1, 2, 3));
  });
});

describe("InvalidInput", () => {
  it("names field and rule, and cuts what was given", () => {
    const error = new InvalidInput("amount", "digits", "9".repeat(500));
    expect(error.code).to.equal("INVALID_INPUT");
    expect(error.message)
      .to.have.length.below(120)
      .and.match(/^amount: digits \(given "9+…\)$/);
    expect(new InvalidInput("name", "present").message).to.equal("name: present");
  });
});
