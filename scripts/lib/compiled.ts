import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { z } from "zod/v4";

/** The contracts that clients know, by the name that they have there, and where the compiler leaves each. */
const ARTIFACTS = {
  accessManager: "@openzeppelin/contracts/access/manager/AccessManager.sol/AccessManager.json",
  corridorBook: "contracts/core/CorridorBook.sol/CorridorBook.json",
  partnerRegistry: "contracts/core/PartnerRegistry.sol/PartnerRegistry.json",
  quoteBook: "contracts/core/QuoteBook.sol/QuoteBook.json",
  settlementToken: "contracts/core/SettlementToken.sol/SettlementToken.json",
  transferRegistry: "contracts/remittance/TransferRegistry.sol/TransferRegistry.json",
  treasury: "contracts/core/Treasury.sol/Treasury.json",
} as const;

const FOLDER = "src/ledger/compiled";
const CODES = `${FOLDER}/codes.ts`;
const HEADER = "// Made by `npm run compiled` from what the compiler wrote. Change the contracts, not this file.\n";
/** Beside the contracts, what decides which code they compile to: settings, compiler, and what they import. */
const ALSO_COMPILED_FROM = [
  "hardhat.config.ts",
  "node_modules/solc/package.json",
  "node_modules/@openzeppelin/contracts/package.json",
];

const hexSchema = z.stringFormat("compiled code", /^0x([0-9a-f]{2})+$/);
/** Hardhat's own format. A contract that links a library has placeholders in its code, and is refused. */
const artifactSchema = z.object({
  abi: z.array(z.record(z.string(), z.unknown())),
  bytecode: hexSchema,
  deployedBytecode: hexSchema,
  immutableReferences: z.record(z.string(), z.array(z.object({ start: z.int(), length: z.int() }))),
});
type Artifact = z.infer<typeof artifactSchema>;

interface CompiledFile {
  readonly path: string;
  readonly text: string;
}

/**
 * What clients need of the compiler's output, as modules that are committed: whoever runs a relay needs no compiler.
 * Interfaces and code are apart, as most clients need no code.
 * @param artifacts the folder that `hardhat build` has written
 */
export async function renderCompiled(artifacts = "artifacts"): Promise<readonly CompiledFile[]> {
  const contracts = await Promise.all(
    Object.entries(ARTIFACTS).map(async ([name, path]) => {
      const json: unknown = JSON.parse(await readFile(`${artifacts}/${path}`, "utf8"));
      return { name, artifact: artifactSchema.parse(json) };
    }),
  );
  const abis = contracts.map(({ name, artifact }) => renderAbi(name, artifact));
  const codes = contracts.map(({ name, artifact }) => renderCode(name, artifact));
  return [
    { path: `${FOLDER}/abis.ts`, text: [`${HEADER}import type { JsonFragment } from "ethers";\n`, ...abis].join("\n") },
    { path: CODES, text: [`${HEADER}${await digestLine()}`, ...codes].join("\n") },
  ];
}

/** Whether the committed files were made from the contracts as they are now. Asks the sources, and needs no compiler. */
export async function isCompiledFromSources(): Promise<boolean> {
  const codes = await readFile(CODES, "utf8").catch(absentAsEmpty);
  return codes.startsWith(`${HEADER}${await digestLine()}`);
}

/** @param root where `contracts` and the settings are */
export async function digestLine(root = "."): Promise<string> {
  const contracts = await readdir(`${root}/contracts`, { recursive: true });
  const sources = contracts.filter((path) => path.endsWith(".sol")).map((path) => `contracts/${path}`);
  const hash = createHash("sha256");
  for (const path of [...sources.toSorted(), ...ALSO_COMPILED_FROM]) {
    const content = await readFile(`${root}/${path}`);
    hash.update(`${path} ${content.length}\n`).update(content);
  }
  return `// SHA-256 of what they were compiled from: ${hash.digest("hex")}\n`;
}

/** A line for each function, event and error, so that a change of one shows as such. */
function renderAbi(name: string, { abi }: Artifact): string {
  const lines = abi.map((fragment) => `  ${JSON.stringify(fragment)},\n`);
  return `export const ${name}: readonly JsonFragment[] = [\n${lines.join("")}];\n`;
}

function renderCode(name: string, { bytecode, deployedBytecode, immutableReferences }: Artifact): string {
  const immutables = Object.values(immutableReferences)
    .flat()
    .sort((left, right) => left.start - right.start)
    .map(({ start, length }) => `    { start: ${start}, length: ${length} },\n`);
  const list = immutables.length === 0 ? "[]" : `[\n${immutables.join("")}  ]`;
  const members = [`creation: "${bytecode}"`, `runtime: "${deployedBytecode}"`, `immutables: ${list}`];
  return `export const ${name} = {\n${members.map((member) => `  ${member},\n`).join("")}};\n`;
}

/** The committed files that are not what the compiler wrote. */
export async function staleCompiled(artifacts?: string): Promise<readonly string[]> {
  const files = await renderCompiled(artifacts);
  const committed = await Promise.all(files.map(({ path }) => readFile(path, "utf8").catch(absentAsEmpty)));
  return files.filter(({ text }, index) => text !== committed[index]).map(({ path }) => path);
}

/** Writes them all, and returns their paths. */
export async function writeCompiled(): Promise<readonly string[]> {
  const files = await renderCompiled();
  await Promise.all(files.map(({ path, text }) => writeFile(path, text)));
  return files.map(({ path }) => path);
}

function absentAsEmpty(failure: unknown): string {
  if (failure instanceof Error && "code" in failure && failure.code === "ENOENT") return "";
  throw failure;
}

/** What to tell whoever has changed the contracts; undefined when the committed files are current. */
export async function whyStale(): Promise<string | undefined> {
  const stale = await staleCompiled();
  if (stale.length === 0) return undefined;
  return `not what the contracts compile to now: ${stale.join(", ")}; run npm run compiled`;
}
