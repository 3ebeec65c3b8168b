import { pino, type DestinationStream, type Logger as PinoLogger } from "pino";

/** What a line says besides its message: ids, counts, codes. Names, aliases and secrets do not go here; see `clean`. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface LogFunction {
  (fields: LogFields, message: string): void;
  (message: string): void;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Structured logs, one JSON object a line: pino's interface, as far as it is used here. */
export interface Logger {
  readonly debug: LogFunction;
  readonly info: LogFunction;
  readonly warn: LogFunction;
  readonly error: LogFunction;
  readonly fatal: LogFunction;
  /** A logger that says the same fields on every line. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** On every line. */
  readonly fields?: LogFields;
  /** Where lines go; standard output unless told. */
  readonly destination?: DestinationStream;
}

/**
 * A logger whose lines hold no personal data and no secret, as far as names can tell: fields that are called like one
 * are replaced, and of an error only what it is called, says, and was caused by is kept, not what else hangs on it.
 */
export function createLogger({ level, fields = {}, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: cleanFields(fields),
    messageKey: "message",
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: cleanFields, bindings: cleanFields },
  };
  return wrap(destination === undefined ? pino(options) : pino(options, destination));
}

/** pino cleans what a line says, and not what a child says on all of its lines. */
function wrap(inner: PinoLogger): Logger {
  return {
    debug: inner.debug.bind(inner),
    info: inner.info.bind(inner),
    warn: inner.warn.bind(inner),
    error: inner.error.bind(inner),
    fatal: inner.fatal.bind(inner),
    child: (fields) => wrap(inner.child(cleanFields(fields))),
  };
}

/** For tests, and for whoever has nowhere to log to. */
export const silentLogger: Logger = createLogger({ level: "silent" });

const REDACTED = "[redacted]";
/** Names of what must not be logged: persons' details, and what opens something. */
const PRIVATE =
  /^(?:name|nameLocal|alias|aliases|value|msisdn|phone|email|account|debtor|creditor|customer|remittance|unstructured|purpose|payload|details|salt|sealed|body|headers?|cookies?)$|secret|passw|passphrase|authorization|privateKey|apiKey|token|credential/i;
/** Deeper than this nothing is logged. */
const MAX_DEPTH = 4;
/** More of an array than this is not logged. */
const MAX_ITEMS = 20;

function cleanFields(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, PRIVATE.test(name) ? REDACTED : clean(value, 1)]),
  );
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (depth > MAX_DEPTH) return "[deeper]";
  if (value instanceof Error) return cleanError(value, depth);
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => clean(item, depth + 1));
  if (value instanceof Date) return value.toISOString();
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, PRIVATE.test(name) ? REDACTED : clean(member, depth + 1)]),
  );
}

function cleanError(error: Error, depth: number): unknown {
  const code: unknown = "code" in error ? error.code : undefined;
  // A refused input's message quotes the input; its rule does not.
  const rule = "field" in error && "rule" in error ? `${String(error.field)}: ${String(error.rule)}` : undefined;
  return {
    type: error.name,
    message: rule ?? error.message,
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    ...(rule === undefined && error.stack !== undefined ? { stack: error.stack } : {}),
    ...(error.cause === undefined ? {} : { cause: clean(error.cause, depth + 1) }),
  };
}
