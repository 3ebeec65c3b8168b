import { expect } from "chai";
import fc from "fast-check";
import { Problem } from "../../../../src/kernel/http/problem.ts";
import { parseStrictJson } from "../../../../src/kernel/http/strict-json.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function codeOf(given: Uint8Array | string): string | undefined {
  try {
    parseStrictJson(typeof given === "string" ? bytes(given) : given);
    return undefined;
  } catch (failure) {
    if (!(failure instanceof Problem)) throw failure;
    return failure.refusal.code;
  }
}

describe("strict JSON", () => {
  it("reads all JSON of objects without duplicates as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        const nested = `{"a":${text},"b":[${text},${text}]}`;
        fc.pre(!nested.includes("__proto__"));
        expect(parseStrictJson(bytes(nested))).to.deep.equal(JSON.parse(nested));
      }),
    );
  });

  for (const [what, text] of [
    ["a member twice", '{"a":1,"b":2,"a":3}'],
    ["a member twice, deep in arrays", '[1,{"x":[{"a":{},"c":[],"a":"}"}]}]'],
    ["a member twice, spelt differently", '{"amount":1,"\\u0061mount":2}'],
    ["a member twice after a nested object", '{"a":{"b":1},"a":2}'],
    ["__proto__", '{"__proto__":{}}'],
    ["__proto__ in disguise", '{"\\u005f_proto__":{}}'],
    ["no JSON", '{"a":1,}'],
    ["a byte order mark inside", '{\ufeff"a":1}'],
    ["two byte order marks", '\ufeff\ufeff{"a":1}'],
    ["nesting deeper than 32", `${"[".repeat(33)}${"]".repeat(33)}`],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(codeOf(text)).to.equal("malformed-request");
    });
  }

  it("takes a byte order mark before the text, as some editors leave it", () => {
    expect(parseStrictJson(bytes('\ufeff{"a":1}'))).to.deep.equal({ a: 1 });
  });

  it("refuses bytes that are not UTF-8", () => {
    expect(codeOf(Uint8Array.of(0x22, 0xc3, 0x28, 0x22))).to.equal("malformed-request");
  });

  it("takes the same name in different objects, and names as values", () => {
    expect(codeOf('{"a":{"a":["a","a",{"a":"a"}]},"b":{"a":"\\"a\\":"}}')).to.equal(undefined);
    expect(codeOf(`${"[".repeat(32)}${"]".repeat(32)}`)).to.equal(undefined);
  });

  it("takes time in proportion to its length", () => {
    const members = (count: number) => bytes(`{${Array.from({ length: count }, (_, i) => `"k${i}":1`).join(",")}}`);
    /** Of this process's processor, whatever else the machine does: the least of some. */
    const microseconds = (given: Uint8Array) =>
      Math.min(
        ...Array.from({ length: 3 }, () => {
          const started = process.cpuUsage();
          parseStrictJson(given);
          return process.cpuUsage(started).user;
        }),
      );
    microseconds(members(5_000));
    const [small, large] = [microseconds(members(10_000)), microseconds(members(100_000))];
    // Ten times the length; a search through all names before each would take a hundred times as long.
    expect(large, `after ${small} µs for a tenth`).to.be.lessThan(50 * small);
  });
});
