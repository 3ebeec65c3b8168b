import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { MARKDOWN_PAGES } from "./pages.ts";

/** A cell of so many characters, as it is written, breaks the table in an editor and on a narrow screen. */
const MAX_CELL = 60;

describe("Tables in the documents", () => {
  for (const page of MARKDOWN_PAGES) {
    it(`have short cells, or are lists, in ${page}`, async () => {
      const cells = cellsOf(await readFile(page, "utf8"));
      expect(cells.filter((cell) => cell.length >= MAX_CELL)).to.deep.equal([]);
    });
  }

  it("are found with and without their outer bars, and not in code", () => {
    const text =
      "|a|b|\n|---|---|\n| c \\| d | |\n\n e | f\n:-- | --:\ng|h\n\n```text\n| code | block |\n```\nx || y\n";
    expect(cellsOf(text)).to.deep.equal(["a", "b", "c \\| d", "", "e", "f", "g", "h"]);
  });
});

/** The cells of every table: what stands above and below a line of dashes, as far as lines have bars. */
function cellsOf(text: string): readonly string[] {
  const lines = text.replaceAll(/^ *```.*?^ *```$/gms, "").split("\n");
  const isRow = (line: string | undefined): boolean => line?.includes("|") === true;
  return lines.flatMap((line, index) => {
    if (!isRow(line) || !/^[\s|:-]*-[\s|:-]*$/.test(line)) return [];
    const past = lines.findIndex((later, position) => position > index && !isRow(later));
    return [...lines.slice(index - 1, index), ...lines.slice(index + 1, past === -1 ? undefined : past)].flatMap(split);
  });
}

function split(row: string): readonly string[] {
  const inner = row
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim());
}
