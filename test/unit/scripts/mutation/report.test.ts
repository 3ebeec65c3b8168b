import { expect } from "chai";
import { parseFolders } from "../../../../scripts/lib/solidity/compile.ts";
import { parseAccepted, readAccepted } from "../../../../scripts/mutation/accepted.ts";
import type { Acceptance } from "../../../../scripts/mutation/accepted.ts";
import { generate } from "../../../../scripts/mutation/generate.ts";
import type { Mutant } from "../../../../scripts/mutation/generate.ts";
import type { Result, Verdict } from "../../../../scripts/mutation/lane.ts";
import { asJson, describeSummary, scoreOf, summarize } from "../../../../scripts/mutation/report.ts";
import { readTap } from "../../../../scripts/mutation/workshop.ts";
import { mutantsOfBody } from "./support.ts";

const COUNT = 100;
const REASON = "Both sides are equal there.";
const KILLED: Verdict = { kind: "killed", test: "refuses" };
const SURVIVED: Verdict = { kind: "survived" };

const mutants = mutantsOfBody(Array.from({ length: COUNT }, (_, index) => `emit Yes(${index});`).join("\n"));

/** The first of the mutants have the given verdicts, the others were killed. */
function resultsWith(...verdicts: readonly Verdict[]): readonly Result[] {
  return mutants.map((mutant, index) => ({ mutant, verdict: verdicts[index] ?? KILLED }));
}

function mutantAt(index: number): Mutant {
  const found = mutants[index];
  if (found === undefined) throw new Error(`no mutant ${index}`);
  return found;
}

function accept(mutant: Mutant, kind: Acceptance["kind"]): readonly [string, Acceptance] {
  const { file, scope, operator, was, becomes, occurrence } = mutant;
  return [mutant.id, { file, scope, operator, was, becomes, occurrence, kind, reason: REASON }];
}

describe("The report of mutants", () => {
  it("passes when all are killed, and counts one whose tests did not end as killed", () => {
    const { passed, total } = summarize(resultsWith({ kind: "timed-out" }), mutants, new Map());
    expect(passed).to.equal(true);
    expect(total).to.deep.equal({ killed: 99, survived: 0, timedOut: 1, equivalent: 0, invalid: 0 });
    expect(scoreOf(total)).to.equal("100.00");
  });

  it("fails for one survivor that nobody has accepted, whatever the score", () => {
    const summary = summarize(resultsWith(SURVIVED), mutants, new Map());
    expect(summary.passed).to.equal(false);
    expect(scoreOf(summary.total)).to.equal("99.00");
    expect(describeSummary(summary)).to.include(`${mutantAt(0).id}  Body.sol:8  Body.f, statement`);
    expect(describeSummary(summary)).to.include("- emit Yes(0);\n  + {}\n  not known: test it, or accept it");
  });

  it("counts an equivalent one for nothing, and a tolerated one as survived: two of a hundred, and no more", () => {
    const equivalent = summarize(resultsWith(SURVIVED), mutants, new Map([accept(mutantAt(0), "equivalent")]));
    expect([equivalent.passed, scoreOf(equivalent.total)]).to.deep.equal([true, "100.00"]);
    expect(describeSummary(equivalent)).to.include(`equivalent: ${REASON}`);

    const tolerated = [0, 1, 2].map((index) => accept(mutantAt(index), "tolerated"));
    const two = summarize(resultsWith(SURVIVED, SURVIVED), mutants, new Map(tolerated.slice(0, 2)));
    expect([two.passed, scoreOf(two.total)]).to.deep.equal([true, "98.00"]);
    const three = summarize(resultsWith(SURVIVED, SURVIVED, SURVIVED), mutants, new Map(tolerated));
    expect([three.passed, scoreOf(three.total)]).to.deep.equal([false, "97.00"]);
  });

  it("leaves invalid ones out of the score", () => {
    const { total } = summarize(resultsWith({ kind: "invalid", why: "no" }).slice(0, 2), mutants, new Map());
    expect([total.invalid, scoreOf(total)]).to.deep.equal([1, "100.00"]);
  });

  it("fails for an acceptance of what is killed, and of what there is none of, and names them", () => {
    const accepted = new Map([accept(mutantAt(0), "equivalent")]);
    const killed = summarize(resultsWith(), mutants, accepted);
    expect(killed.passed).to.equal(false);
    expect(describeSummary(killed)).to.include("accepted, but does not survive: Body.sol Body.f\n  - emit Yes(0);");
    const gone = summarize(resultsWith().slice(1), mutants.slice(1), accepted);
    expect(gone.passed).to.equal(false);
    expect(describeSummary(gone)).to.include("accepted, but there is no such mutant: Body.sol Body.f");
  });

  it("says nothing of an acceptance that was not tried", () => {
    expect(summarize(resultsWith().slice(1), mutants, new Map([accept(mutantAt(0), "equivalent")])).passed).to.equal(
      true,
    );
  });

  it("has a row for each file and one for all, whose columns stand under their titles", () => {
    const other = { ...mutantAt(1), file: "types/Other.sol" };
    const results = [...resultsWith(SURVIVED).slice(0, 1), { mutant: other, verdict: KILLED }];
    expect(
      describeSummary(summarize(results, mutants, new Map()))
        .split("\n")
        .slice(0, 4),
    ).to.deep.equal([
      "                 killed  survived  timed out  equivalent  invalid  score %",
      "Body.sol              0         1          0           0        0     0.00",
      "types/Other.sol       1         0          0           0        0   100.00",
      "all                   1         1          0           0        0    50.00",
    ]);
  });

  it("rounds down, so that a hundred is all of them", () => {
    expect(scoreOf({ killed: 29_999, survived: 1, timedOut: 0, equivalent: 0, invalid: 0 })).to.equal("99.99");
    expect(scoreOf({ killed: 0, survived: 0, timedOut: 0, equivalent: 3, invalid: 1 })).to.equal("–");
  });

  it("gives programs every verdict, with what killed it", () => {
    const [result] = resultsWith();
    if (result === undefined) throw new Error("no result");
    const json = JSON.parse(JSON.stringify(asJson(summarize([result], mutants, new Map()), [result]))) as unknown;
    expect(json).to.deep.include({ score: "100.00", killed: 1, survivors: [] });
    expect(json).to.have.nested.property("results[0].verdict.test", "refuses");
    expect(json).to.have.nested.property("results[0].id", mutantAt(0).id);
  });
});

