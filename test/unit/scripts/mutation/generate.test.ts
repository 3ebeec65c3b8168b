import { expect } from "chai";
import { generate, mutate } from "../../../../scripts/mutation/generate.ts";
import { mutantsOfBody, parseTexts } from "./support.ts";

/** Statements with all mutants that they have. */
const CHANGES: readonly (readonly [what: string, statement: string, mutants: readonly string[]])[] = [
  ["an order's boundary and its turn", "r = a < b ? 1 : 2;", ["{}", "r = a <= b ? 1 : 2;", "r = a >= b ? 1 : 2;"]],
  ["an equality's turn", "bool same = a == b;", ["bool same = a != b;"]],
  ["an operator with parentheses beside it", "uint256 x = (a) * (b);", ["uint256 x = (a) / (b);"]],
  ["an assignment that computes", "state += a;", ["{}", "state -= a;"]],
  ["bits", "uint256 x = a << 8 | b;", ["uint256 x = a >> 8 | b;", "uint256 x = a << 8 & b;"]],
  [
    "the operands of a conjunction, one at a time",
    "bool all = a >= 1 && b != 2 && c;",
    [
      "bool all = true && b != 2 && c;",
      "bool all = a > 1 && b != 2 && c;",
      "bool all = a >= 1 && true && c;",
      "bool all = a >= 1 && b != 2 && true;",
    ],
  ],
  ["a guard that never triggers", "if (c) revert No();", ["if (false) revert No();"]],
  ["a guard that returns early", "if (c) { return 1; }", ["if (false) { return 1; }"]],
  [
    "a guard's alternatives",
    "if (!c || a > b) revert No();",
    ["if (false || a > b) revert No();", "if (!c || false) revert No();", "if (!c || a >= b) revert No();"],
  ],
  ["a condition without an operation", "if (c) r = 1;", ["if (!(c)) r = 1;", "if (c) {}"]],
  ["a negation", "bool not = !c;", ["bool not = c;"]],
  ["an event", "emit Yes(a);", ["{}"]],
  ["a deletion", "delete many[a];", ["{}"]],
  ["an increment", "++many[a];", ["{}"]],
  ["a literal", "bool flag = true;", ["bool flag = false;"]],
  ["a statement of several lines", "emit Yes(\n  a\n);", ["{}"]],
];

describe("Mutants", () => {
  for (const [what, statement, mutants] of CHANGES) {
    it(`are made of ${what}`, () => {
      expect(mutantsOfBody(statement).map(({ becomes }) => becomes)).to.have.members(mutants);
    });
  }

  it("are not made of a loop's step, nor of a minimum's boundary, which nobody could see", () => {
    const loop = mutantsOfBody("for (uint256 i = 0; i < a; ++i) state = i;");
    expect(loop.map(({ becomes }) => becomes)).to.have.members([
      "for (uint256 i = 0; i < a; ++i) {}",
      "for (uint256 i = 0; i <= a; ++i) state = i;",
      "for (uint256 i = 0; i >= a; ++i) state = i;",
    ]);
    expect(mutantsOfBody("uint256 least = a < b ? a : b;").map(({ operator }) => operator)).to.deep.equal(["negation"]);
  });

  it("lose a modifier, and keep what a constructor passes to its base", () => {
    const sources = parseTexts({
      "Modified.sol": `
        contract Base { constructor(uint256 value) {} }
        contract Modified is Base {
          modifier locked() { _; }
          constructor() Base(1) {}
          function f() external locked {}
        }`,
    });
    expect(generate(sources).map(({ scope, becomes }) => [scope, becomes])).to.deep.equal([
      ["Modified.f", "function f() external {}"],
    ]);
  });

  it("keep their ids when the lines move, and are told apart when the lines are alike", () => {
    const here = mutantsOfBody("emit Yes(a);\n emit Yes(b);\n emit Yes(a);");
    const moved = mutantsOfBody("\n\n uint256 x = 1;\n emit Yes(a);\n\n emit Yes(b);\n emit Yes(a);");
    expect(moved.map(({ id }) => id)).to.deep.equal(here.map(({ id }) => id));
    expect(moved.map(({ line }) => line)).not.to.deep.equal(here.map(({ line }) => line));
    expect(here.map(({ occurrence }) => occurrence)).to.deep.equal([1, 1, 2]);
    expect(new Set(here.map(({ id }) => id)).size).to.equal(3);
  });

  it("change the bytes that the compiler counts, not the characters", () => {
    const sources = parseTexts({
      "Free.sol": "// 飞钱\nfunction f(uint256 a) pure returns (bool) { return a > 1; /* 飞 */ }",
    });
    const [source] = sources;
    const [mutant] = generate(sources);
    if (source === undefined || mutant === undefined) throw new Error("no mutant");
    expect(mutate(source.text, mutant.change).toString("utf8")).to.equal(
      "pragma solidity 0.8.37;\n// 飞钱\nfunction f(uint256 a) pure returns (bool) { return a >= 1; /* 飞 */ }",
    );
    expect([mutant.scope, mutant.line, mutant.becomes]).to.deep.equal([
      "f",
      3,
      "function f(uint256 a) pure returns (bool) { return a >= 1; /* 飞 */ }",
    ]);
  });
});
