import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { MARKDOWN_PAGES } from "./pages.ts";

/** Folders at the top that the documents name. */
const TOP = "(?:bin|contracts|deploy|docs|examples|ignition|sandbox|scripts|sdk|src|test|vectors)";
/** A path in code, with no placeholder in it; what a deployment writes is not there before it. */
const PATH_IN_CODE = new RegExp(`\`(?!ignition/deployments)(${TOP}/[\\w./-]*)\``, "g");
/** The same among the words of a block of commands, in which a placeholder is in capitals or angle brackets. */
const BLOCK = /^ *```(?:sh|console|bash)\b[^\n]*\n(.*?)^ *```$/gms;
const PATH_IN_BLOCK = new RegExp(
  `(?<=^|[\\s"'=])(?<!kubectl .*)(?!ignition/deployments)(${TOP}/[\\w./-]*)(?=$|[\\s"'])`,
  "gm",
);
const LINK = /\]\(([^)\s]+)\)/g;

describe("What the documents refer to", () => {
  for (const page of MARKDOWN_PAGES) {
    it(`is there, for ${page}`, async () => {
      const text = await readFile(page, "utf8");
      const blocks = [...text.matchAll(BLOCK)].map(([, block = ""]) => block).join("\n");
      const paths = [...text.matchAll(PATH_IN_CODE), ...blocks.matchAll(PATH_IN_BLOCK)].map(([, path = ""]) => path);
      const links = [...text.matchAll(LINK)].map(([, link = ""]) => link);
      const missing = [
        ...paths.filter((path) => !existsSync(path)),
        ...(await Promise.all(links.map(async (link) => ((await leadsSomewhere(page, link)) ? [] : [link])))).flat(),
      ];
      expect(missing, page).to.deep.equal([]);
    });
  }
});

async function leadsSomewhere(page: string, link: string): Promise<boolean> {
  if (/^[a-z]+:/.test(link)) return true;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : join(dirname(page), path);
  if (!existsSync(target)) return false;
  if (anchor === undefined || !target.endsWith(".md")) return true;
  return anchorsOf(await readFile(target, "utf8")).has(anchor);
}

/** The anchors that GitHub gives a page's headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.replaceAll(/^```.*?^```$/gms, "").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
  const seen = new Map<string, number>();
  return new Set(
    headings.map((heading) => {
      const times = seen.get(heading) ?? 0;
      seen.set(heading, times + 1);
      return times === 0 ? heading : `${heading}-${times}`;
    }),
  );
}
