import { isColumn, printableName, RefusedField, REQUIRED_COLUMNS, type Column, type Fields } from "./columns.ts";

/**
 * Reads one line of NDJSON: an object whose members are strings. Undefined when it is blank.
 * @throws RefusedField naming the member at fault, or "line" when it is not such an object
 */
export function parseJsonLine(text: string): Fields | undefined {
  // With a byte order mark, as where files were put together.
  const line = text.trim();
  if (line === "") return undefined;
  const members = parseObject(line);
  refuseRepeatedKeys(line);
  const fields = new Map<Column, string>();
  for (const [name, value] of Object.entries(members)) {
    if (!isColumn(name)) throw new RefusedField(printableName(name), "a known member", "CH17");
    if (typeof value !== "string") throw new RefusedField(name, stringRule(value), "CH16");
    if (value.trim() !== "") fields.set(name, value.trim());
  }
  const missing = REQUIRED_COLUMNS.find((name) => !Object.hasOwn(members, name));
  if (missing !== undefined) throw new RefusedField(missing, "a required member", "CH21");
  return fields;
}

function parseObject(line: string): object {
  const value = parseJson(line);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RefusedField("line", "a JSON object", "FF01");
  }
  return value;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new RefusedField("line", "valid JSON (RFC 8259)", "FF01");
  }
}

/** JSON.parse keeps the last of two members of one name; which one its writer meant cannot be told. */
function refuseRepeatedKeys(validJson: string): void {
  const seen = new Set<string>();
  let depth = 0;
  let lastString: string | undefined;
  for (const [token] of validJson.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]/g)) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    else if (token === ":" && depth === 1 && lastString !== undefined) {
      // A JSON string token by the pattern.
      const key = JSON.parse(lastString) as string;
      if (seen.has(key)) throw new RefusedField(printableName(key), "no member twice", "FF01");
      seen.add(key);
    }
    lastString = token.startsWith('"') ? token : undefined;
  }
}

function stringRule(value: unknown): string {
  if (typeof value === "number") return "a JSON string: JSON numbers are read as binary floating point";
  return "a JSON string";
}
