import { randomUUID } from "node:crypto";
import { expect } from "chai";
import * as fc from "fast-check";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { parseUetr, uetrFromBytes16, uetrFromRandom, uetrToBytes16 } from "../../../src/domain/uetr.ts";
import { anyBytes, anyUetr } from "./arbitraries.ts";

const KNOWN = "97ed4827-7b6f-4491-a06f-b548d5a7512d";

describe("uetr", () => {
  it("reads what the platform makes", () => {
    const uuid = randomUUID();
    expect(parseUetr(uuid)).to.equal(uuid);
  });

  it("is its 16 bytes, hyphens apart", () => {
    expect(toHex(uetrToBytes16(parseUetr(KNOWN)))).to.equal("0x97ed48277b6f4491a06fb548d5a7512d");
    fc.assert(
      fc.property(anyUetr, (uetr) => {
        expect(uetrFromBytes16(uetrToBytes16(uetr))).to.equal(uetr);
      }),
    );
  });

  it("keeps all random bits but the six of version and variant", () => {
    expect(uetrFromRandom(new Uint8Array(16).fill(0xff))).to.equal("ffffffff-ffff-4fff-bfff-ffffffffffff");
    expect(uetrFromRandom(new Uint8Array(16))).to.equal("00000000-0000-4000-8000-000000000000");
    fc.assert(
      fc.property(anyBytes(16), (bytes) => {
        const made = uetrToBytes16(uetrFromRandom(bytes));
        const expected = bytes.map((byte, index) =>
          index === 6 ? (byte % 16) + 64 : index === 8 ? (byte % 64) + 128 : byte,
        );
        expect(made).to.deep.equal(expected);
      }),
    );
  });

  it("tells an upper-case UUID why it is refused", () => {
    expect(() => parseUetr(KNOWN.toUpperCase())).to.throw(
      InvalidInput,
      "uetr: in lower case (ISO 20022 UUIDv4Identifier)",
    );
  });

  for (const [why, text] of [
    ["version 1", "97ed4827-7b6f-1491-a06f-b548d5a7512d"],
    ["version 7", "97ed4827-7b6f-7491-a06f-b548d5a7512d"],
    ["the Microsoft variant", "97ed4827-7b6f-4491-c06f-b548d5a7512d"],
    ["no hyphens", KNOWN.replaceAll("-", "")],
    ["braces", `{${KNOWN}}`],
    ["a line after it", `${KNOWN}\n`],
    ["nothing", ""],
  ] as const) {
    it(`refuses ${why}`, () => {
      expect(() => parseUetr(text, "id"))
        .to.throw(InvalidInput, "version 4")
        .with.property("field", "id");
    });
  }

  it("refuses bytes that are none", () => {
    expect(() => uetrFromBytes16(new Uint8Array(16))).to.throw(InvalidInput, "version 4");
    expect(() => uetrFromBytes16(new Uint8Array(15))).to.throw(InvalidInput, "16 bytes");
    expect(() => uetrFromRandom(new Uint8Array(17))).to.throw(InvalidInput, "16 bytes");
  });
});
