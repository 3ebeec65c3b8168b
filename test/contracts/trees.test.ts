import { expect } from "chai";
import type { Suite } from "mocha";
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";

/** Folders of specs that go operation by operation. Beside each spec lies the tree of its branches. */
const FOLDERS = new Set([
  "corridor-book",
  "ledger-clock",
  "partner-registry",
  "quote-book",
  "settlement-token",
  "transfer-registry",
  "treasury",
]);
const UPDATES = process.env["UPDATE_TREES"] === "1";

describe("Trees of branches", () => {
  it("list what the specs beside them test, no more and no less", async function () {
    const specs = Map.groupBy(rootOf(this.test?.parent).suites.filter(isSpec), ({ file }) => file ?? "");
    for (const [file, suites] of specs) {
      const path = file.replace(/\.test\.ts$/, ".tree");
      const tree = suites.map(treeOf).join("\n");
      if (UPDATES) await writeFile(path, tree);
      else expect(await readFile(path, "utf8"), `UPDATE_TREES=1 writes ${basename(path)} anew`).to.equal(tree);
    }
  });
});

function rootOf(suite: Suite | undefined): Suite {
  if (suite === undefined) throw new Error("a test outside of any suite");
  return suite.parent === undefined ? suite : rootOf(suite.parent);
}

function isSpec({ file }: Suite): boolean {
  return file !== undefined && FOLDERS.has(basename(dirname(file)));
}

function treeOf(suite: Suite): string {
  return `${suite.title}\n${branchesOf(suite, "")}`;
}

function branchesOf({ suites, tests }: Suite, indent: string): string {
  const nodes = [
    ...suites.map((suite) => ({ title: suite.title, suite })),
    ...tests.map(({ title }) => ({ title: `it ${title}`, suite: undefined })),
  ];
  return nodes
    .map(({ title, suite }, index) => {
      const last = index === nodes.length - 1;
      const below = suite === undefined ? "" : branchesOf(suite, `${indent}${last ? "    " : "│   "}`);
      return `${indent}${last ? "└──" : "├──"} ${title}\n${below}`;
    })
    .join("");
}
