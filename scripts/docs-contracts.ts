// Writes docs/contracts.md, the reference of the contracts, from their NatSpec. With --check, writes nothing and fails
// when the page is not what it would write, or when something that must be documented is not.
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { parseFolders } from "./lib/solidity/compile.ts";
import { referenceOf } from "./docs/model.ts";
import { render } from "./docs/render.ts";

const CONTRACTS = "contracts";
const PAGE = "docs/contracts.md";

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const reference = referenceOf(await parseFolders([CONTRACTS]), CONTRACTS);
const page = render(reference);

for (const item of reference.undocumented) console.error(`no @notice: ${item}`);
if (!values.check) {
  await writeFile(PAGE, page);
  console.log(`wrote ${PAGE}: ${reference.contracts.length} contracts, interfaces and libraries`);
} else {
  const current = (await readPage()) === page;
  if (!current) console.error(`${PAGE} is not what the contracts say now: run npm run docs:contracts`);
  process.exitCode = current && reference.undocumented.length === 0 ? 0 : 1;
}

async function readPage(): Promise<string | undefined> {
  try {
    return await readFile(PAGE, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
