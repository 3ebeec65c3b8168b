import { expect } from "chai";
import { hasCode, parseLcov, parseStatementTable, uncoveredIn } from "../../../scripts/coverage/report.ts";

describe("coverage report", () => {
  it("lists the lines of a trace file that never ran, ascending", () => {
    const trace = "TN:\nSF:contracts/A.sol\nDA:16,1\nDA:15,0\nDA:3,0\nLH:1\nLF:3\nend_of_record\n";
    const files = parseLcov(`${trace}SF:contracts/B.sol\nDA:1,1\nend_of_record\n`);
    expect(files.map(({ path }) => path)).to.deep.equal(["contracts/A.sol", "contracts/B.sol"]);
    expect(files.flatMap(uncoveredIn)).to.deep.equal([
      { path: "contracts/A.sol", line: 3 },
      { path: "contracts/A.sol", line: 15 },
    ]);
  });

  it("reads statements from the rows of Hardhat's table, and nothing else from it", () => {
    const lines = [
      "║ File Path                     │ Line % │ Statement % │ Uncovered Lines ║",
      "╟───────────────────────────────┼────────┼─────────────┼─────────────────╢",
      "║ contracts/libraries/Maths.sol │ 100.00 │ 66.67       │ -               ║",
      "║ Total                         │ 70.00  │ 75.00       │                 ║",
    ];
    expect(parseStatementTable(lines)).to.deep.equal([{ path: "contracts/libraries/Maths.sol", percent: "66.67" }]);
  });

  it("tells types from code", () => {
    expect(hasCode('import type { A } from "./a.ts";\n/** Doc. */\nexport interface B extends A {}\n')).to.equal(false);
    expect(hasCode("export const one = 1n;\n")).to.equal(true);
  });
});
