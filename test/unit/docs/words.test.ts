import { readFile } from "node:fs/promises";
import { globSync } from "node:fs";
import { expect } from "chai";
import { MARKDOWN_PAGES } from "./pages.ts";

/** Idiom of other languages, or of other centuries, with what to say instead. */
const IDIOMS: readonly (readonly [found: RegExp, instead: string])[] = [
  [/\bfor ever\b/i, "forever"],
  [/\bin vain\b/i, "without success"],
  [/\bmend(s|ed|ing)?\b/i, "fix, repair"],
  [/\b(be|is|can be) gone by\b/i, "used, followed"],
  [/\bgo(es)? by (it|its|them|this|that|the)\b/i, "use, follow"],
  [/\bheld against\b/i, "compared with"],
  [/\bso often at most\b/i, "at most this many times"],
  [/\bof (its|their) own accord\b/i, "by itself, automatically"],
  [/\bare there to be\b/i, "say what they are for"],
  [/\bbe had( again| back)?\b/i, "be available, be restored"],
  [/\blikewise\b/i, "the same, also"],
  [/\bas good as\b/i, "count as, practically"],
  [/\bat any rate\b/i, "in any case"],
];

/** Where people meet what the programs say: descriptions, errors, comments. The contracts' reference is of NatSpec. */
const SOURCES = globSync("{bin,deploy,examples,sandbox,scripts,sdk,src}/**/*.{ts,js,yml,yaml}", {
  exclude: ["**/node_modules/**"],
});
const READ = [...MARKDOWN_PAGES.filter((page) => page !== "docs/contracts.md"), ...SOURCES];

describe("What people read", () => {
  for (const [idiom, instead] of IDIOMS) {
    it(`has no ${String(idiom)}: say ${instead}`, async () => {
      const found = await Promise.all(
        READ.map(async (file) =>
          idiom.test((await readFile(file, "utf8")).replaceAll(/\s+(\* |\/\/ )?/g, " ")) ? [file] : [],
        ),
      );
      expect(found.flat()).to.deep.equal([]);
    });
  }

  it("includes the sources", () => {
    expect(SOURCES).to.include.members(["src/schema/problems.ts", "sdk/outbox.ts", "deploy/besu/alerts.ts"]);
  });
});
