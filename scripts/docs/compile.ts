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

/** What the compiler says and makes of a set of files. */
interface CompilerOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly sources: Readonly<Record<string, { readonly ast: unknown }>>;
}

interface Compiler {
  compile(input: string, callbacks: { import: (path: string) => { contents: string } | { error: string } }): string;
}

const require = createRequire(import.meta.url);

/**
 * Compiles every file under `folder`, as far as the syntax tree, with the compiler that package.json pins. The files
 * come first, by path; what they import from packages follows.
 * @throws Error when the sources do not compile
 */
export async function compile(folder: string): Promise<readonly Source[]> {
  const names = await readdir(folder, { recursive: true });
  const paths = names.filter((name) => name.endsWith(".sol")).map((name) => `${folder}/${name}`);
  paths.sort();
  const contents = await Promise.all(paths.map(async (path) => [path, await readFile(path)] as const));
  const texts = new Map<string, Buffer>(contents);
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(contents.map(([path, text]) => [path, { content: text.toString("utf8") }])),
    settings: { evmVersion: "cancun", outputSelection: { "*": { "": ["ast"] } } },
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
  const output = JSON.parse(written) as CompilerOutput;
  const errors = (output.errors ?? []).filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"));
  const made = Object.entries(output.sources).flatMap(([path, { ast }]) => {
    const text = texts.get(path);
    return text !== undefined && isNode(ast) ? [{ path, text, ast }] : [];
  });
  const isOurs = ({ path }: Source): boolean => path.startsWith(`${folder}/`);
  return [...made.filter(isOurs), ...made.filter((source) => !isOurs(source))];
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
