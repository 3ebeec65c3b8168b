import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { z } from "zod/v4";
import { MARKDOWN_PAGES } from "./pages.ts";

/** What has a name of ours that anybody could take in a public registry. */
const OURS = /^(feiqian|@feiqian\/.*)$/;
/** `npx NAME`, `npm exec NAME`, `npm install NAME …`, and what other package managers call the same. */
const FETCHED = /\b(?:npx|bunx|(?:npm|pnpm|yarn|bun) (?:x|exec|dlx|i|install|add))((?: +[^\s`|;&#]+)+)/g;
const TARBALL = /\bfeiqian-(?:sdk-)?(\d+\.\d+\.\d+)\.tgz\b/g;

describe("What documents have people install", () => {
  for (const page of MARKDOWN_PAGES) {
    it(`comes from a path where its name is ours, and is of this version: ${page}`, async () => {
      const text = await readFile(page, "utf8");
      expect(namesFetched(text).filter((name) => OURS.test(name))).to.deep.equal([]);
      // These tell of versions that were.
      if (/CHANGELOG|changeset/.test(page)) return;
      const { version } = z.object({ version: z.string() }).parse(JSON.parse(await readFile("package.json", "utf8")));
      for (const [file, found] of text.matchAll(TARBALL)) expect(found, file).to.equal(version);
    });
  }

  it("is found out where it does not", () => {
    const fetched =
      "npx feiqian --version; npm i -D @feiqian/sdk@0.1.0 zod && pnpm add feiqian, `npm install ./feiqian-0.1.0.tgz`";
    expect(namesFetched(fetched)).to.include.members(["feiqian", "@feiqian/sdk", "zod", "./feiqian-0.1.0.tgz"]);
  });
});

/** What a registry would be asked for, without versions; words that follow a command in a sentence among them. */
function namesFetched(text: string): readonly string[] {
  return [...text.matchAll(FETCHED)].flatMap(([, given = ""]) =>
    given
      .split(" ")
      .filter((word) => word !== "" && !word.startsWith("-"))
      .map((word) => word.replace(/(?<=.)@.*$/, "").replace(/[,.]$/, "")),
  );
}
