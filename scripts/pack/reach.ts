import { dirname, join } from "node:path/posix";
import ts from "typescript";
import type { Files } from "./emit.ts";

/** What modules need to run, and to be type-checked against. */
export interface Reached {
  readonly files: Files;
  /** Names of packages, without the paths in them. */
  readonly packages: ReadonlySet<string>;
}

/**
 * Follows the imports of compiled modules, those of JavaScript and those of declarations each by themselves: what is
 * imported for its type alone is a declaration that nobody runs.
 * @param entries paths in `compiled`
 * @throws Error when one imports what was not compiled
 */
export function reach(compiled: Files, entries: readonly string[]): Reached {
  const files = new Map<string, string>();
  const packages = new Set<string>();
  const ahead = [...entries];
  for (let path = ahead.pop(); path !== undefined; path = ahead.pop()) {
    if (files.has(path)) continue;
    const given = compiled.get(path);
    if (given === undefined) throw new Error(`${path} is imported, and was not compiled`);
    const text = isDeclaration(path) ? withJavaScriptNames(given) : given;
    files.set(path, text);
    for (const name of importsOf(text)) {
      if (name.startsWith(".")) ahead.push(fileOf(path, name));
      else if (!name.startsWith("node:")) packages.add(packageOf(name));
    }
  }
  return { files, packages };
}

function importsOf(text: string): readonly string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

/** The compiler changes ".ts" into ".js" in imports of JavaScript only. */
function withJavaScriptNames(text: string): string {
  let changed = text;
  // From the end, so that what is ahead stays where it is.
  for (const { fileName, pos } of ts.preProcessFile(text, true, true).importedFiles.toReversed()) {
    if (!/^\..*\.ts$/.test(fileName)) continue;
    const start = text.indexOf(fileName, pos);
    changed = `${changed.slice(0, start)}${fileName.replace(/ts$/, "js")}${changed.slice(start + fileName.length)}`;
  }
  return changed;
}

function fileOf(importer: string, name: string): string {
  const path = join(dirname(importer), name);
  return isDeclaration(importer) ? path.replace(/\.js$/, ".d.ts") : path;
}

function isDeclaration(path: string): boolean {
  return path.endsWith(".d.ts");
}

function packageOf(name: string): string {
  return name.split("/", name.startsWith("@") ? 2 : 1).join("/");
}
