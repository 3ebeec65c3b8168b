import { InvalidInput } from "./errors.ts";

/** What canonical JSON may hold here. No fractions, no null: every value has one spelling in every language. */
export type CanonicalValue = string | boolean | number | readonly CanonicalValue[] | CanonicalObject;
export interface CanonicalObject {
  readonly [name: string]: CanonicalValue;
}

const MAX_DEPTH = 16;

/**
 * Canonical JSON after RFC 8785 (JCS), restricted to strings, booleans, integers within ±(2^53-1), arrays and plain
 * objects. Errors name the path, never the value, since values are personal data.
 * @param path names the value in errors
 * @throws InvalidInput on any other kind of value, a lone surrogate, or nesting deeper than 16
 */
export function canonicalJson(value: CanonicalValue, path: string): string {
  return serialize(value, path, MAX_DEPTH);
}

// Takes unknown: values come from parsed JSON, where the type is a promise that nobody has kept yet.
function serialize(value: unknown, path: string, depthLeft: number): string {
  if (depthLeft === 0) throw new InvalidInput(path, `nested at most ${MAX_DEPTH} deep`);
  if (typeof value === "string") return serializeString(value, path);
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new InvalidInput(path, "an integer within ±(2^53-1)");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item: unknown, index) => serialize(item, `${path}[${index}]`, depthLeft - 1)).join(",")}]`;
  }
  if (isPlainObject(value)) {
    let members = "";
    // RFC 8785, 3.2.3 orders names by UTF-16 code units, which is what sort() does.
    for (const name of Object.keys(value).sort()) {
      const member = serialize(value[name], `${path}.${name}`, depthLeft - 1);
      members += `${members === "" ? "" : ","}${serializeString(name, path)}:${member}`;
    }
    return `{${members}}`;
  }
  throw new InvalidInput(path, "a string, boolean, integer, array or plain object");
}

/** ASCII that stands in JSON as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

function serializeString(text: string, path: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new InvalidInput(path, "well-formed Unicode, without lone surrogates");
  return JSON.stringify(text);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
