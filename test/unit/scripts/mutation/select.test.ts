import { expect } from "chai";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { drawSample, pick } from "../../../../scripts/mutation/select.ts";
import { inOrderFor } from "../../../../scripts/mutation/tests.ts";
import { mutantsOfBody } from "./support.ts";

const EMITS = Array.from({ length: 40 }, (_, index) => `emit Yes(${index});`);

describe("A choice of mutants", () => {
  const mutants = mutantsOfBody(EMITS.join("\n"));
  const [first, second] = mutants;
  if (first === undefined || second === undefined) throw new Error("no mutants");

  it("is by id, file or folder, and all of them without one", () => {
    const elsewhere = { ...second, id: "ffffffff", file: "types/Other.sol" };
    const all = [first, elsewhere];
    expect(pick(all, [first.id])).to.deep.equal([first]);
    expect(pick(all, ["types/"])).to.deep.equal([elsewhere]);
    expect(pick(all, ["types/Other.sol", first.id])).to.deep.equal(all);
    expect(pick(all, [])).to.deep.equal(all);
  });

  it("refuses a name that no mutant has, and does not take the beginning of one", () => {
    expect(() => pick(mutants, [first.id, "Bod"])).to.throw(InvalidInput, "--only");
  });

  it("is the same for the same seed, in the mutants' order, and another for another", () => {
    const drawn = drawSample(mutants, 8, "a");
    expect(drawn).to.have.length(8);
    expect(drawn).to.deep.equal(mutants.filter((mutant) => drawn.includes(mutant)));
    expect(drawSample(mutants, 8, "a")).to.deep.equal(drawn);
    expect(drawSample(mutants, 8, "b")).not.to.deep.equal(drawn);
  });

  it("stays when other mutants come and go", () => {
    const drawn = drawSample(mutants, 8, "a");
    const fewer = mutants.filter((mutant, index) => drawn.includes(mutant) || index % 2 === 0);
    expect(drawSample(fewer, 8, "a")).to.deep.equal(drawn);
  });

  it("has all of them where there are fewer than asked for", () => {
    expect(drawSample(mutants, 1_000, "a")).to.deep.equal(mutants);
  });
});

describe("The order of a mutant's tests", () => {
  it("begins in the folder of its file, goes on in those of its contracts, and leaves out nothing", () => {
    const tests = [
      "test/contracts/halt.test.ts",
      "test/contracts/ledger-clock/beat.test.ts",
      "test/contracts/transfer-registry/open.test.ts",
      "test/contracts/treasury/exit.test.ts",
    ];
    expect(inOrderFor(tests, "contracts/core/LedgerClock.sol", ["TransferRegistry"])).to.deep.equal([
      "test/contracts/ledger-clock/beat.test.ts",
      "test/contracts/transfer-registry/open.test.ts",
      "test/contracts/halt.test.ts",
      "test/contracts/treasury/exit.test.ts",
    ]);
  });
});
