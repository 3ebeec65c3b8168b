import { expect } from "chai";
import { AbiCoder, concat, keccak256, toUtf8Bytes } from "ethers";
import * as fc from "fast-check";
import { canonicalJson, type CanonicalValue } from "../../../src/domain/canonical-json.ts";
import {
  commitDetails,
  DETAIL_GROUPS,
  detailsHashOf,
  discloseGroup,
  hashDetails,
  verifyDisclosure,
  type TransferDetails,
} from "../../../src/domain/details.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { anyHash } from "./arbitraries.ts";

const { value: anyValue } = fc.letrec<{ value: CanonicalValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme-ascii" }),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: "binary", maxLength: 5 }), tie("value"), { maxKeys: 4, noNullPrototype: false }),
  ),
}));
const anyGroup = fc.dictionary(fc.string({ maxLength: 8 }), anyValue, { maxKeys: 4 });
const anyDetails: fc.Arbitrary<TransferDetails> = fc.record({
  debtor: anyGroup,
  creditor: anyGroup,
  remittance: anyGroup,
});
const anyDetailGroup = fc.constantFrom(...DETAIL_GROUPS);

// The type forbids these; parsed JSON does not care.
const untyped = (value: unknown) => value as CanonicalValue;

describe("canonical JSON", () => {
  it("is RFC 8785: members by UTF-16 code units, no spaces, the shortest escapes", () => {
    // The sorting example of RFC 8785, 3.2.3.
    const value = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    expect(canonicalJson(value, "x")).to.equal(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis",' +
        '"€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    );
    expect(canonicalJson('€$\u000f\nA\'B"\\\\"/', "x")).to.equal('"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"');
    expect(canonicalJson([true, -0, 10, [], {}], "x")).to.equal("[true,0,10,[],{}]");
  });

  it("says the same as JSON, whatever the order of members", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const text = canonicalJson(value, "x");
        const parsed = JSON.parse(text) as CanonicalValue;
        expect(canonicalJson(parsed, "x")).to.equal(text);
        const reversed = reverseMembers(value);
        expect(canonicalJson(reversed, "x")).to.equal(text);
      }),
    );
  });

  for (const [what, value, path] of [
    ["null", { note: null }, "x.note"],
    ["undefined", { note: undefined }, "x.note"],
    ["a fraction", [1.5], "x[0]"],
    ["an integer that doubles cannot tell apart", 2 ** 53, "x"],
    ["infinity", Infinity, "x"],
    ["a bigint", 1n, "x"],
    ["a hole", Array<number>(1), "x[0]"],
    ["a date", new Date(0), "x"],
    ["a map", new Map(), "x"],
    ["a function", () => 0, "x"],
    ["a lone surrogate", ["\ud800"], "x[0]"],
    ["a lone surrogate in a name", { "\udc00": 1 }, "x"],
    ["nesting without end", Array.from({ length: 20 }).reduce((inner) => [inner], 1), `x${"[0]".repeat(16)}`],
  ] as const) {
    it(`has no ${what}`, () => {
      expect(() => canonicalJson(untyped(value), "x"))
        .to.throw(InvalidInput)
        .with.property("field", path);
    });
  }

  it("keeps values out of its errors", () => {
    expect(() => canonicalJson({ birthYear: 1970.5 }, "debtor"))
      .to.throw(InvalidInput)
      .with.property("message", "debtor.birthYear: an integer within ±(2^53-1)");
  });
});

describe("details", () => {
  it("are committed as the protocol says, group by group", () => {
    fc.assert(
      fc.property(anyDetails, anyHash, (details, salt) => {
        const expected = DETAIL_GROUPS.map((group) => {
          const groupSalt = keccak256(concat([salt, toUtf8Bytes(group)]));
          return keccak256(concat([groupSalt, toUtf8Bytes(canonicalJson(details[group], group))]));
        });
        const commitments = commitDetails(details, salt);
        expect(DETAIL_GROUPS.map((group) => commitments[group])).to.deep.equal(expected);
        expect(detailsHashOf(commitments)).to.equal(
          keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32", "bytes32", "bytes32"], expected)),
        );
        expect(hashDetails(details, salt)).to.equal(detailsHashOf(commitments));
      }),
    );
  });

  it("disclose one group, which verifies and tells nothing of the others but their hashes", () => {
    fc.assert(
      fc.property(anyDetails, anyHash, anyDetailGroup, (details, salt, group) => {
        const disclosure = discloseGroup(details, salt, group);
        expect(verifyDisclosure(disclosure, hashDetails(details, salt))).to.equal(true);
        expect(Object.keys(disclosure)).to.have.members(["group", "groupSalt", "content", "commitments"]);
        expect(disclosure.content).to.equal(details[group]);
        expect(disclosure.groupSalt).to.not.equal(salt);
      }),
    );
  });

  it("do not verify when anything is changed", () => {
    const details = { debtor: { name: "李明" }, creditor: { name: "Maria" }, remittance: {} };
    const salt = `0x${"11".repeat(32)}` as const;
    const other = `0x${"22".repeat(32)}` as const;
    const hash = hashDetails(details, salt);
    const disclosure = discloseGroup(details, salt, "creditor");
    expect(verifyDisclosure(disclosure, hash)).to.equal(true);
    expect(verifyDisclosure({ ...disclosure, content: { name: "Mario" } }, hash)).to.equal(false);
    expect(verifyDisclosure({ ...disclosure, groupSalt: other }, hash)).to.equal(false);
    expect(verifyDisclosure({ ...disclosure, group: "debtor" }, hash)).to.equal(false);
    expect(
      verifyDisclosure({ ...disclosure, commitments: { ...disclosure.commitments, debtor: other } }, hash),
    ).to.equal(false);
    expect(
      verifyDisclosure({ ...disclosure, commitments: { ...disclosure.commitments, creditor: other } }, hash),
    ).to.equal(false);
    expect(verifyDisclosure(disclosure, other)).to.equal(false);
  });

  it("cannot be compared across transfers: equal details hash differently under another salt", () => {
    const details = { debtor: { name: "李明" }, creditor: { name: "李明" }, remittance: {} };
    const one = commitDetails(details, `0x${"11".repeat(32)}`);
    const two = commitDetails(details, `0x${"22".repeat(32)}`);
    expect(new Set([one.debtor, one.creditor, two.debtor, two.creditor]).size).to.equal(4);
  });

  it("want a salt of 32 bytes", () => {
    const details = { debtor: {}, creditor: {}, remittance: {} };
    expect(() => hashDetails(details, "0x11")).to.throw(InvalidInput, "transferSalt: 32 bytes");
  });
});

function reverseMembers(value: CanonicalValue): CanonicalValue {
  if (typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).reverse());
}
