import { Result, type Interface } from "ethers";
import type { ReasonCode } from "../domain/reason.ts";
import { ABI } from "./abi.ts";
import { ErrorArguments, LEDGER_ERRORS, type Remedy } from "./error-catalogue.ts";

/**
 * The ledger refused a call. `code` is the name of the contract's error, stable forever; the message says in a
 * sentence what it means, with its values.
 */
export class LedgerError extends Error {
  readonly code: string;
  /** The error's arguments by name. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly remedy: Remedy;
  /** ISO 20022 status reason for the transfers concerned, where one fits. */
  readonly reason: ReasonCode | undefined;

  constructor(
    code: string,
    sentence: string,
    values: Readonly<Record<string, unknown>>,
    { remedy, reason }: { readonly remedy: Remedy; readonly reason: ReasonCode | undefined },
    cause?: unknown,
  ) {
    super(sentence, { cause });
    this.name = "LedgerError";
    this.code = code;
    this.values = values;
    this.remedy = remedy;
    this.reason = reason;
  }
}

/** The contract's error in the failure of a call, decoded; undefined where it failed for another reason. */
export function decodeLedgerError(failure: unknown): LedgerError | undefined {
  if (failure instanceof LedgerError) return failure;
  const data = revertDataOf(failure);
  return data === undefined ? undefined : decodeRevert(data, failure);
}

/** The error that revert data stands for; undefined where no contract of the ledger has it. */
export function decodeRevert(data: string, cause?: unknown): LedgerError | undefined {
  for (const abi of Object.values(ABI)) {
    const parsed = parse(abi, data);
    if (parsed === undefined) continue;
    const entry = LEDGER_ERRORS[parsed.name];
    if (entry === undefined) return undefined;
    const args = new ErrorArguments(parsed.args);
    const remedy = typeof entry.remedy === "function" ? entry.remedy(args) : (entry.remedy ?? "change");
    return new LedgerError(parsed.name, entry.say(args), parsed.values, { remedy, reason: entry.reason }, cause);
  }
  return undefined;
}

/** The arguments of Solidity's own errors, which ethers knows without their names. */
const BUILT_IN: ReadonlyMap<string, string> = new Map([
  ["Error", "reason"],
  ["Panic", "code"],
]);

interface ParsedError {
  readonly name: string;
  readonly args: Result;
  readonly values: Readonly<Record<string, unknown>>;
}

function parse(abi: Interface, data: string): ParsedError | undefined {
  try {
    const parsed = abi.parseError(data);
    if (parsed === null) return undefined;
    const builtIn = BUILT_IN.get(parsed.name);
    const args = builtIn === undefined ? parsed.args : Result.fromItems([...parsed.args], [builtIn]);
    return { name: parsed.name, args, values: args.toObject() };
  } catch {
    // A selector that matches and arguments that do not: not this error.
    return undefined;
  }
}

const MAX_DEPTH = 6;

/** Nodes and libraries put the revert data at different depths of what they throw. */
function revertDataOf(failure: unknown, depth = 0): string | undefined {
  if (typeof failure !== "object" || failure === null || depth > MAX_DEPTH) return undefined;
  // An object, checked above: any of these may be absent.
  const { data, error, info, cause } = failure as Record<string, unknown>;
  if (isRevertData(data)) return data;
  for (const inner of [data, error, info, cause]) {
    const found = revertDataOf(inner, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isRevertData(data: unknown): data is string {
  return typeof data === "string" && /^0x[0-9a-f]{8,}$/i.test(data);
}
