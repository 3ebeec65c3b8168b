import { Problem } from "./problem.ts";

const MAX_DEPTH = 32;
/** A byte order mark before it says nothing else, and is dropped (RFC 8259, 8.1). */
const UTF_8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads JSON that can be understood one way only: UTF-8 without errors, no member twice in one
 * object, none called `__proto__`, nesting of at most 32. In linear time.
 * @throws Problem malformed-request, which quotes nothing of the text
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed("not JSON");
  }
  refuseDuplicates(text);
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw malformed("not UTF-8");
  }
}

/** Walks through text that is known to be JSON: every string is either a value or the name of a member. */
function refuseDuplicates(text: string): void {
  // Of each object that is open, its names; undefined stands for an array.
  const open: (Set<string> | undefined)[] = [];
  let expectsName = false;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case "{":
      case "[":
        if (open.length === MAX_DEPTH) throw malformed(`nested deeper than ${MAX_DEPTH}`);
        expectsName = text[at] === "{";
        open.push(expectsName ? new Set() : undefined);
        break;
      case "}":
      case "]":
        open.pop();
        expectsName = false;
        break;
      case ",":
        expectsName = open.at(-1) !== undefined;
        break;
      case '"': {
        const end = endOfString(text, at);
        if (expectsName) addName(open.at(-1), text.slice(at, end + 1));
        expectsName = false;
        at = end;
        break;
      }
      default:
    }
  }
}

function addName(names: Set<string> | undefined, literal: string): void {
  // A JSON string, as JSON.parse has found before.
  const name = literal.includes("\\") ? (JSON.parse(literal) as string) : literal.slice(1, -1);
  if (name === "__proto__") throw malformed("a member is called __proto__");
  if (names?.has(name) === true) throw malformed("an object has the same member twice");
  names?.add(name);
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

function malformed(what: string): Problem {
  return new Problem("malformed-request", `the body cannot be read: ${what}`);
}
