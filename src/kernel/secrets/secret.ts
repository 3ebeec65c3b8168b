import { inspect } from "node:util";

/** A secret on its way through the program: nothing that prints, logs or serializes it shows it. */
export interface Secret {
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

const SHOWN = "[secret]";

export function secret(value: string): Secret {
  return Object.freeze({
    reveal: () => value,
    toString: () => SHOWN,
    toJSON: () => SHOWN,
    [inspect.custom]: () => SHOWN,
  });
}
