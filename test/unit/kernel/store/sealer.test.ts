import { expect } from "chai";
import fc from "fast-check";
import { concat, utf8 } from "../../../../src/domain/bytes/bytes.ts";
import { toHex } from "../../../../src/domain/bytes/hex.ts";
import { createSealer, SealBroken } from "../../../../src/kernel/store/sealer.ts";

const OLD = new Uint8Array(32).fill(1);
const NEW = new Uint8Array(32).fill(2);
const MESSAGE = utf8("the request of a transfer");

function flipped(bytes: Uint8Array, index: number): Uint8Array {
  return bytes.map((byte, at) => (at === index ? byte ^ 1 : byte));
}

describe("a sealer", () => {
  const sealer = createSealer({ current: NEW, previous: [OLD] });

  it("opens what it has sealed, for what it was sealed for", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.string(), (plain, bind) => {
        expect(sealer.open(sealer.seal(plain, bind), bind)).to.deep.equal(plain);
      }),
      { numRuns: 50 },
    );
  });

  it("does not open one row's data in another row", () => {
    const sealed = sealer.seal(MESSAGE, "transfer:1");
    expect(() => sealer.open(sealed, "transfer:2")).to.throw(SealBroken, "this row");
  });

  it("notices every changed byte, and every cut", () => {
    const sealed = sealer.seal(MESSAGE, "row");
    for (let index = 0; index < sealed.length; index++) {
      expect(() => sealer.open(flipped(sealed, index), "row"), `byte ${index}`).to.throw(SealBroken);
      expect(() => sealer.open(sealed.subarray(0, index), "row"), `cut at ${index}`).to.throw(SealBroken);
    }
    expect(() => sealer.open(concat(sealed, Uint8Array.of(0)), "row")).to.throw(SealBroken);
  });

  it("seals the same differently every time, and shows nothing of it", () => {
    const sealed = new Set(Array.from({ length: 20 }, () => toHex(sealer.seal(MESSAGE, "row"))));
    expect(sealed.size).to.equal(20);
    for (const text of sealed) expect(text).not.to.include(toHex(MESSAGE.subarray(0, 4)).slice(2));
  });

  it("opens what other processes have sealed, however many", () => {
    const sealed = Array.from({ length: 600 }, () => createSealer({ current: NEW }).seal(MESSAGE, "row"));
    for (const each of [...sealed, ...sealed]) expect(sealer.open(each, "row")).to.deep.equal(MESSAGE);
  });

  it("gives what can be computed by anybody who has the key", () => {
    // Made with Python's hashlib, hmac and cryptography from the description in the source.
    const drawn = createSealer({ current: OLD }, (length) => new Uint8Array(length).fill(5));
    expect(toHex(drawn.seal(utf8("Feiqian"), "transfer:1"))).to.equal(
      "0x012bb2b73105050505050505050505050505050505050505050505050505050505c25b772fb6342ad947b122c5849f765b17b47ee96449cc",
    );
    expect(toHex(drawn.mac(utf8("Feiqian")))).to.equal(
      "0x2bb2b731ab53ecaca8f7c392af25817dfde676d52baeca13ef7c360c628f403a693510aa",
    );
  });

  it("opens what was sealed before the key was changed, and not what a key that is gone has sealed", () => {
    const before = createSealer({ current: OLD }).seal(MESSAGE, "row");
    expect(sealer.open(before, "row")).to.deep.equal(MESSAGE);
    expect(() => createSealer({ current: NEW }).open(before, "row")).to.throw(SealBroken, "key");
    expect(() => createSealer({ current: OLD }).open(sealer.seal(MESSAGE, "row"), "row")).to.throw(SealBroken, "key");
  });

  it("knows content again by its MAC, also after the key was changed", () => {
    const before = createSealer({ current: OLD }).mac(MESSAGE);
    expect(sealer.mac(MESSAGE)).to.deep.equal(sealer.mac(MESSAGE));
    expect(sealer.mac(MESSAGE)).not.to.deep.equal(before);
    for (const mac of [sealer.mac(MESSAGE), before]) {
      expect(sealer.compareMac(mac, MESSAGE)).to.equal("same");
      expect(sealer.compareMac(mac, utf8("another request"))).to.equal("different");
      for (let index = 0; index < mac.length; index++) {
        // The first four are the key's name.
        const expected = index < 4 ? "key missing" : "different";
        expect(sealer.compareMac(flipped(mac, index), MESSAGE), `byte ${index}`).to.equal(expected);
      }
      expect(sealer.compareMac(mac.subarray(0, -1), MESSAGE)).to.equal("different");
    }
    expect(createSealer({ current: NEW }).compareMac(before, MESSAGE)).to.equal("key missing");
  });

  it("takes keys of 32 bytes only, and does not show them", () => {
    const short = new Uint8Array(31).fill(7);
    for (const keys of [{ current: short }, { current: NEW, previous: [short] }]) {
      expect(() => createSealer(keys)).to.throw("dataKey: 32 bytes (given 31)");
    }
  });
});
