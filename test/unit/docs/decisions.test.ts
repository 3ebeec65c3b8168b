import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { MARKDOWN_PAGES } from "./pages.ts";

const FOLDER = "docs/adr/";
const HEADINGS = ["Context", "Decision", "Consequences", "Alternatives"];

const decisions = MARKDOWN_PAGES.filter((page) => page.startsWith(FOLDER) && !page.endsWith("/README.md"));

describe("The decisions", () => {
  it("are numbered from 1 on without gaps, and each is in the index under its title", async () => {
    const index = (await readFile(`${FOLDER}README.md`, "utf8")).replaceAll(/\s+/g, " ");
    for (const [position, page] of decisions.entries()) {
      const number = String(position + 1).padStart(4, "0");
      const [title = ""] = (await readFile(page, "utf8")).split("\n");
      expect(title, page).to.match(new RegExp(`^# ${number}\\. .`));
      expect(index).to.contain(`- [${number}](${page.slice(FOLDER.length)}): ${title.slice(`# ${number}. `.length)}. `);
    }
  });

  for (const page of decisions) {
    it(`say where they stand, since when, and what else was considered, in ${page}`, async () => {
      const text = await readFile(page, "utf8");
      expect(text).to.match(/^- Status: (accepted|replaced by \[\d{4}\]\(\S+\))\n- Date: \d{4}-\d\d-\d\d$/m);
      expect([...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).to.deep.equal(HEADINGS);
    });
  }
});
