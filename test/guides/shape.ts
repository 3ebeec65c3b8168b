// Whether a program's output has the shape of what a page shows: the same words, in the same order. What is different each
// time (ids, amounts, times, ports) counts as what it is, not as which.
import type { Shown } from "./page.ts";

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>"],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "<uuid>"],
  [/\b(fq|whsec|evt|wh|req)_[\w+/=…-]+/g, "<$1>"],
  [/\b0x[0-9a-f]+…?/gi, "<hex>"],
  [/[─-]{3,}/g, "<rule>"],
  [/\p{L}\*+/gu, "<masked>"],
  [/\d[\d,.]*(?<![,.])/g, "#"],
  [/\s+/g, " "],
];
const ELSEWHERE = "…";

/** @returns what is missing in the output, in words for people; undefined where nothing is */
export function compareShape(shown: Shown, printed: string): string | undefined {
  return shown.language === "json" ? compareJson(shown.text, printed) : compareLines(shown.text, printed);
}

function shapeOf(text: string): string {
  return KINDS.reduce((shaped, [pattern, kind]) => shaped.replaceAll(pattern, kind), text).trim();
}

function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map(shapeOf)
    .filter((line) => line !== "");
}

/** A page shows lines that follow each other; `…` is anything that it leaves out. */
function compareLines(shown: string, printed: string): string | undefined {
  const expected = linesOf(shown);
  const actual = linesOf(printed);
  for (let start = 0; start < Math.max(actual.length, 1); start++) if (follow(expected, actual.slice(start))) return;
  return `the page shows\n  ${expected.join("\n  ")}\nand what comes is\n  ${actual.join("\n  ")}`;
}

function follow([first, ...rest]: readonly string[], actual: readonly string[]): boolean {
  if (first === undefined) return true;
  if (first === ELSEWHERE) {
    for (let skipped = 0; skipped <= actual.length; skipped++) if (follow(rest, actual.slice(skipped))) return true;
    return false;
  }
  const [line, ...others] = actual;
  return line !== undefined && fits(first, line) && follow(rest, others);
}

function fits(shown: string, line: string): boolean {
  const parts = shown.split(ELSEWHERE).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(line);
}

/** A page shows a whole document; with `…` in it, some of its members. */
function compareJson(shown: string, printed: string): string | undefined {
  const whole = shown.replaceAll(/,\s*…|…\s*,/g, "");
  const documents = printed.split("\n").flatMap((line): unknown[] => {
    try {
      return line.trim() === "" ? [] : [JSON.parse(line)];
    } catch {
      return [];
    }
  });
  const actual = documents.at(-1);
  if (actual === undefined) return `the page shows JSON, and what comes is\n  ${printed}`;
  const difference = compareValues(JSON.parse(whole), actual, whole !== shown, "");
  return difference === undefined ? undefined : `${difference}\n  ${JSON.stringify(actual)}`;
}

function compareValues(shown: unknown, actual: unknown, partly: boolean, path: string): string | undefined {
  if (Array.isArray(shown) && Array.isArray(actual)) {
    if (shown.length !== actual.length) return `${path}: the page shows ${shown.length}, there are ${actual.length}`;
    return first(shown.map((each, index) => compareValues(each, actual[index], partly, `${path}[${index}]`)));
  }
  if (isRecord(shown) && isRecord(actual)) {
    const names = new Set([...Object.keys(shown), ...(partly ? [] : Object.keys(actual))]);
    return first(
      [...names].map((name) => {
        if (!(name in shown)) return `${path}.${name}: not on the page`;
        return compareValues(shown[name], actual[name], partly, `${path}.${name}`);
      }),
    );
  }
  if (typeof shown === "number" && typeof actual === "number") return undefined;
  if (typeof shown === "string" && typeof actual === "string" && shapeOf(shown) === shapeOf(actual)) return undefined;
  if (shown === actual) return undefined;
  return `${path}: the page shows ${JSON.stringify(shown)}, and it is ${JSON.stringify(actual)}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function first(found: readonly (string | undefined)[]): string | undefined {
  return found.find((each) => each !== undefined);
}
