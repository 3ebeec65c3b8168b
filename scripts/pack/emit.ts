import { relative, resolve } from "node:path";
import ts from "typescript";

/** Files by their path from the project's root. */
export type Files = ReadonlyMap<string, string>;

/** Nothing is written: the compiler only wants JavaScript out of the way of its sources. */
const OUT = resolve("dist");

export interface Platform {
  /** What the oldest Node that has to run it has of the language's library: what it lacks does not compile. */
  readonly lib: readonly string[];
  readonly declaration: boolean;
}

/** Node 20 has of ES2024 its regular expressions and strings: no Promise.withResolvers, no Object.groupBy. */
export const NODE_20: Platform = { lib: ["lib.es2023.d.ts", "lib.es2024.string.d.ts"], declaration: true };
export const NODE_24: Platform = { lib: ["lib.es2024.d.ts"], declaration: false };

/**
 * Compiles modules, and all that they import, to JavaScript.
 * @throws Error with what the compiler says of them
 */
export function emit(entries: readonly string[], { lib, declaration }: Platform): Files {
  const root = process.cwd();
  const config = ts.getParsedCommandLineOfConfigFile(
    "tsconfig.json",
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail },
  );
  const program = ts.createProgram(entries, {
    ...config?.options,
    lib: [...lib],
    declaration,
    // The modules are JavaScript already where they have to run on any Node, as the launcher.
    allowJs: true,
    allowImportingTsExtensions: false,
    rewriteRelativeImportExtensions: true,
    noEmit: false,
    types: ["node"],
    rootDir: root,
    outDir: OUT,
  });
  const files = new Map<string, string>();
  const { diagnostics } = program.emit(undefined, (path, text) => files.set(relative(OUT, path), text));
  const found = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (found.length > 0) throw new Error(describe(found));
  return files;
}

function fail(diagnostic: ts.Diagnostic): never {
  throw new Error(describe([diagnostic]));
}

function describe(diagnostics: readonly ts.Diagnostic[]): string {
  return ts.formatDiagnostics(diagnostics, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => process.cwd(),
    getNewLine: () => "\n",
  });
}