describe("Accepted mutants", () => {
  const [, acceptance] = accept(mutantAt(0), "equivalent");

  it("are found by the id of what they name", () => {
    expect([...parseAccepted(JSON.stringify([acceptance])).keys()]).to.deep.equal([mutantAt(0).id]);
  });

  it("are, in this repository, all of mutants that there are", async () => {
    const known = new Set(generate(await parseFolders(["contracts"])).map(({ id }) => id));
    const gone = [...(await readAccepted())].filter(([id]) => !known.has(id)).map(([, { file, was }]) => [file, was]);
    expect(gone, "npm run test:mutation shows what became of their files").to.deep.equal([]);
  });

  it("are refused twice, without a reason, or with a field too many", () => {
    expect(() => parseAccepted(JSON.stringify([acceptance, acceptance]))).to.throw("twice");
    expect(() => parseAccepted(JSON.stringify([{ ...acceptance, reason: "" }]))).to.throw("reason");
    expect(() => parseAccepted(JSON.stringify([{ ...acceptance, line: 3 }]))).to.throw("line");
  });
});

describe("The tests of a mutant", () => {
  it("have failed with the first that did, whatever the status", () => {
    const lines = ["Running Mocha tests", "1..880", "ok 1 opens", "not ok 2 settles", "not ok 3 expires", "# pass 1"];
    expect(readTap(lines, 1)).to.deep.equal({ kind: "failed", test: "settles" });
  });

  it("have passed when they say so and the program does", () => {
    expect(readTap(["ok 1 opens", "# pass 1", "# fail 0"], 0)).to.deep.equal({ kind: "passed", tests: 1 });
  });

  it("say nothing of the mutant when they did not run, or the program failed", () => {
    expect(() => readTap(["Error HHE3: no config"], 1)).to.throw("HHE3");
    expect(() => readTap(["# pass 0"], 0)).to.throw("neither passed nor failed");
    expect(() => readTap(["ok 1 opens", "# pass 1"], 1)).to.throw("status 1");
    expect(() => readTap(["ok 1 opens"], null)).to.throw("status null");
  });
});
