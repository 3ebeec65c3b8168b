import ts from "typescript";

/** How often each measured line of a file ran. */
export interface FileCoverage {
  readonly path: string;
  /** Line number (from 1) → runs. */
  readonly hits: ReadonlyMap<number, number>;
}

/** A row of the table that Hardhat prints, the only place where it tells statements. */
export interface StatementCoverage {
  readonly path: string;
  /** As printed, with two decimals. */
  readonly percent: string;
}

/** Reads an lcov trace file: its SF (file) and DA (line, runs) records. */
export function parseLcov(text: string): readonly FileCoverage[] {
  return text
    .split("end_of_record")
    .map((record) => ({
      path: /^SF:(.+)$/m.exec(record)?.[1] ?? "",
      hits: new Map(
        [...record.matchAll(/^DA:(\d+),(\d+)/gm)].map(([, line = "", runs = ""]) => [
          Number.parseInt(line, 10),
          Number.parseInt(runs, 10),
        ]),
      ),
    }))
    .filter(({ path }) => path !== "");
}

/** Reads the rows "║ file │ line % │ statement % │ uncovered lines ║" from Hardhat's output. */
export function parseStatementTable(lines: readonly string[]): readonly StatementCoverage[] {
  return lines.flatMap((line) => {
    const [, path, percent] = /^║ (\S+\.sol) +│ [\d.]+ +│ ([\d.]+) +│/.exec(line) ?? [];
    return path === undefined || percent === undefined ? [] : [{ path, percent }];
  });
}

/** The lines that never ran, ascending. */
export function uncoveredIn({ path, hits }: FileCoverage): readonly { readonly path: string; readonly line: number }[] {
  return [...hits]
    .filter(([, runs]) => runs === 0)
    .map(([line]) => ({ path, line }))
    .sort((left, right) => left.line - right.line);
}

/** Whether anything of a TypeScript file is left to run once its types are gone. */
export function hasCode(text: string): boolean {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2024, removeComments: true },
  });
  return !/^(?:"use strict";)?\s*(?:export \{\};)?\s*$/.test(outputText);
}
