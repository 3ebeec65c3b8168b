import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { PROBLEMS } from "../../../sdk/problems.ts";
import { TRANSFER_FATES } from "../../../src/schema/problems.ts";

const DOCUMENT = new URL("../../../docs/wallet-engineer.md", import.meta.url);

describe("the table of problems", () => {
  it("stands in the wallet engineer's manual as it is in the code", async () => {
    const text = await readFile(DOCUMENT, "utf8");
    const rows = text
      .slice(text.indexOf("\n## Errors\n"), text.indexOf("\n## Many at once\n"))
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .map((line) => line.split("|").map((cell) => cell.trim()))
      .map((cells) => cells.slice(1, 5));
    const expected = Object.entries(PROBLEMS).map(([code, { status, transfer, title }]) => [
      `\`${code}\``,
      String(status),
      transfer,
      title,
    ]);
    expect(rows).to.have.deep.members(expected);
  });

  it("has its three meanings explained there", async () => {
    const text = (await readFile(DOCUMENT, "utf8")).replaceAll(/\s+/g, " ");
    for (const [fate, meaning] of Object.entries(TRANSFER_FATES)) {
      expect(text).to.contain(`\`${fate}\``);
      expect(text).to.contain(meaning);
    }
  });
});
