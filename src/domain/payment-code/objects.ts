import { InvalidInput } from "../errors.ts";

/** A data object: two digits that say what it is, and its value. A template's value is objects again. */
export interface CodeObject {
  readonly id: string;
  readonly value: string;
}

const ID = /^\d\d$/;
/** Id and length, two digits each. */
const HEAD = /^(\d\d)(\d\d)$/;
const HEAD_LENGTH = 4;
const MAX_LENGTH = 99;

/**
 * Reads objects that follow each other. Lengths count characters, not bytes.
 * @param field what they are in
 * @throws InvalidInput that quotes nothing: values may be personal
 */
export function parseObjects(text: string, field: string): readonly CodeObject[] {
  const characters = Array.from(text);
  const objects: CodeObject[] = [];
  for (let at = 0; at < characters.length;) {
    const [, id, length] = HEAD.exec(characters.slice(at, at + HEAD_LENGTH).join("")) ?? [];
    if (id === undefined || length === undefined) {
      throw new InvalidInput(field, "objects that begin with two digits for what they are and two for their length");
    }
    const from = at + HEAD_LENGTH;
    at = from + Number.parseInt(length, 10);
    if (at === from || at > characters.length) {
      throw new InvalidInput(`${field}.${id}`, "a value of 1 to 99 characters, as many as its length says");
    }
    if (objects.some((earlier) => earlier.id === id)) throw new InvalidInput(`${field}.${id}`, "there once");
    objects.push({ id, value: characters.slice(from, at).join("") });
  }
  return objects;
}

/** @throws InvalidInput for what `parseObjects` would not read back */
export function formatObjects(objects: readonly CodeObject[], field: string): string {
  return objects
    .map(({ id, value }) => {
      if (!ID.test(id)) throw new InvalidInput(`${field}.id`, "two digits", id);
      const { length } = Array.from(value);
      if (length < 1 || length > MAX_LENGTH) throw new InvalidInput(`${field}.${id}`, "a value of 1 to 99 characters");
      return `${id}${String(length).padStart(2, "0")}${value}`;
    })
    .join("");
}
