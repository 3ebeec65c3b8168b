import type { Command } from "commander";
import { InvalidInput } from "../domain/errors.ts";
import { renderTable, type Column } from "../kernel/table.ts";
import { readSecretText, UnfitSecretFile } from "../kernel/secrets/secret-file.ts";
import { NotUtf8, readTextFile } from "../kernel/text-file.ts";
import { createClient, type RelayClient } from "../../sdk/client.ts";
import { CommandFailure } from "./exit-codes.ts";
import type { Io } from "./io.ts";

/** What one command works with: its options, the relay it talks to, and how it tells what it found. */
export interface Session {
  readonly io: Io;
  readonly isJson: boolean;
  /** The relay's API. */
  client(): Promise<RelayClient>;
  /** Where the relay's own configuration is, for commands that work beside it; undefined where it is the environment. */
  configFile(): string | undefined;
  text(name: string): string | undefined;
  flag(name: string): boolean;
  /** @throws InvalidInput when it is none within the limits */
  integer(name: string, min: number, max: number): number | undefined;
  /** Items with commas between them. */
  list(name: string): readonly string[];
  /** A value: as JSON for machines, as the lines that `human` makes of it for people. */
  print<Value>(value: Value, human: (value: Value) => string): void;
  /** One of many values as they come: as one line of JSON, or as the line that `human` makes of it. */
  line<Value>(value: Value, human: (value: Value) => string): void;
  /** For people only, and beside the output: what is going on. */
  note(text: string): void;
}

const MISSING_URL = "which relay? Give --url, or set FEIQIAN_URL";
const MISSING_KEY = "as whom? Set FEIQIAN_API_KEY, or give --key-file";
const INTEGER = /^\d{1,15}$/;

export function openSession(io: Io, command: Command): Session {
  const options: Readonly<Record<string, unknown>> = command.optsWithGlobals();
  const isJson = options["json"] === true;

  const text: Session["text"] = (name) => {
    const value = options[name];
    return typeof value === "string" ? value : undefined;
  };
  const key = async (): Promise<string> => {
    const file = text("keyFile");
    if (file === undefined) return io.environment["FEIQIAN_API_KEY"] ?? "";
    return readSecretFile(file, "--key-file");
  };

  return {
    io,
    isJson,
    text,
    flag: (name) => options[name] === true,
    integer(name, min, max) {
      const given = text(name);
      if (given === undefined) return undefined;
      const value = INTEGER.test(given) ? Number.parseInt(given, 10) : -1;
      if (value < min || value > max) {
        throw new InvalidInput(optionName(name), `an integer from ${min} to ${max}`, given);
      }
      return value;
    },
    list: (name) =>
      (text(name) ?? "")
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== ""),
    async client() {
      const url = text("url") ?? io.environment["FEIQIAN_URL"];
      if (url === undefined || url === "") throw new CommandFailure("USAGE", MISSING_URL);
      requirePlace(url, "--url");
      const apiKey = await key();
      if (apiKey === "") throw new CommandFailure("USAGE", MISSING_KEY);
      return createClient({ url, key: apiKey, fetch: io.fetch });
    },
    configFile: () => text("config") ?? io.environment["FEIQIAN_CONFIG"],
    print(value, human) {
      io.out.write(`${isJson ? jsonOf(value, 2) : human(value)}\n`);
    },
    line(value, human) {
      io.out.write(`${isJson ? jsonOf(value) : human(value)}\n`);
    },
    note(message) {
      if (!isJson) io.err.write(`${message}\n`);
    },
  };
}

/** @throws InvalidInput unless it is where something can be asked, without a secret in it */
export function requirePlace(text: string, option: string): void {
  const { protocol = "", username, password } = URL.canParse(text) ? new URL(text) : {};
  if (/^https?:$/.test(protocol) && username === "" && password === "") return;
  throw new InvalidInput(option, "an http or https URL without user or password");
}

/**
 * A secret is read from a file or the environment, never from the command line, which every process of the machine can
 * see.
 */
export async function readSecretFile(path: string, option: string): Promise<string> {
  return readFor(path, option, readSecretText);
}

/** A file's text. @throws InvalidInput when it cannot be read, or is not UTF-8: nothing of it is then used */
export async function readFileFor(path: string, option: string): Promise<string> {
  return readFor(path, option, readTextFile);
}

/**
 * Does what reads from a path that was given.
 * @throws InvalidInput when that cannot be read, or is not as it has to be
 */
export async function readFor<Content>(
  path: string,
  option: string,
  read: (path: string) => Promise<Content>,
): Promise<Content> {
  try {
    return await read(path);
  } catch (error) {
    if (error instanceof UnfitSecretFile) throw new InvalidInput(option, error.rule);
    if (error instanceof NotUtf8) throw new InvalidInput(option, error.rule);
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new InvalidInput(option, `a file that can be read (${path}: ${code})`);
  }
}

/**
 * Does what writes to a path that was given.
 * @param rule what the path has to be
 * @throws InvalidInput with that rule where the system refuses: the path is to blame, and not the program
 */
export async function writeFor<Result>(
  path: string,
  option: string,
  rule: string,
  write: () => Promise<Result>,
): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
    throw new InvalidInput(option, `${rule} (${path}: ${String(error.code)})`);
  }
}

/** @throws InvalidInput with that rule when the text is no JSON */
export function parseJsonAs(text: string, field: string, rule: string): unknown {
  try {
    // Whatever it is: that is for a schema to tell.
    return JSON.parse(text) as unknown;
  } catch {
    throw new InvalidInput(field, rule);
  }
}

/** bigints as decimal text, as everywhere in the API. */
export function jsonOf(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? String(member) : member), indent);
}

/** A table, or what to say where it would be empty. */
export function tableOr<Row>(empty: string, columns: readonly Column<Row>[], rows: readonly Row[]): string {
  return rows.length === 0 ? empty : renderTable(columns, rows);
}

/** Names and values, one a line. */
export function renderFacts(facts: readonly (readonly [name: string, value: string | undefined])[]): string {
  const known = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined);
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}

function optionName(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
