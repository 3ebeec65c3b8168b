import { expect } from "chai";
import { deployablesIn } from "../../../../scripts/mutation/affected.ts";
import { generate } from "../../../../scripts/mutation/generate.ts";
import { parseTexts } from "./support.ts";

const SOURCES = {
  "Amount.sol": `
    type Amount is uint128;
    using {add as +, isZero} for Amount global;
    function add(Amount a, Amount b) pure returns (Amount) { return Amount.wrap(Amount.unwrap(a) + Amount.unwrap(b)); }
    function isZero(Amount a) pure returns (bool) { return Amount.unwrap(a) == 0; }`,
  "Math.sol": `library Double { function twice(uint256 x) internal pure returns (uint256) { return x * 2; } }`,
  "Contracts.sol": `
    import {Amount} from "./Amount.sol";
    import {Double} from "./Math.sol";
    abstract contract Base {
      modifier positive(uint256 x) { require(x > 0); _; }
      function g(uint256 x) internal pure positive(x) returns (uint256) { return Double.twice(x); }
    }
    contract Sums { function f(Amount a, Amount b) external pure returns (Amount) { return a + b; } }
    contract Asks { function f(Amount a) external pure returns (bool) { return a.isZero(); } }
    contract Derived is Base { function f() external pure returns (uint256) { return g(1); } }`,
};

describe("The contracts that a mutant is in", () => {
  const sources = parseTexts(SOURCES);
  const deployables = deployablesIn(sources, (path) => path === "Contracts.sol");
  const affectedBy = (scope: string): readonly string[] => {
    const mutant = generate(sources).find((each) => each.scope === scope);
    if (mutant === undefined) throw new Error(`no mutant of ${scope}`);
    return deployables.filter(({ definitions }) => definitions.has(mutant.definition)).map(({ name }) => name);
  };

  it("are those that can be deployed", () => {
    expect(deployables.map(({ name }) => name)).to.deep.equal(["Sums", "Asks", "Derived"]);
  });

  it("are found through operators and functions of value types, and only where they are used", () => {
    expect(affectedBy("add")).to.deep.equal(["Sums"]);
    expect(affectedBy("isZero")).to.deep.equal(["Asks"]);
  });

  it("are found through bases, their modifiers and the libraries that they call", () => {
    expect(affectedBy("Base.positive")).to.deep.equal(["Derived"]);
    expect(affectedBy("Double.twice")).to.deep.equal(["Derived"]);
  });
});
