import { join } from "node:path";
import ts from "typescript";
import type { Tree } from "../besu/output-support.ts";
import type { Manifests } from "./manifest-kinds.ts";

// Kubernetes' published schemas let unknown fields pass, which the API server then drops without a word. Their TypeScript
// declarations do not: manifests are checked as literals of them.

/** By this name the text that is checked looks them up: a kind that is not there is a fault, too. */
const LOOKED_UP: keyof { readonly Manifests: Manifests } = "Manifests";

/** Declarations that have been read: there are many, and they stay as they are. */
const declarations = new Map<string, ts.SourceFile | undefined>();

/** What is wrong with manifests by the types of their kinds: fields that are unknown, missing, or of another type. */
export function unknownFields(manifests: readonly Tree[]): readonly string[] {
  const lines = manifests.map((manifest, index) => {
    const kind = JSON.stringify(`${String(manifest["apiVersion"])} ${String(manifest["kind"])}`);
    const type = `import("./manifest-kinds.ts").${LOOKED_UP}[${kind}]`;
    return `export const manifest${index}: ${type} = ${JSON.stringify(manifest)};`;
  });
  // Beside this file, so that modules are found; it is never on the disk.
  const path = join(import.meta.dirname, "rendered-manifests.ts");
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: [],
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
  const disk = ts.createCompilerHost(options);
  const text = lines.join("\n");
  const host: ts.CompilerHost = {
    ...disk,
    // Their comments are most of the declarations.
    jsDocParsingMode: ts.JSDocParsingMode.ParseNone,
    getSourceFile(name, language, ...rest) {
      if (name === path) return ts.createSourceFile(name, text, language);
      if (!declarations.has(name)) declarations.set(name, disk.getSourceFile(name, language, ...rest));
      return declarations.get(name);
    },
    fileExists: (name) => name === path || disk.fileExists(name),
    readFile: (name) => (name === path ? text : disk.readFile(name)),
  };
  const program = ts.createProgram([path], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}
