import { expect } from "chai";
import { existsSync, readFileSync } from "node:fs";

const ROOT = new URL("../../../", import.meta.url);

describe("The owners of files", () => {
  const lines = readFileSync(new URL(".github/CODEOWNERS", ROOT), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));

  it("are named for everything first, and then for folders that exist", () => {
    const [first = [], ...others] = lines.map((line) => line.split(/ +/));
    expect(first[0]).to.equal("*");
    expect(others.filter(([path = ""]) => !path.endsWith("/") || !existsSync(new URL(`.${path}`, ROOT)))).to.deep.equal(
      [],
    );
    for (const [, ...owners] of [first, ...others]) {
      expect(owners).to.not.deep.equal([]);
      for (const owner of owners) expect(owner).to.match(/^@[a-z-]+\/[a-z-]+$/);
    }
  });
});
