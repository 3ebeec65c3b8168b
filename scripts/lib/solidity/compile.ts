import { readdir, readFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { isNode } from "./ast.ts";
import type { AstNode } from "./ast.ts";

/** A source file with the tree that the compiler made of it. Offsets in the tree count bytes of `text`. */
export interface Source {
  readonly path: string;
  readonly text: Buffer;
  readonly ast: AstNode;
}

/** What to make of the files, as the compiler's standard JSON input has it. */
export interface CompilerSettings {
  readonly outputSelection: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly [setting: string]: unknown;
}

/** What the compiler says and makes of a set of files. */
export interface CompilerOutput {
  /** Errors only: warnings are the build's concern. */
  readonly errors: readonly string[];
  readonly sources: Readonly<Record<string, { readonly ast: unknown }>>;
  readonly contracts: Readonly<Record<string, Readonly<Record<string, ContractOutput>>>>;
  /** All that was compiled, imports from packages included. */
  readonly texts: ReadonlyMap<string, Buffer>;
}

interface ContractOutput {
  readonly evm: {
    readonly bytecode: { readonly object: string };
    readonly deployedBytecode: { readonly object: string };
  };
}

interface WrittenOutput extends Partial<Omit<CompilerOutput, "errors" | "texts">> {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
}

interface Compiler {
  compile(input: string, callbacks: { import: (path: string) => { contents: string } | { error: string } }): string;
}

const require = createRequire(import.meta.url);

/**
 * Compiles every file under `folders`, as far as the syntax tree. The files come first, by path; what they import from
 * packages follows.
 * @throws Error when the sources do not compile
 */
export async function parseFolders(folders: readonly string[]): Promise<readonly Source[]> {
  const lists = folders.map(async (folder) => {
    const names = await readdir(folder, { recursive: true });
    return names.filter((name) => name.endsWith(".sol")).map((name) => `${folder}/${name}`);
  });
  const paths = (await Promise.all(lists)).flat().sort();
  return parse(new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path)] as const))));
}

/** The same for texts by their paths. */
export function parse(own: ReadonlyMap<string, Buffer>): readonly Source[] {
  const { errors, sources, texts } = compile(own, { outputSelection: { "*": { "": ["ast"] } } });
  if (errors.length > 0) throw new Error(errors.join("\n"));
  const made = Object.entries(sources).flatMap(([path, { ast }]) => {
    const text = texts.get(path);
    return text !== undefined && isNode(ast) ? [{ path, text, ast }] : [];
  });
  return [...made.filter(({ path }) => own.has(path)), ...made.filter(({ path }) => !own.has(path))];
}

/** Compiles the files, and what they import from packages, with the compiler that package.json pins. */
export function compile(own: ReadonlyMap<string, Buffer>, settings: CompilerSettings): CompilerOutput {
  const texts = new Map(own);
  const input = {
    language: "Solidity",
    sources: Object.fromEntries([...own].map(([path, text]) => [path, { content: text.toString("utf8") }])),
    settings: { evmVersion: "cancun", ...settings },
  };
  const written = loadCompiler().compile(JSON.stringify(input), {
    import: (path) => {
      const text = readImport(path);
      if (text === undefined) return { error: "no such file in the installed packages" };
      texts.set(path, text);
      return { contents: text.toString("utf8") };
    },
  });
  // The shape is the compiler's standard JSON output, fixed by its version.
  const { errors = [], sources = {}, contracts = {} } = JSON.parse(written) as WrittenOutput;
  const failures = errors.filter(({ severity }) => severity === "error");
  return { errors: failures.map(({ formattedMessage }) => formattedMessage), sources, contracts, texts };
}

function readImport(path: string): Buffer | undefined {
  try {
    return readFileSync(require.resolve(path));
  } catch {
    // The compiler then reports the import itself, with the file and the line that ask for it.
    return undefined;
  }
}

function loadCompiler(): Compiler {
  // The package brings no types; this is the one function of it that is used.
  return require("solc") as Compiler;
}
