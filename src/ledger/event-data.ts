import type { EventFragment, ParamType } from "ethers";
import type { Hex } from "../domain/bytes/hex.ts";

// What the ledger's events say, read word by word (Solidity's ABI). Every relay reads every event of the ledger, and
// ethers' decoder takes a millisecond for one; with it, tests hold this one to the same answer.

/** Values by the names that the ABI has: bigint, lower-case hexadecimal, boolean, a list, or such values again. */
export interface EventData {
  /** @throws Error where the ABI has no such name */
  getValue(name: string): unknown;
}

const WORD_DIGITS = 64;
const BYTES_A_WORD = 32;
const UINT = /^uint([0-9]+)$/;
const BYTES = /^bytes([0-9]+)$/;
const ADDRESS_DIGITS = 40;

/** @throws Error for a log that is not what the event's ABI says */
export function decodeEventData(event: EventFragment, topics: readonly string[], data: string): EventData {
  const plain = event.inputs.filter(({ indexed }) => indexed !== true);
  const told = tupleAt(new Words(data), 0, plain);
  const values = new Map(plain.map(({ name }, index) => [name, told[index]]));
  let topic = 0;
  for (const input of event.inputs) {
    if (input.indexed === true) values.set(input.name, valueAt(new Words(topics[++topic] ?? ""), 0, input));
  }
  return named(event.name, values);
}

function named(of: string, values: ReadonlyMap<string, unknown>): EventData {
  return {
    getValue(name) {
      if (!values.has(name)) throw new Error(`${of} has no ${name}`);
      return values.get(name);
    },
  };
}

class Words {
  readonly #digits: string;

  constructor(hex: string) {
    this.#digits = hex.slice("0x".length).toLowerCase();
  }

  get count(): number {
    return this.#digits.length / WORD_DIGITS;
  }

  at(index: number): string {
    const word = this.#digits.slice(index * WORD_DIGITS, (index + 1) * WORD_DIGITS);
    if (word.length !== WORD_DIGITS) throw new Error("an event's data is shorter than its ABI says");
    return word;
  }

  /** A length, or an offset in bytes. */
  numberAt(index: number): number {
    const value = BigInt(`0x${this.at(index)}`);
    if (value > BigInt(this.count * WORD_DIGITS)) throw new Error("an event's data points beyond its end");
    return Number.parseInt(String(value), 10);
  }
}

/** The values of a tuple whose words begin at `start`, to which its offsets are relative. */
function tupleAt(words: Words, start: number, types: readonly ParamType[]): readonly unknown[] {
  let head = start;
  return types.map((type) => {
    const at = isDynamic(type) ? start + words.numberAt(head) / BYTES_A_WORD : head;
    head += isDynamic(type) ? 1 : wordsOf(type);
    return valueAt(words, at, type);
  });
}

function valueAt(words: Words, at: number, type: ParamType): unknown {
  if (type.components !== null && type.baseType === "tuple") {
    const values = tupleAt(words, at, type.components);
    return named(type.name, new Map(type.components.map(({ name }, index) => [name, values[index]])));
  }
  const { arrayChildren } = type;
  if (arrayChildren !== null && type.arrayLength === -1) {
    const count = words.numberAt(at);
    if (count > words.count) throw new Error("an event's list is longer than its data");
    return tupleAt(
      words,
      at + 1,
      Array.from({ length: count }, () => arrayChildren),
    );
  }
  return elementary(words.at(at), type.baseType);
}

function elementary(word: string, type: string): bigint | boolean | Hex {
  const [, bits] = UINT.exec(type) ?? [];
  if (bits !== undefined) return within(BigInt(`0x${word}`), 1n << BigInt(bits), type);
  if (type === "bool") return within(BigInt(`0x${word}`), 2n, type) === 1n;
  const [, bytes] = BYTES.exec(type) ?? [];
  if (bytes !== undefined) return `0x${padded(word, 2 * Number.parseInt(bytes, 10), type)}`;
  if (type === "address") {
    within(BigInt(`0x${word}`), 1n << 160n, type);
    return `0x${word.slice(-ADDRESS_DIGITS)}`;
  }
  throw new Error(`no event of the ledger has a value of the type ${type}`);
}

function within(value: bigint, limit: bigint, type: string): bigint {
  if (value >= limit) throw new Error(`an event's value is no ${type}`);
  return value;
}

function padded(word: string, digits: number, type: string): string {
  if (/[^0]/.test(word.slice(digits))) throw new Error(`an event's value is no ${type}`);
  return word.slice(0, digits);
}

function isDynamic({ baseType, components, arrayLength }: ParamType): boolean {
  if (arrayLength === -1) return true;
  return baseType === "tuple" && (components ?? []).some(isDynamic);
}

function wordsOf({ baseType, components }: ParamType): number {
  return baseType === "tuple" ? (components ?? []).reduce((sum, each) => sum + wordsOf(each), 0) : 1;
}
