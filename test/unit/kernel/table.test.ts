import { expect } from "chai";
import { renderTable, type Column } from "../../../src/kernel/table.ts";

interface Fruit {
  readonly name: string;
  readonly count: number;
}

const COLUMNS: readonly Column<Fruit>[] = [
  { title: "fruit", value: ({ name }) => name },
  { title: "n", value: ({ count }) => String(count), align: "right" },
  { title: "note", value: ({ count }) => (count > 99 ? "many" : "") },
];

describe("a table", () => {
  it("aligns text left and numbers right, under a line", () => {
    const rows = [
      { name: "fig", count: 7 },
      { name: "tangerine", count: 1_234 },
    ];
    expect(renderTable(COLUMNS, rows)).to.equal(
      ["fruit         n  note", "─────────  ────  ────", "fig           7", "tangerine  1234  many"].join("\n"),
    );
  });

  it("is as wide as its titles where they are the widest, and may be empty", () => {
    expect(renderTable(COLUMNS, [{ name: "fig", count: 7 }])).to.equal("fruit  n  note\n─────  ─  ────\nfig    7");
    expect(renderTable(COLUMNS, [])).to.equal("fruit  n  note\n─────  ─  ────");
  });

  it("leaves no spaces at the ends of lines", () => {
    expect(renderTable(COLUMNS, [{ name: "", count: 1 }])).not.to.match(/ $/m);
  });
});
