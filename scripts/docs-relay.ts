// Writes the references in docs/cli.md and docs/configuration.md, between their marks, from the program and the schema.
// With --check, tells which page is not what the code says.
//
//   node scripts/docs-relay.ts [--check]
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { format, resolveConfig } from "prettier";
import { createProgram } from "../src/cli/program.ts";
import { cliReference } from "./docs/cli.ts";
import { configReference } from "./docs/configuration.ts";

/** Describing the commands asks nothing of the world. */
const NO_IO = new Proxy(Object.create(null) as Parameters<typeof createProgram>[0], {
  get: () => {
    throw new Error("the world was asked");
  },
});

const REFERENCES = [
  ["docs/cli.md", () => cliReference(createProgram(NO_IO))],
  ["docs/configuration.md", configReference],
] as const;

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
for (const [page, reference] of REFERENCES) {
  const text = await readFile(page, "utf8");
  const written = await withReference(page, text, reference());
  if (!values.check) await writeFile(page, written);
  else if (text !== written) {
    console.error(`${page} is not what the code says: run npm run docs:relay`);
    process.exitCode = 1;
  }
}

/** The page with another reference between its marks, laid out as the formatter has it. */
async function withReference(page: string, text: string, reference: string): Promise<string> {
  const [before, rest] = text.split("<!-- reference -->\n");
  const after = rest?.split("<!-- /reference -->")[1];
  if (before === undefined || after === undefined) throw new Error(`${page} lacks its marks <!-- reference -->`);
  const whole = `${before}<!-- reference -->\n\n${reference}\n\n<!-- /reference -->${after}`;
  return format(whole, { ...(await resolveConfig(page)), filepath: page });
}
