import { readFile, writeFile } from "node:fs/promises";

/** What the compiler has written last; see the script `wasm` of package.json. */
const COMPILED = "cache/hashing.wasm";
const TARGET = "src/domain/bytes/hashing-wasm.ts";
const HEADER = "// Made by `npm run wasm` from assembly/hashing.ts. Change that, not this file.\n";
const DIGITS_PER_LINE = 110;

async function render(): Promise<string> {
  const digits = (await readFile(COMPILED)).toString("hex");
  const lines = digits.match(new RegExp(`.{1,${DIGITS_PER_LINE}}`, "g")) ?? [];
  return `${HEADER}export const HASHING_WASM =\n${lines.map((line) => `  "${line}"`).join(" +\n")};\n`;
}

/**
 * Writes the module as one that is committed: whoever runs a relay needs no compiler.
 * @returns what was written
 */
export async function writeWasm(): Promise<string> {
  await writeFile(TARGET, await render());
  return TARGET;
}

/** Why the committed module is not what was compiled last; undefined where it is. */
export async function whyWasmIsStale(): Promise<string | undefined> {
  const committed = await readFile(TARGET, "utf8").catch(() => undefined);
  return committed === (await render()) ? undefined : `${TARGET} is not what its source compiles to: npm run wasm`;
}
